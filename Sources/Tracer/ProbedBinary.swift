import Glibc
import TraceRequest

/// The program or library of a group of uprobes or tracepoints, as it is on this node.
///
/// A path was signed, and the tracer opens it as root. Behind the signer's back its owner could put
/// a link there, to a file that is somebody else's. So the same holds here as where it was signed:
/// the file is root's or the job's user's, and others may not write to it. It is opened once, and
/// probed through that descriptor.
final class ProbedBinary {
  /// Why a file is not probed.
  struct Refused: Error {
    let reason: String
  }

  /// Leads to the open file, whatever is put under its name meanwhile.
  var path: String { "/proc/self/fd/\(descriptor)" }

  private let descriptor: Int32

  init(_ signed: String, user: uid_t) throws(Refused) {
    descriptor = open(signed, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw Refused(reason: "\(signed): \(errorText(errno))") }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Refused(reason: "\(signed): not a regular file")
    }
    guard status.st_uid == 0 || status.st_uid == user else {
      throw Refused(
        reason: "\(signed): belongs to uid \(status.st_uid), neither root nor the job's user")
    }
    guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
      throw Refused(reason: "\(signed): others may write to it")
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }
}
