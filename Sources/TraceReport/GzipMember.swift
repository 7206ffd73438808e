import CZlib

/// Makes gzip members (RFC 1952), each whole in itself.
final class GzipMember {
  private let stream: UnsafeMutablePointer<z_stream>

  /// - Parameter level: 1, fast, to 9, small.
  init(level: Int32 = 1) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 15 bits of window, and 16 for gzip; 8 is zlib's usual memory.
    deflateInit2_(
      stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// One member with these bytes; less than 4 GiB of them.
  func compress(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    deflateReset(stream)
    let bound = Int(deflateBound(stream, UInt(bytes.count)))
    let stream = stream
    return [UInt8](unsafeUninitializedCapacity: bound) { target, count in
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
      stream.pointee.avail_in = UInt32(truncatingIfNeeded: bytes.count)
      stream.pointee.next_out = target.baseAddress
      stream.pointee.avail_out = UInt32(truncatingIfNeeded: bound)
      deflate(stream, Z_FINISH)
      count = bound - Int(stream.pointee.avail_out)
    }
  }
}
