import CTracerBPF
import Glibc
import TraceRequest

/// The consumer's end of the rings that the BPF programs write records into (`dc_ring` in
/// datacrumbs_record.h): some for calls, each of one CPU or several, and a last one for
/// definitions.
struct Rings {
  /// How the rings share the memory that they may take.
  struct Layout: Equatable {
    /// Rings for calls, a power of two.
    let count: Int
    /// Bytes of records in each ring, a power of two.
    let bytes: Int

    /// - Parameters:
    ///   - total: bytes for all rings together.
    ///   - processors: the machine's CPUs. Where there are many they share rings, so that each ring
    ///     still holds what comes between two looks of the reader.
    init(total: Int, processors: Int) {
      var count = 1
      while count < processors, total / (2 * count + 1) >= Self.wanted { count *= 2 }
      var bytes = Self.least
      while 2 * bytes * (count + 1) <= total { bytes *= 2 }
      self.count = count
      self.bytes = bytes
    }

    private static let wanted = 1 << 20
    private static let least = 64 << 10

    /// From one ring to the next.
    var stride: Int { Int(DC_RING_DATA) + bytes + Int(DC_RING_SLACK) }
    /// The reader is woken when a ring holds so much.
    var wakeBytes: Int { min(bytes / 4, 256 << 10) }
  }

  private static let header = Int(DC_RING_HEADER)

  /// One of the rings.
  private struct Ring {
    let consumer: UnsafeMutablePointer<UInt64>
    let producer: UnsafePointer<UInt64>
    let data: UnsafeMutableRawPointer
    let mask: UInt64

    init(_ base: UnsafeMutableRawPointer, bytes: Int) {
      consumer = base.assumingMemoryBound(to: UInt64.self)
      producer = UnsafePointer((base + 128).assumingMemoryBound(to: UInt64.self))
      data = base + Int(DC_RING_DATA)
      mask = UInt64(bytes - 1)
    }

    var end: UInt64 { datacrumbs_load_acquire(producer) }

    /// Moves whole records up to a position into `target`, and leaves zeros behind. Returns how many bytes.
    func take(upTo end: UInt64, into target: UnsafeMutableRawBufferPointer) -> Int {
      var at = consumer.pointee
      var run = (begin: at, end: at)
      var moved = 0
      while at < end {
        let place = data + Int(at & mask)
        let word = datacrumbs_load_acquire(place.assumingMemoryBound(to: UInt64.self))
        let step = word >> 32
        if word == 0 || moved + Int(run.end - run.begin) + Int(step) > target.count { break }
        at += step
        run.end = at
        // What reaches over the end lies behind it; what follows begins anew.
        if (run.begin & ~mask) != (at & ~mask) {
          moved += move(run.begin, run.end, to: target, at: moved)
          run.begin = at
        }
      }
      moved += move(run.begin, run.end, to: target, at: moved)
      datacrumbs_store_release(consumer, at)
      return moved
    }

    private func move(
      _ begin: UInt64, _ end: UInt64, to target: UnsafeMutableRawBufferPointer, at offset: Int
    ) -> Int {
      let count = Int(end - begin)
      guard count > 0, let base = target.baseAddress else { return 0 }
      let source = data + Int(begin & mask)
      (base + offset).copyMemory(from: source, byteCount: count)
      memset(source, 0, count)
      return count
    }
  }

  private let calls: [Ring]
  private let definitions: Ring
  private let doorbell: Doorbell
  /// Where a record of each ring for calls ends that may be taken now.
  private let ends: UnsafeMutablePointer<UInt64>

  /// - Parameters:
  ///   - descriptor: the map of the rings.
  ///   - bell: the map that the programs ring when the reader waits.
  init(descriptor: Int32, bell: Int32, layout: Layout) throws(TracerError) {
    let size = (layout.count + 1) * layout.stride
    guard
      let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      base != MAP_FAILED
    else { throw TracerError(.unavailable, "cannot map the rings: \(errorText(errno))") }
    calls = (0..<layout.count).map { Ring(base + $0 * layout.stride, bytes: layout.bytes) }
    definitions = Ring(base + layout.count * layout.stride, bytes: layout.bytes)
    doorbell = try Doorbell(descriptor: bell)
    ends = .allocate(capacity: layout.count)
  }

  /// Whether nothing has been written since the last `take`.
  var isEmpty: Bool {
    definitions.consumer.pointee == definitions.end
      && calls.allSatisfy { $0.consumer.pointee == $0.end }
  }

  /// Says that the bell has been heard.
  func silence() { doorbell.silence() }

  /// Moves whole records, each behind its 8-byte header, into `buffer`. Returns how many bytes.
  ///
  /// A definition is written before the first call that refers to it, maybe on another CPU: of the calls
  /// are taken those that were there before the definitions were looked at.
  func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    for index in calls.indices { ends[index] = calls[index].end }
    let end = definitions.end
    var count = definitions.take(upTo: end, into: buffer)
    guard definitions.consumer.pointee == end else { return count }
    for index in calls.indices {
      count += calls[index].take(
        upTo: ends[index], into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
    }
    return count
  }

  /// Calls `body` with every record that `take` put into `bytes`.
  static func forEachRecord(
    in bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void
  ) {
    var at = 0
    while at + header <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      let length = Int(word & 0xffff_ffff)
      let step = Int(word >> 32)
      guard step >= header + length, at + step <= bytes.count else { return }
      body(UnsafeRawBufferPointer(rebasing: bytes[(at + header)..<(at + header + length)]))
      at += step
    }
  }

  /// The header of a record of a length, which is followed by the next one at once.
  static func header(length: Int) -> UInt64 {
    UInt64(length) | UInt64(length + header) << 32
  }
}

/// A BPF ring buffer of which nothing is read: epoll(7) can wait for it, that is its use.
/// kernel/bpf/ringbuf.c: a page with the consumer's position, then one with the producer's.
private struct Doorbell {
  private let consumer: UnsafeMutablePointer<UInt64>
  private let producer: UnsafePointer<UInt64>

  init(descriptor: Int32) throws(TracerError) {
    let page = Int(getpagesize())
    guard
      let own = mmap(nil, page, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      own != MAP_FAILED,
      let shared = mmap(nil, page, PROT_READ, MAP_SHARED, descriptor, page),
      shared != MAP_FAILED
    else { throw TracerError(.unavailable, "cannot map the doorbell: \(errorText(errno))") }
    consumer = own.assumingMemoryBound(to: UInt64.self)
    producer = UnsafePointer(shared.assumingMemoryBound(to: UInt64.self))
  }

  func silence() {
    datacrumbs_store_release(consumer, datacrumbs_load_acquire(producer))
  }
}
