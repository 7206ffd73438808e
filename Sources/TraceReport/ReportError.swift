import Glibc
import TraceRequest

/// Why a trace cannot be read or a result not be written, with everything that its reader needs.
public struct ReportError: Error, Equatable {
  /// The exit code.
  public let exitStatus: ExitStatus
  /// What is wrong, which thing, and what to do, on one line.
  public let message: String

  init(_ exitStatus: ExitStatus, _ message: String) {
    self.exitStatus = exitStatus
    self.message = message
  }

  /// An error of the C library about a file.
  static func file(_ what: String, _ path: String, errno number: Int32) -> ReportError {
    let status: ExitStatus
    switch number {
    case ENOENT, ENOTDIR: status = .noInput
    case EACCES, EPERM: status = .notPermitted
    default: status = .cannotCreate
    }
    return ReportError(status, "\(what): \(path): \(errorText(number))")
  }
}
