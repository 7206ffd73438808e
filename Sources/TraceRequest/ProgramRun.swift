import CLibc

/// One run of one of our programs, with a time limit and no shell.
public struct ProgramRun {
  /// Absolute.
  public let path: String
  let arguments: [String]
  /// In seconds.
  let limit: Int
  let inheritsEnvironment: Bool

  /// Makes a run that has not started yet.
  ///
  /// - Parameters:
  ///   - path: absolute.
  ///   - arguments: those behind the program's name.
  ///   - limit: in seconds, from 1 to 86,400.
  ///   - inheritsEnvironment: whether the program sees this process's environment, or none.
  public init(
    path: String, arguments: [String], limit: Int, inheritsEnvironment: Bool = true
  ) {
    self.path = path
    self.arguments = arguments
    self.limit = limit
    self.inheritsEnvironment = inheritsEnvironment
  }

  /// How a run went.
  public enum Outcome {
    /// With the exit code, or 128 and the number of the signal that ended it;
    /// and with what it said on stderr, on one line and without its name.
    case ended(code: Int32, message: String)
    /// It was killed.
    case timedOut
    /// With the reason.
    case notStarted(String)
  }

  /// Runs the program and waits for its end, at most until the limit.
  public func run() -> Outcome {
    var ends: [Int32] = [-1, -1]
    guard clibc_pipe(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else {
      return .notStarted(errorText(clibc_errno()))
    }
    defer { close(ends[0]) }
    var child: pid_t = 0
    let failure = spawn(stderr: ends[1], child: &child)
    close(ends[1])
    guard failure == 0 else { return .notStarted(errorText(failure)) }

    var output: [UInt8] = []
    guard waitForEnd(of: child, stderr: ends[0], output: &output) else {
      kill(child, SIGKILL)
      // It may hang in the kernel, where SIGKILL waits too: never wait for it.
      waitpid(child, nil, WNOHANG)
      return .timedOut
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, clibc_errno() == EINTR {}
    return .ended(code: clibc_exit_code(status), message: message(output))
  }

  private func spawn(stderr: Int32, child: inout pid_t) -> Int32 {
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_adddup2(&files, stderr, 2)

    // Slurm's programs block and ignore signals; ours start with defaults.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var empty: [UnsafeMutablePointer<CChar>?] = [nil]
    if inheritsEnvironment {
      return posix_spawn(&child, path, &files, &attributes, words, clibc_environ())
    }
    return posix_spawn(&child, path, &files, &attributes, words, &empty)
  }

  /// False where the limit was over first. Reads stderr meanwhile, so that a
  /// talkative program does not wait for us; the first KiB of it is kept.
  private func waitForEnd(of child: pid_t, stderr: Int32, output: inout [UInt8]) -> Bool {
    let process = clibc_pidfd_open(child)
    guard process >= 0 else { return false }
    defer { close(process) }
    let deadline = Deadline(seconds: limit)
    var polled = [
      pollfd(fd: process, events: Int16(POLLIN), revents: 0),
      pollfd(fd: stderr, events: Int16(POLLIN), revents: 0),
    ]
    while polled[0].revents == 0 {
      let left = deadline.remainingMilliseconds
      guard left > 0 else { return false }
      guard poll(&polled, 2, left) >= 0 || clibc_errno() == EINTR else {
        return false
      }
      if polled[1].revents != 0, !read(stderr, into: &output) { polled[1].fd = -1 }
    }
    _ = read(stderr, into: &output)
    return true
  }

  /// False at the end of the file.
  private func read(_ file: Int32, into output: inout [UInt8]) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1024)
    while true {
      let count = CLibc.read(file, &buffer, buffer.count)
      if count <= 0 { return count < 0 && clibc_errno() == EAGAIN }
      output.append(contentsOf: buffer[..<min(count, 1024 - output.count)])
    }
  }

  /// The first line of what the program said, without `program: `.
  private func message(_ output: [UInt8]) -> String {
    let line = output.prefix { $0 != UInt8(ascii: "\n") }
    let name = path.utf8.split(separator: UInt8(ascii: "/")).last.map { Array($0) } ?? []
    let prefix = name + Array(": ".utf8)
    let text = line.starts(with: prefix) ? line.dropFirst(prefix.count) : line
    return String(decoding: text, as: UTF8.self).onOneLine
  }
}
