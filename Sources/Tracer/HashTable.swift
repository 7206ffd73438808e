/// A table of a fixed size from 64-bit keys to 64-bit values that forgets when it is crowded:
/// what is forgotten is written to the trace once more, and memory stays what it is.
struct ForgetfulTable {
  private static let probes = 8

  private let mask: Int
  private var slots: [(key: UInt64, value: UInt64)]
  private var turn = 0

  /// - Parameter bits: the table has 2^bits slots of 16 bytes.
  init(bits: Int) {
    mask = 1 << bits - 1
    slots = Array(repeating: (0, 0), count: 1 << bits)
  }

  /// The value of a key other than 0, nil where there is none (any more).
  subscript(key: UInt64) -> UInt64? {
    var slot = Int(truncatingIfNeeded: key &* 0x9e37_79b9_7f4a_7c15 >> 20) & mask
    for _ in 0..<Self.probes {
      if slots[slot].key == key { return slots[slot].value }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// Keeps a value, in the place of another one where its neighbourhood is full.
  mutating func insert(_ key: UInt64, _ value: UInt64) {
    let first = Int(truncatingIfNeeded: key &* 0x9e37_79b9_7f4a_7c15 >> 20) & mask
    for step in 0..<Self.probes {
      let slot = (first + step) & mask
      if slots[slot].key == key || slots[slot].key == 0 {
        slots[slot] = (key, value)
        return
      }
    }
    turn = (turn + 1) % Self.probes
    slots[(first + turn) & mask] = (key, value)
  }
}

/// The hash that stands for a string in the trace: FNV-1a of 64 bits, folded to 48.
/// Hashes do not compress: 16 bits more make a trace of many small files a fifteenth larger, while among
/// 100,000 strings two with the same hash are one chance in 50,000.
enum StringHash {
  static let digits = 12

  static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return (hash >> 48 ^ hash) & 0xffff_ffff_ffff
  }
}
