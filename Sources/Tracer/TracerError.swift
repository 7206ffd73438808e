import Glibc

/// Why the tracer cannot go on: what is wrong, which thing, what to do.
public struct TracerError: Error {
  /// The exit codes of sysexits.h that the programs share.
  public enum Status: Int32, Sendable {
    case usage = 64
    case badData = 65
    case noInput = 66
    case unavailable = 69
    case bug = 70
    case notPermitted = 77
  }

  /// One line, without the program's name.
  public let message: String
  /// What the program ends with.
  public let status: Status

  init(_ status: Status, _ message: String) {
    self.status = status
    self.message = message
  }
}

/// Writes one line to stderr, with the program's name before it.
public func report(_ text: String) {
  let line = Array("datacrumbs: \(text)\n".utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

/// The text of an error number, as strerror has it.
func errorText(_ number: Int32) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
    guard let base = buffer.baseAddress, strerror_r(number, base, 256) == 0 else {
      return "error \(number)"
    }
    return String(cString: base)
  }
}
