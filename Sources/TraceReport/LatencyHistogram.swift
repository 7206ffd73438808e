/// How often which duration occurred, in a fixed amount of memory.
///
/// Log-linear: each power of two is cut in 32 equal parts, so that a percentile is at most 1/64
/// (1.6%) off. Durations below 32 ns are exact.
struct LatencyHistogram {
  private static let steps: UInt64 = 32
  private static let stepBits = 5

  private var counts: [UInt64] = []
  /// How many durations there are.
  private(set) var total: UInt64 = 0

  /// Adds a duration in nanoseconds.
  mutating func add(_ nanoseconds: Int64) {
    let index = Self.index(UInt64(max(0, nanoseconds)))
    if index >= counts.count {
      counts.append(contentsOf: repeatElement(0, count: index + 1 - counts.count))
    }
    counts[index] += 1
    total += 1
  }

  /// Adds all that another one has.
  mutating func add(_ other: LatencyHistogram) {
    if other.counts.count > counts.count {
      counts.append(contentsOf: repeatElement(0, count: other.counts.count - counts.count))
    }
    for index in other.counts.indices { counts[index] += other.counts[index] }
    total += other.total
  }

  /// The duration that the given share (0...1) of all does not exceed; 0 where there is none.
  func percentile(_ share: Double) -> Int64 {
    guard total > 0 else { return 0 }
    let rank = max(1, UInt64((Double(total) * share).rounded(.up)))
    var seen: UInt64 = 0
    for index in counts.indices {
      seen += counts[index]
      if seen >= rank { return Self.middle(index) }
    }
    return Self.middle(counts.count - 1)
  }

  private static func index(_ value: UInt64) -> Int {
    guard value >= steps else { return Int(value) }
    let exponent = 63 - value.leadingZeroBitCount
    let shift = exponent - stepBits
    return (shift + 1) * Int(steps) + Int((value >> UInt64(shift)) - steps)
  }

  /// The middle of the values that have this index.
  private static func middle(_ index: Int) -> Int64 {
    guard index >= Int(steps) else { return Int64(index) }
    let shift = UInt64(index / Int(steps) - 1)
    let low = (steps + UInt64(index % Int(steps))) << shift
    return Int64(low + ((1 << shift) - 1) / 2)
  }
}
