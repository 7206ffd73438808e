import Glibc

/// Bytes of a line that is being read; they live as long as the line's buffer.
struct Bytes {
  let start: UnsafePointer<UInt8>
  let count: Int

  init(_ start: UnsafePointer<UInt8>, _ count: Int) {
    self.start = start
    self.count = count
  }

  /// The memory as bytes.
  init(_ memory: UnsafeRawBufferPointer) {
    if let base = memory.baseAddress {
      self.init(base.assumingMemoryBound(to: UInt8.self), memory.count)
    } else {
      self.init(Self.nothing, 0)
    }
  }

  /// Where no bytes lie.
  private nonisolated(unsafe) static let nothing = UnsafePointer<UInt8>(
    UnsafeMutablePointer<UInt8>.allocate(capacity: 1))

  var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

  func equals(_ literal: StaticString) -> Bool {
    count == literal.utf8CodeUnitCount && memcmp(start, literal.utf8Start, count) == 0
  }

  func contains(_ byte: UInt8) -> Bool {
    memchr(start, Int32(byte), count) != nil
  }

  func hasPrefix(_ literal: StaticString) -> Bool {
    count >= literal.utf8CodeUnitCount
      && memcmp(start, literal.utf8Start, literal.utf8CodeUnitCount) == 0
  }
}

/// Numbers byte strings in the order in which they come: 0, 1, 2...
final class ByteTable {
  /// How many there are.
  private(set) var count = 0

  private var slots: UnsafeMutablePointer<UInt64>
  private var mask: Int
  private var offsets: UnsafeMutablePointer<Int>
  private var room: Int
  private var text: UnsafeMutablePointer<UInt8>
  private var textRoom: Int
  // Two traces that were made to collide must not make a report slow.
  private static let seed = UInt64.random(in: .min ... .max) | 1

  init(room: Int = 64) {
    self.room = room
    mask = room * 4 - 1
    precondition(mask & (mask + 1) == 0, "room is a power of two")
    slots = .allocate(capacity: mask + 1)
    slots.initialize(repeating: 0, count: mask + 1)
    offsets = .allocate(capacity: room + 1)
    offsets[0] = 0
    textRoom = room * 32
    text = .allocate(capacity: textRoom)
  }

  deinit {
    slots.deallocate()
    offsets.deallocate()
    text.deallocate()
  }

  /// The bytes with that number.
  subscript(number: Int) -> Bytes {
    precondition(number >= 0 && number < count, "no such number")
    return Bytes(text + offsets[number], offsets[number + 1] - offsets[number])
  }

  /// The number of these bytes, new or not.
  func number(of bytes: Bytes) -> Int {
    let hash = Self.hash(bytes)
    let (slot, known) = find(bytes, hash)
    if let known { return known }
    slots[slot] = hash & 0xffff_ffff_0000_0000 | UInt64(count + 1)
    add(bytes)
    return count - 1
  }

  /// The number of these bytes, nil where they have none.
  func existingNumber(of bytes: Bytes) -> Int? {
    find(bytes, Self.hash(bytes)).number
  }

  /// The slot that the bytes have, or that is free for them.
  @inline(__always) private func find(_ bytes: Bytes, _ hash: UInt64) -> (slot: Int, number: Int?) {
    // A slot holds half of the hash and the number plus 1; 0 is an empty one.
    let tag = hash & 0xffff_ffff_0000_0000
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      if slots[slot] & 0xffff_ffff_0000_0000 == tag {
        let number = Int(slots[slot] & 0xffff_ffff) - 1
        let known = offsets[number + 1] - offsets[number]
        if known == bytes.count, memcmp(text + offsets[number], bytes.start, known) == 0 {
          return (slot, number)
        }
      }
      slot = (slot + 1) & mask
    }
    return (slot, nil)
  }

  private func add(_ bytes: Bytes) {
    let used = offsets[count]
    if used + bytes.count > textRoom {
      textRoom = max(textRoom * 2, used + bytes.count)
      text = Self.grown(text, used: used, room: textRoom)
    }
    (text + used).update(from: bytes.start, count: bytes.count)
    count += 1
    offsets[count] = used + bytes.count
    if count == room {
      room *= 2
      offsets = Self.grown(offsets, used: count + 1, room: room + 1)
      rehash()
    }
  }

  private static func grown<T: BitwiseCopyable>(
    _ old: UnsafeMutablePointer<T>, used: Int, room: Int
  ) -> UnsafeMutablePointer<T> {
    let new = UnsafeMutablePointer<T>.allocate(capacity: room)
    new.update(from: old, count: used)
    old.deallocate()
    return new
  }

  private func rehash() {
    slots.deallocate()
    mask = room * 4 - 1
    slots = .allocate(capacity: mask + 1)
    slots.initialize(repeating: 0, count: mask + 1)
    for number in 0..<count {
      let hash = Self.hash(self[number])
      var slot = Int(truncatingIfNeeded: hash) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = hash & 0xffff_ffff_0000_0000 | UInt64(number + 1)
    }
  }

  private static func hash(_ bytes: Bytes) -> UInt64 {
    var hash = seed ^ UInt64(truncatingIfNeeded: bytes.count)
    let raw = UnsafeRawPointer(bytes.start)
    var at = 0
    while at + 8 <= bytes.count {
      hash = mix(hash ^ raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
      at += 8
    }
    var rest: UInt64 = 0
    while at < bytes.count {
      rest = rest << 8 | UInt64(bytes.start[at])
      at += 1
    }
    return mix(mix(hash ^ rest))
  }

  @inline(__always) private static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
    return product.high ^ product.low
  }
}
