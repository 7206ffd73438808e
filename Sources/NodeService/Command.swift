import CLibc
import Glibc
import TraceRequest

/// A program of somebody else's whose output is read: a scheduler's own client.
struct Command {
  let path: String
  let arguments: [String]

  /// How much output is read at most.
  private static let outputLimit = 16 << 20

  /// Runs it and returns what it wrote to standard output. Its standard error is ours.
  /// One that does not end in time is killed.
  func output(until deadline: Deadline) throws(ServiceError) -> [UInt8] {
    var ends: [Int32] = [-1, -1]
    guard clibc_pipe(&ends, O_CLOEXEC) == 0 else { throw failure(errorText(errno)) }
    defer { close(ends[0]) }
    var child: pid_t = 0
    let error = spawn(output: ends[1], child: &child)
    close(ends[1])
    guard error == 0 else { throw failure(errorText(error)) }

    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      var ready = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
      let events = poll(&ready, 1, deadline.remainingMilliseconds)
      if events < 0, errno == EINTR { continue }
      guard events > 0, output.count < Self.outputLimit else {
        kill(child, SIGKILL)
        waitpid(child, nil, WNOHANG)
        throw failure(events > 0 ? "it writes too much" : "no answer in time")
      }
      let count = read(ends[0], &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      output += buffer[..<count]
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else { throw failure("it failed, with wait status \(status)") }
    return output
  }

  private func spawn(output: Int32, child: inout pid_t) -> Int32 {
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&files, output, 1)
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    return posix_spawn(&child, path, &files, nil, words, environ)
  }

  private func failure(_ reason: String) -> ServiceError {
    ServiceError("cannot run: \(([path] + arguments).joined(separator: " ")): \(reason)")
  }
}
