import CTracerBPF
import Glibc
import Testing

@testable import Tracer

/// Memory as the BPF programs write it, with the test in their place.
private final class WrittenRings {
  let layout = Rings.Layout(total: 0, processors: 1)
  let base: UnsafeMutableRawPointer
  let descriptor: Int32
  private let bell: Int32

  init() throws {
    let size = (layout.count + 1) * layout.stride
    descriptor = Self.memory()
    bell = Self.memory()
    try #require(descriptor >= 0 && bell >= 0)
    try #require(ftruncate(descriptor, off_t(size)) == 0 && ftruncate(bell, 1 << 16) == 0)
    let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    base = try #require(mapped)
  }

  private static func memory() -> Int32 {
    var name = Array("/tmp/ringsXXXXXX".utf8CString)
    let descriptor = mkstemp(&name)
    if descriptor >= 0 { unlink(name) }
    return descriptor
  }

  func rings() throws -> Rings { try Rings(descriptor: descriptor, bell: bell, layout: layout) }

  /// Writes a record of one byte value; its header only where it `isCommitted`.
  @discardableResult
  func put(_ byte: UInt8, length: Int, ring: Int, isCommitted: Bool = true) -> Bool {
    let start = base + ring * layout.stride
    let consumer = start.load(as: UInt64.self)
    let producer = start.load(fromByteOffset: 128, as: UInt64.self)
    let step = UInt64((length + 8 + 8 + 7) & ~7)
    guard producer + step - consumer <= UInt64(layout.bytes) else { return false }
    let place = start + Int(DC_RING_DATA) + Int(producer % UInt64(layout.bytes))
    memset(place + 8, Int32(byte), length)
    if isCommitted { place.storeBytes(of: UInt64(length) | step << 32, as: UInt64.self) }
    start.storeBytes(of: producer + step, toByteOffset: 128, as: UInt64.self)
    return true
  }

  deinit {
    munmap(base, (layout.count + 1) * layout.stride)
    close(descriptor)
    close(bell)
  }
}

struct RingsTests {
  private func take(_ rings: Rings, room: Int = 1 << 20) -> [[UInt8]] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 8)
    defer { buffer.deallocate() }
    let count = rings.take(into: buffer)
    var records: [[UInt8]] = []
    Rings.forEachRecord(in: UnsafeRawBufferPointer(rebasing: buffer[..<count])) {
      records.append(Array($0))
    }
    return records
  }

  @Test func ringsShareWhatTheyMayTake() {
    for processors in [1, 2, 3, 8, 64, 256] {
      for total in [0, 1 << 20, 16 << 20, 64 << 20] {
        let layout = Rings.Layout(total: total, processors: processors)
        #expect(layout.count.nonzeroBitCount == 1 && layout.bytes.nonzeroBitCount == 1)
        #expect(layout.count < 2 * processors)
        #expect((layout.count + 1) * layout.bytes <= max(total, 2 * (64 << 10)))
        // As few CPUs as that have a ring each of a size that is worth it.
        if processors <= 2, total >= 16 << 20 { #expect(layout.count == processors) }
      }
    }
  }

  @Test func recordsComeOutAsTheyWentInOverTheEndOfTheRing() throws {
    let written = try WrittenRings()
    let rings = try written.rings()
    var expected: [[UInt8]] = []
    var next: UInt8 = 0
    // Lengths that end nowhere near the ring's end, for several times round.
    for round in 0..<400 {
      for length in [40, 64, 41 + round % 700, 8000] {
        next &+= 1
        if written.put(next, length: length, ring: 0) {
          expected.append(Array(repeating: next, count: length))
        }
      }
      if round % 3 == 0 {
        #expect(take(rings) == expected)
        #expect(rings.isEmpty)
        expected = []
      }
    }
    #expect(take(rings) == expected)
  }

  @Test func aFullRingTakesNothingUntilItIsRead() throws {
    let written = try WrittenRings()
    let rings = try written.rings()
    var count = 0
    while written.put(7, length: 56, ring: 0) { count += 1 }
    #expect(count == written.layout.bytes / 72)
    #expect(take(rings).count == count)
    #expect(written.put(7, length: 56, ring: 0))
  }

  @Test func aRecordThatIsBeingWrittenHoldsBackWhatFollows() throws {
    let written = try WrittenRings()
    let rings = try written.rings()
    written.put(1, length: 40, ring: 0)
    written.put(2, length: 40, ring: 0, isCommitted: false)
    written.put(3, length: 40, ring: 0)
    #expect(take(rings) == [Array(repeating: 1, count: 40)])
    #expect(!rings.isEmpty)
    let place = written.base + Int(DC_RING_DATA) + 56
    place.storeBytes(of: UInt64(40) | 56 << 32, as: UInt64.self)
    #expect(take(rings).map { $0[0] } == [2, 3])
  }

  @Test func definitionsComeBeforeTheCallsThatReferToThem() throws {
    let written = try WrittenRings()
    let rings = try written.rings()
    written.put(1, length: 40, ring: 1)
    written.put(2, length: 40, ring: 0)
    #expect(take(rings).map { $0[0] } == [1, 2])
    // One that is being written holds the calls back as well.
    written.put(3, length: 40, ring: 1, isCommitted: false)
    written.put(4, length: 40, ring: 0)
    #expect(take(rings).isEmpty)
    let place = written.base + written.layout.stride + Int(DC_RING_DATA) + 56
    place.storeBytes(of: UInt64(40) | 56 << 32, as: UInt64.self)
    #expect(take(rings).map { $0[0] } == [3, 4])
  }

  @Test func whatDoesNotFitStaysForTheNextTime() throws {
    let written = try WrittenRings()
    let rings = try written.rings()
    for byte in 1...10 { written.put(UInt8(byte), length: 40, ring: byte % 2) }
    var bytes: [UInt8] = []
    for _ in 0..<10 { bytes += take(rings, room: 120).map { $0[0] } }
    #expect(bytes.sorted() == Array(1...10))
    #expect(rings.isEmpty)
  }
}
