import Glibc
import TraceRequest

/// Why the tracer cannot go on: what is wrong, which thing, what to do.
public struct TracerError: Error {
  /// One line, without the program's name.
  public let message: String
  /// What the program ends with.
  public let exitStatus: ExitStatus

  init(_ exitStatus: ExitStatus, _ message: String) {
    self.exitStatus = exitStatus
    self.message = message
  }
}

/// Writes one line to stderr, with the program's name before it.
public func report(_ text: String) {
  let line = Array("datacrumbs: \(text.onOneLine)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
}
