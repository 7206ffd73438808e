import CTracerBPF
import Glibc
import TraceRequest

/// The user whose job is traced, and whose process the tracer becomes.
struct Account {
  let name: String
  let uid: uid_t
  let gid: gid_t
  let groups: [gid_t]

  init(named name: String) throws(TracerError) {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 1 << 16)
    let result = getpwnam_r(name, &entry, &buffer, buffer.count, &found)
    guard result == 0, found != nil else {
      throw TracerError(.noInput, "no such user on this node: \(name)")
    }
    var count: Int32 = 65536
    var groups = [gid_t](repeating: 0, count: Int(count))
    guard getgrouplist(name, entry.pw_gid, &groups, &count) >= 0 else {
      throw TracerError(.unavailable, "cannot read the groups of \(name)")
    }
    self.name = name
    uid = entry.pw_uid
    gid = entry.pw_gid
    self.groups = Array(groups.prefix(Int(count)))
  }

  /// Becomes this user for good: no way back, no capability left.
  func become() throws(TracerError) {
    // What it makes from here on is the user's alone.
    umask(0o077)
    let result = datacrumbs_become(uid, gid, groups.count, groups)
    guard result == 0 else {
      throw TracerError(
        .notPermitted, "cannot become \(name) for good: \(errorText(-result)): run as root")
    }
  }
}
