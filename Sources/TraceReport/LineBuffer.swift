import GzipMembers

/// A piece of a trace in memory: whole lines, each with its newline; or a gzip member of them that
/// is still to be unpacked, by whoever needs the lines.
final class LineBuffer {
  /// Where the text lies.
  private(set) var memory: UnsafeMutableRawBufferPointer
  /// How much of the memory is text.
  var count = 0

  private var member: UnsafeMutableRawBufferPointer
  private var memberSize = 0
  /// Where in its file the member begins.
  private var position = 0
  private let unpacker = MemberUnpacker()

  init(size: Int = 1 << 20) {
    memory = .allocate(byteCount: size, alignment: 16)
    member = .allocate(byteCount: 64 << 10, alignment: 16)
  }

  deinit {
    memory.deallocate()
    member.deallocate()
  }

  /// The lines, of a buffer that holds no member.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

  /// Makes it empty.
  func clear() {
    count = 0
    memberSize = 0
  }

  /// Room for a member of that many bytes, which the caller fills.
  func holdMember(of size: Int, at position: Int) -> UnsafeMutableRawBufferPointer {
    if size > member.count {
      member.deallocate()
      member = .allocate(byteCount: size * 2, alignment: 16)
    }
    count = 0
    memberSize = size
    self.position = position
    return UnsafeMutableRawBufferPointer(rebasing: member[..<size])
  }

  /// Turns a member into its lines.
  ///
  /// - Returns: what is wrong with it, nil where it is good or there is none.
  func unpack() -> String? {
    guard memberSize > 0 else { return nil }
    let packed = UnsafeRawBufferPointer(rebasing: member[..<memberSize])
    memberSize = 0
    let size = MemberUnpacker.textSize(packed)
    // Deflate makes 1,032 bytes of one at most.
    guard size <= packed.count * 1032, size <= InflatedFile.longestLine else { return damage }
    if size >= memory.count {
      memory.deallocate()
      memory = .allocate(byteCount: size * 2, alignment: 16)
    }
    guard unpacker.unpack(packed, into: .init(rebasing: memory[..<size])) else { return damage }
    count = size
    // Another writer's member may end within a line, which is then read as such.
    if size > 0, memory[size - 1] != 0x0a {
      memory[size] = 0x0a
      count += 1
    }
    return nil
  }

  private var damage: String { "the file is damaged at byte \(position)" }

  /// Doubles the memory and keeps the text.
  func grow() {
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: memory.count * 2, alignment: 16)
    larger.copyMemory(from: bytes)
    memory.deallocate()
    memory = larger
  }
}
