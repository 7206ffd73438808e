import CZlib
import Synchronization

/// One gzip member (RFC 1952) made of pieces that are deflated side by side and come in any order.
///
/// A merged trace is for other programs, and not all of them read a file of several members right:
/// dftracer-utils 0.0.12 loses lines of it.
final class GzipStream: Sendable {
  private struct Sums {
    var check: UInt = 0
    var size = 0
  }

  private let output: OutputFile
  private let sums = Mutex(Sums())

  /// - Parameter output: an empty file.
  init(_ output: OutputFile) throws(ReportError) {
    self.output = output
    try output.write([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
  }

  /// Adds a text, less than 4 GiB of it.
  func write(_ text: [UInt8], _ deflater: Deflater = Deflater()) throws(ReportError) {
    let check = crc32(0, text, UInt32(truncatingIfNeeded: text.count))
    let piece = text.withUnsafeBytes(deflater.deflate)
    let result: Result<Void, ReportError> = sums.withLock { sums in
      sums.check = crc32_combine(sums.check, check, text.count)
      sums.size += text.count
      do throws(ReportError) {
        return .success(try output.write(piece))
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// Ends the member and puts the file in its place.
  func finish() throws(ReportError) {
    let sums = sums.withLock { $0 }
    // An empty last block.
    var end: [UInt8] = [3, 0]
    for number in [UInt32(truncatingIfNeeded: sums.check), UInt32(truncatingIfNeeded: sums.size)] {
      withUnsafeBytes(of: number.littleEndian) { end.append(contentsOf: $0) }
    }
    try output.write(end)
    try output.finish()
  }
}

/// Deflates pieces of a stream, each without a look at the others.
final class Deflater {
  private let stream: UnsafeMutablePointer<z_stream>

  /// The fastest level: a merged file is soon made anew.
  init() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 15 bits of window, no header; 8 is zlib's usual memory.
    deflateInit2_(
      stream, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// Blocks that end at a byte's end, with more to come behind them.
  func deflate(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    deflateReset(stream)
    // The empty block that a flush adds has five bytes, and a bit more.
    let bound = Int(deflateBound(stream, UInt(bytes.count))) + 16
    let stream = stream
    return [UInt8](unsafeUninitializedCapacity: bound) { target, count in
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
      stream.pointee.avail_in = UInt32(truncatingIfNeeded: bytes.count)
      stream.pointee.next_out = target.baseAddress
      stream.pointee.avail_out = UInt32(truncatingIfNeeded: bound)
      CZlib.deflate(stream, Z_FULL_FLUSH)
      count = bound - Int(stream.pointee.avail_out)
    }
  }
}
