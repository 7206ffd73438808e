import CLibDeflate

/// Makes members.
public final class MemberPacker {
  private let compressor: OpaquePointer
  private var packed = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)

  /// - Parameter level: libdeflate's, 1 (fast) to 12 (small).
  public init(level: Int32) {
    guard let compressor = libdeflate_alloc_compressor(level) else {
      fatalError("no memory, or no such level: \(level)")
    }
    self.compressor = compressor
  }

  deinit {
    libdeflate_free_compressor(compressor)
    packed.deallocate()
  }

  /// Gives one member with these bytes to the function.
  ///
  /// - Parameters:
  ///   - text: whole lines, less than 2 GiB.
  ///   - use: may read the member's memory until it returns.
  public func pack<Result>(
    _ text: UnsafeRawBufferPointer, _ use: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    let frame = GzipMember.headerSize + GzipMember.trailerSize
    let bound = libdeflate_deflate_compress_bound(compressor, text.count) + frame
    if bound > packed.count {
      packed.deallocate()
      packed = .allocate(byteCount: bound, alignment: 16)
    }
    let body = UnsafeMutableRawBufferPointer(rebasing: packed[GzipMember.headerSize...])
    let count = libdeflate_deflate_compress(
      compressor, text.baseAddress, text.count, body.baseAddress, body.count)
    let sum = libdeflate_crc32(0, text.baseAddress, text.count)
    body.storeBytes(of: sum.littleEndian, toByteOffset: count, as: UInt32.self)
    body.storeBytes(
      of: UInt32(truncatingIfNeeded: text.count).littleEndian, toByteOffset: count + 4,
      as: UInt32.self)
    GzipMember.writeHeader(packed, size: count + frame)
    return use(UnsafeRawBufferPointer(rebasing: packed[..<(count + frame)]))
  }
}
