import CLibDeflate

/// Unpacks members.
public final class MemberUnpacker {
  private let decompressor: OpaquePointer

  /// Makes one.
  public init() {
    guard let decompressor = libdeflate_alloc_decompressor() else { fatalError("no memory") }
    self.decompressor = decompressor
  }

  deinit { libdeflate_free_decompressor(decompressor) }

  /// How many bytes the text of a member has, by its trailer.
  public static func textSize(_ member: UnsafeRawBufferPointer) -> Int {
    Int(
      UInt32(
        littleEndian: member.loadUnaligned(fromByteOffset: member.count - 4, as: UInt32.self)))
  }

  /// Writes the text of one whole member to the target, which has exactly its size. False where
  /// the member is damaged: its text or its sums do not fit together.
  public func unpack(
    _ member: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    var taken = 0
    let result = libdeflate_gzip_decompress_ex(
      decompressor, member.baseAddress, member.count, target.baseAddress, target.count, &taken, nil)
    return result == LIBDEFLATE_SUCCESS && taken == member.count
  }
}
