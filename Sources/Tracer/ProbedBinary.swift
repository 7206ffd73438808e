import CLibc
import Glibc
import ProbeDocument
import TraceRequest

/// The program or library of a group of uprobes or tracepoints, as it is on this node.
///
/// A path was signed, and the tracer opens it as root. Behind the signer's back its owner could put
/// anything there: a link to a file that is somebody else's, or to a device. So the same holds here as
/// where it was signed: the way to the file leads through no link but root's own, the file is a
/// regular one, root's or the job's user's, and others may not write to it. Until all of that is
/// known the file is looked at and not opened; then it is opened once, and probed through that
/// descriptor.
final class ProbedBinary {
  /// Why a file is not probed.
  struct Refused: Error {
    let reason: String
  }

  /// Leads to the open file, whatever is put under its name meanwhile.
  var path: String { "/proc/self/fd/\(descriptor)" }

  private let descriptor: Int32
  private let headers: ELFHeaders

  init(_ signed: String, kind: ProbeKind, user: uid_t) throws(Refused) {
    let seen: Int32
    do throws(RootsPath.Failure) {
      seen = try RootsPath.look(at: signed)
    } catch {
      throw Refused(reason: "\(signed): \(error.reason)")
    }
    defer { close(seen) }
    if let reason = Self.reason(against: seen, kind, user) {
      throw Refused(reason: "\(signed): \(reason)")
    }
    let opened = clibc_open_seen(seen)
    guard opened >= 0 else { throw Refused(reason: "\(signed): \(errorText(errno))") }
    do throws(ELFHeaders.Unreadable) {
      headers = try ELFHeaders(descriptor: opened)
    } catch {
      close(opened)
      throw Refused(reason: "\(signed): \(error.reason)")
    }
    descriptor = opened
    if kind == .uprobe, let refusal = headers.refusal {
      throw Refused(reason: "\(signed): \(refusal)")
    }
  }

  deinit { close(descriptor) }

  /// Why no probe is put at a place in the file; nil where one may be.
  func refusal(at offset: UInt64) -> String? {
    headers.isEntry(offset: offset) ? ELFHeaders.entryRefusal : nil
  }

  private static func reason(against seen: Int32, _ kind: ProbeKind, _ user: uid_t) -> String? {
    var status = stat()
    guard fstat(seen, &status) == 0 else { return errorText(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { return "not a regular file" }
    guard status.st_uid == 0 || status.st_uid == user else {
      return "belongs to uid \(status.st_uid), neither root nor the job's user"
    }
    guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else { return "others may write to it" }
    if kind == .usdt {
      // Where the probes of a file are libbpf finds out, with libelf, as root: that takes a file
      // which nobody can prepare for it or change under it.
      guard status.st_uid == 0, !clibc_is_users_file_system(seen) else {
        return "static probes are traced in files of root's only"
      }
    }
    return nil
  }
}
