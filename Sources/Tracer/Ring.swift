import CTracerBPF
import Glibc
import TraceRequest

/// The consumer's end of the BPF ring buffer, laid out as kernel/bpf/ringbuf.c has it:
/// a page with the consumer's position, one with the producer's, then the data twice.
struct Ring {
  private static let busy: UInt32 = 1 << 31
  private static let discarded: UInt32 = 1 << 30
  private static let header = 8

  private let consumer: UnsafeMutablePointer<UInt64>
  private let producer: UnsafePointer<UInt64>
  private let data: UnsafePointer<UInt8>
  private let mask: UInt64

  init(descriptor: Int32, size: Int) throws(TracerError) {
    let page = Int(getpagesize())
    guard
      let own = mmap(nil, page, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      own != MAP_FAILED,
      let shared = mmap(nil, page + 2 * size, PROT_READ, MAP_SHARED, descriptor, page),
      shared != MAP_FAILED
    else { throw TracerError(.unavailable, "cannot map the ring buffer: \(errorText(errno))") }
    consumer = own.assumingMemoryBound(to: UInt64.self)
    producer = UnsafePointer(shared.assumingMemoryBound(to: UInt64.self))
    data = UnsafePointer((shared + page).assumingMemoryBound(to: UInt8.self))
    mask = UInt64(size - 1)
  }

  /// Whether nothing has been written since the last `take`.
  var isEmpty: Bool { consumer.pointee == datacrumbs_load_acquire(producer) }

  /// Moves whole records, each behind its 8-byte header, into `buffer`. Returns how many bytes.
  func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard let target = buffer.baseAddress else { return 0 }
    let begin = consumer.pointee
    let end = datacrumbs_load_acquire(producer)
    var at = begin
    while at < end {
      let record = data + Int(at & mask)
      let length = record.withMemoryRebound(to: UInt32.self, capacity: 1) {
        datacrumbs_load_acquire32($0)
      }
      if length & Self.busy != 0 { break }
      let step = (Int(length & ~Self.discarded) + Self.header + 7) & ~7
      if Int(at - begin) + step > buffer.count { break }
      at += UInt64(step)
    }
    let count = Int(at - begin)
    if count > 0 {
      target.copyMemory(from: data + Int(begin & mask), byteCount: count)
      datacrumbs_store_release(consumer, at)
    }
    return count
  }

  /// Calls `body` with every record that `take` put into `bytes`.
  static func forEachRecord(
    in bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void
  ) {
    var at = 0
    while at + header <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)
      let length = Int(word & ~discarded)
      let step = (length + header + 7) & ~7
      guard at + header + length <= bytes.count else { return }
      if word & discarded == 0 {
        body(UnsafeRawBufferPointer(rebasing: bytes[(at + header)..<(at + header + length)]))
      }
      at += step
    }
  }
}
