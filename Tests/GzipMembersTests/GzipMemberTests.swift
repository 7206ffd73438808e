import Glibc
import GzipMembers
import Testing

@Suite("gzip members that say how long they are")
struct GzipMemberTests {
  private func pack(_ text: [UInt8], level: Int32 = 6) -> [UInt8] {
    text.withUnsafeBytes { MemberPacker(level: level).pack($0) { Array($0) } }
  }

  private func unpack(_ member: [UInt8], size: Int? = nil) -> [UInt8]? {
    member.withUnsafeBytes { member in
      var text = [UInt8](repeating: 0, count: size ?? MemberUnpacker.textSize(member))
      let isGood = text.withUnsafeMutableBytes { MemberUnpacker().unpack(member, into: $0) }
      return isGood ? text : nil
    }
  }

  @Test("what is packed unpacks to the same, and the header has the size", arguments: [1, 6, 12])
  func roundTrip(level: Int32) {
    for count in [0, 1, 19, 4096, 3 << 20] {
      let text = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
      let member = pack(text, level: level)
      #expect(member.withUnsafeBytes { GzipMember.size($0) } == member.count)
      #expect(unpack(member) == text)
    }
  }

  @Test("gzip itself reads a row of members")
  func gzip() throws {
    let path = "/tmp/datacrumbs-members-\(getpid()).gz"
    defer { unlink(path) }
    let member = pack(Array("one line\n".utf8))
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    #expect(write(file, member + member, member.count * 2) == member.count * 2)
    close(file)
    let pipe = try #require(popen("gzip -dc \(path)", "r"))
    var text = [UInt8](repeating: 0, count: 64)
    let count = fread(&text, 1, text.count, pipe)
    #expect(pclose(pipe) == 0)
    #expect(String(decoding: text[..<count], as: UTF8.self) == "one line\none line\n")
  }

  @Test("a member with any bit of its text or sums changed does not unpack")
  func damage() {
    let member = pack(Array("a line and a line and a line\n".utf8))
    for position in GzipMember.headerSize..<member.count {
      var damaged = member
      damaged[position] ^= 1
      #expect(unpack(damaged, size: 29) == nil, "byte \(position)")
    }
  }

  @Test("other members, short ones and sizes that cannot be are not ours")
  func foreign() {
    let member = pack(Array("x\n".utf8))
    #expect(member[..<19].withUnsafeBytes { GzipMember.size($0) } == nil)
    var other = member
    other[3] = 0
    #expect(other.withUnsafeBytes { GzipMember.size($0) } == nil)
    other = member
    other.replaceSubrange(16..<20, with: [27, 0, 0, 0])
    #expect(other.withUnsafeBytes { GzipMember.size($0) } == nil)
  }
}
