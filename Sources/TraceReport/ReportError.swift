import Glibc

/// Why a trace cannot be read or a result not be written, with everything that its reader needs.
public struct ReportError: Error, Equatable {
  /// The exit code that fits, as in sysexits.h.
  public enum Status: Int32, Sendable {
    /// The command line is wrong.
    case usage = 64
    /// A file's content is not a trace.
    case badData = 65
    /// There is no such file or folder.
    case noInput = 66
    /// A bug of this program.
    case internalError = 70
    /// A file cannot be made or written.
    case cannotCreate = 73
    /// The system does not let us.
    case notPermitted = 77
  }

  /// The exit code.
  public let status: Status
  /// What is wrong, which thing, and what to do, on one line.
  public let message: String

  init(_ status: Status, _ message: String) {
    self.status = status
    self.message = message
  }

  /// An error of the C library about a file.
  static func file(_ what: String, _ path: String, errno number: Int32) -> ReportError {
    let status: Status
    switch number {
    case ENOENT, ENOTDIR: status = .noInput
    case EACCES, EPERM: status = .notPermitted
    default: status = .cannotCreate
    }
    return ReportError(status, "\(what): \(path): \(String(cString: strerror(number)))")
  }
}
