import CLibc
import TraceRequest

/// datacrumbs_sbatch, datacrumbs_salloc and datacrumbs_srun: which of them is said by the name that
/// the program is called by.
public struct SubmitProgram {
  private let name: String
  private let program: SlurmOptions.Program
  private let arguments: [String]

  /// Runs the program.
  ///
  /// - Parameter commandLine: the program's own name, or path, and its arguments.
  /// - Returns: the exit code, where it did not become another program.
  public static func main(_ commandLine: [String]) -> Int32 {
    do throws(RequestError) {
      return try SubmitProgram(commandLine: commandLine).run()
    } catch {
      complain("datacrumbs_sbatch: " + error.text)
      return error.exitStatus.rawValue
    }
  }

  private static func complain(_ message: String) {
    let line = Array((message + "\n").utf8)
    write(STDERR_FILENO, line, line.count)
  }

  /// - Throws: where the program is called by another name.
  init(commandLine: [String]) throws(RequestError) {
    let called = commandLine.first ?? ""
    name = called.split(separator: "/").last.map(String.init) ?? called
    guard name.hasPrefix("datacrumbs_"),
      let program = SlurmOptions.Program(rawValue: String(name.dropFirst("datacrumbs_".count)))
    else {
      throw RequestError(
        "the program is called by a name that is not its own", called,
        "call it datacrumbs_sbatch, datacrumbs_salloc or datacrumbs_srun")
    }
    self.program = program
    arguments = Array(commandLine.dropFirst())
  }

  /// Becomes srun, sbatch or salloc, or prints what it would become.
  private func run() -> Int32 {
    switch arguments.first {
    case "--datacrumbs-help"?:
      print(help)
      return 0
    case "--datacrumbs-version"?:
      print(name, Self.version)
      return 0
    default: break
    }
    do throws(RequestError) {
      let command = try SubmitCommand(program: program, arguments: arguments)
      let words = try command.words(
        request: { options throws(RequestError) in try request(options) },
        defaultComment: defaultComment(command))
      if command.isDryRun {
        print(words.map(\.quotedForShell).joined(separator: " "))
        return 0
      }
      return execute(words)
    } catch {
      Self.complain(name + ": " + error.text)
      return error.exitStatus.rawValue
    }
  }

  private static let version = "0.1.0"

  private func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  private func request(_ options: RequestOptions) throws(RequestError) -> TraceRequest? {
    let directory = { () throws(RequestError) in try TraceRequest.workingDirectory() }
    if program == .srun, environment("SLURM_JOB_ID") != nil {
      try options.checkStep(environment: environment, directory: directory)
      return nil
    }
    guard let request = try options.request(environment: environment, directory: directory) else {
      return nil
    }
    try request.check(verifier: siblingPath("datacrumbs_probes"), limit: 30)
    return request
  }

  /// The path of a program that is installed beside this one.
  private func siblingPath(_ sibling: String) -> String {
    guard let path = realpath("/proc/self/exe", nil) else { return "/usr/bin/" + sibling }
    defer { free(path) }
    return String(cString: path).split(separator: "/").dropLast().map { "/" + $0 }.joined()
      + "/" + sibling
  }

  /// What Slurm itself would take the comment from: the batch script, else the environment.
  private func defaultComment(_ command: SubmitCommand) -> String? {
    let variable =
      switch program {
      case .srun: "SLURM_COMMENT"
      case .sbatch: "SBATCH_COMMENT"
      case .salloc: "SALLOC_COMMENT"
      }
    return environment(variable) ?? command.script.flatMap(BatchScript.comment(path:))
  }

  private func execute(_ words: [String]) -> Int32 {
    var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    pointers.append(nil)
    execvp(words[0], &pointers)
    let reason = errorText(clibc_errno())
    Self.complain(
      "\(name): cannot run the program (\(reason)): \(words[0]): install Slurm's client")
    return 69
  }

  private var help: String {
    """
    usage: \(name) [--datacrumbs-enable] [--datacrumbs-probe-file=PATH] [OPTIONS OF \
    \(program.rawValue)...]

    Runs \(program.rawValue) with the request to trace the job in its comment: for sites where the
    plugin spank_datacrumbs.so is not registered. All other words go through as they are.

      --datacrumbs-enable           trace the job (or DATACRUMBS_ENABLE=yes)
      --datacrumbs-probe-file=PATH  with this signed probe file (or DATACRUMBS_PROBE_FILE=PATH)
      --datacrumbs-dry-run          print the command and end
      --datacrumbs-help             print this text (--help is \(program.rawValue)'s own)
      --datacrumbs-version          print the version
    """
  }
}

extension String {
  /// The word as a shell reads it back.
  var quotedForShell: String {
    let plain = Array(
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,+@%".utf8)
    if !isEmpty, utf8.allSatisfy(plain.contains) { return self }
    return "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#)
      + "'"
  }
}
