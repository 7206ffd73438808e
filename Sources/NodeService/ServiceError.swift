import Glibc

/// Why a job is not traced, or its tracer not stopped: one line for people,
/// `what is wrong: which thing: what to do`, and the program's exit code.
public struct ServiceError: Error, Sendable {
  /// One line, without the program's name.
  public let message: String
  /// One of sysexits.h.
  public let exitCode: Int32

  /// The command line is wrong.
  public static let usage: Int32 = 64
  /// What was read is not what it must be.
  public static let badData: Int32 = 65
  /// The probe file cannot be read.
  public static let noInput: Int32 = 66
  /// The user is not known on this node.
  public static let noUser: Int32 = 67
  /// systemd, the tracer or the node's own files fail.
  public static let unavailable: Int32 = 69
  /// Somebody may not do that.
  public static let notPermitted: Int32 = 77
  /// The configuration cannot be used.
  public static let configuration: Int32 = 78

  /// A line break would end the line that the message is.
  public init(_ message: String, exitCode: Int32 = ServiceError.unavailable) {
    self.message = String(
      String.UnicodeScalarView(
        message.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    self.exitCode = exitCode
  }

  /// Writes the one line to standard error.
  public func print(program: String) {
    let line = Array((program + ": " + message + "\n").utf8)
    write(STDERR_FILENO, line, line.count)
  }
}
