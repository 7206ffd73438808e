import Glibc
import TraceRequest

/// Why a job is not traced, or its tracer not stopped: one line for people,
/// `what is wrong: which thing: what to do`, and the program's exit code.
public struct ServiceError: Error, Sendable {
  /// One line, without the program's name.
  public let message: String
  /// What the program ends with.
  public let exitStatus: ExitStatus

  /// A line break would end the line that the message is.
  public init(_ message: String, exitStatus: ExitStatus = .unavailable) {
    self.message = message.onOneLine
    self.exitStatus = exitStatus
  }

  /// Writes the one line to standard error.
  public func print(program: String) {
    let line = Array((program + ": " + message + "\n").utf8)
    write(STDERR_FILENO, line, line.count)
  }
}
