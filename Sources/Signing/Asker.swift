import CSocket
import Glibc
import ProbeDocument
import TraceRequest

/// Who asks for a signature, as the kernel knows it.
public struct Asker: Sendable {
  /// The user id.
  public let uid: UInt32
  /// The account's name; the number where the machine knows no account of that id.
  public let name: String
  /// The primary group's id and those of the other groups the account is in.
  public let groups: [UInt32]
  /// The names of those groups.
  public let groupNames: [String]

  /// Somebody, for tests and for looking at a policy.
  public init(uid: UInt32, name: String, groups: [UInt32] = [], groupNames: [String] = []) {
    self.uid = uid
    self.name = name
    self.groups = groups
    self.groupNames = groupNames
  }

  /// Looks an account up in the machine's user database.
  public init(uid: UInt32) {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 64 << 10)
    guard getpwuid_r(uid, &entry, &buffer, buffer.count, &found) == 0, found != nil,
      let text = entry.pw_name
    else {
      self.init(uid: uid, name: String(uid))
      return
    }
    let name = String(cString: text)
    var count: Int32 = 1024
    var groups = [gid_t](repeating: 0, count: Int(count))
    if getgrouplist(text, entry.pw_gid, &groups, &count) < 0 {
      groups = [gid_t](repeating: 0, count: Int(count))
      if getgrouplist(text, entry.pw_gid, &groups, &count) < 0 { count = 0 }
    }
    groups.removeLast(groups.count - Int(count))
    // A group's entry has its members in it, so it can be long.
    var room = [CChar](repeating: 0, count: 1 << 20)
    self.init(
      uid: uid, name: name, groups: groups,
      groupNames: groups.compactMap { Self.name(ofGroup: $0, &room) })
  }

  private static func name(ofGroup gid: gid_t, _ buffer: inout [CChar]) -> String? {
    var entry = group()
    var found: UnsafeMutablePointer<group>?
    guard getgrgid_r(gid, &entry, &buffer, buffer.count, &found) == 0, found != nil else {
      return nil
    }
    return entry.gr_name.map { String(cString: $0) }
  }
}
