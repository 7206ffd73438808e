import CZlib
import TraceRequest

/// Gzip (RFC 1952), one member a file.
public enum Gzip {
  /// The largest packed document, in bytes.
  public static let packedLimit = 16 << 20
  /// The largest unpacked document, in bytes: what `ProbeDocument.functionLimit` functions of three
  /// arguments each take.
  public static let unpackedLimit = 32 << 20

  private static let windowBits = MAX_WBITS + 16  // with gzip's header and trailer

  /// Deflate, no name, no time, Unix: the one header that is written and read. What a header can
  /// say besides is covered by no checksum.
  private static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]

  /// Unpacks one member that fills the whole of `packed`.
  ///
  /// - Throws: where it is no gzip, damaged, cut short, larger than a limit, or has bytes behind
  ///   its end, a second member among them.
  public static func unpack(_ packed: [UInt8]) throws(ProbeError) -> [UInt8] {
    guard !packed.isEmpty else { throw .malformed("the probe file is empty") }
    guard packed.count <= packedLimit else {
      throw .malformed("the probe file is larger than \(packedLimit >> 20) MiB")
    }
    let start = packed.prefix(header.count)
    guard start.elementsEqual(header.prefix(start.count)) else {
      throw .malformed(
        start.starts(with: header.prefix(2).prefix(start.count))
          ? "the probe file's gzip header is not one that datacrumbs_probes writes"
          : "the probe file is not gzip, or damaged")
    }
    let (output, end) = try inflated(packed)
    guard packed.count >= end + 8 else { throw .malformed("the probe file is cut short") }
    guard packed.count == end + 8 else {
      throw .malformed("the probe file has bytes behind its end")
    }
    let sum = UInt32(crc32(0, output, UInt32(output.count)))
    guard number(packed, at: end) == sum, number(packed, at: end + 4) == UInt32(output.count) else {
      throw .malformed("the probe file is not gzip, or damaged")
    }
    return output
  }

  private static func number(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The deflated bytes behind the header, and where they end.
  private static func inflated(
    _ packed: [UInt8]
  ) throws(ProbeError) -> (output: [UInt8], end: Int) {
    var stream = z_stream()
    guard
      inflateInit2_(&stream, -MAX_WBITS, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw ProbeError("zlib has no memory", "try again", exitStatus: .internalError) }
    defer { inflateEnd(&stream) }

    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 256 << 10)
    var input = packed
    var unusedBits: Int32 = 0
    let first = min(header.count, packed.count)
    let verdict: Int32 = input.withUnsafeMutableBufferPointer { source in
      stream.next_in = source.baseAddress.map { $0 + first }
      stream.avail_in = UInt32(source.count - first)
      var result = Z_OK
      while result == Z_OK {
        result = chunk.withUnsafeMutableBufferPointer { target in
          stream.next_out = target.baseAddress
          stream.avail_out = UInt32(target.count)
          return inflate(&stream, Z_BLOCK)
        }
        // Behind the last block: how many bits of its last byte are unused (zlib.h).
        if stream.data_type & 192 == 192 { unusedBits = stream.data_type & 7 }
        output.append(contentsOf: chunk[..<(chunk.count - Int(stream.avail_out))])
        if output.count > unpackedLimit { break }
      }
      return result
    }
    guard output.count <= unpackedLimit else {
      throw .malformed("the probe file unpacks to more than \(unpackedLimit >> 20) MiB")
    }
    switch verdict {
    case Z_STREAM_END: break
    case Z_BUF_ERROR: throw .malformed("the probe file is cut short")
    default: throw .malformed("the probe file is not gzip, or damaged")
    }
    let end = packed.count - Int(stream.avail_in)
    guard packed[end - 1] >> (8 - UInt8(unusedBits)) == 0 || unusedBits == 0 else {
      throw .malformed("the probe file is not gzip, or damaged")
    }
    return (output, end)
  }

  /// Packs into one member. The same input gives the same bytes: no name, no time.
  public static func pack(_ bytes: [UInt8]) throws(ProbeError) -> [UInt8] {
    var stream = z_stream()
    let failure = ProbeError("zlib has no memory", "try again", exitStatus: .internalError)
    guard
      deflateInit2_(
        &stream, 6, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, zlibVersion(),
        Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw failure }
    defer { deflateEnd(&stream) }
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
    var input = bytes
    let verdict = input.withUnsafeMutableBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(source.count)
        stream.next_out = target.baseAddress
        stream.avail_out = UInt32(target.count)
        return deflate(&stream, Z_FINISH)
      }
    }
    guard verdict == Z_STREAM_END else { throw failure }
    return Array(output.prefix(Int(stream.total_out)))
  }
}
