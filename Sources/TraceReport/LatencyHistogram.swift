/// How often which duration occurred, in a fixed amount of memory.
///
/// Log-linear: each power of two is cut in 32 equal parts, so that a percentile is at most 1/32
/// (3.1%) off, and mostly less than 1/64. Durations below 32 ns are exact, and below 32 us those of whole
/// microseconds.
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
      if seen >= rank { return Self.value(index) }
    }
    return Self.value(counts.count - 1)
  }

  private static func index(_ value: UInt64) -> Int {
    guard value >= steps else { return Int(value) }
    let exponent = 63 - value.leadingZeroBitCount
    let shift = exponent - stepBits
    return (shift + 1) * Int(steps) + Int((value >> UInt64(shift)) - steps)
  }

  /// What stands for the values that have this index: the whole microseconds next to their middle where these are
  /// among them, as most traces have no other values, and the middle where not.
  private static func value(_ index: Int) -> Int64 {
    guard index >= Int(steps) else { return Int64(index) }
    let shift = UInt64(index / Int(steps) - 1)
    let low = (steps + UInt64(index % Int(steps))) << shift
    let high = low + (1 << shift) - 1
    let middle = low + (high - low) / 2
    let whole = (middle / 1000 + (middle % 1000 >= 500 ? 1 : 0)) * 1000
    return Int64(low...high ~= whole ? whole : middle)
  }
}
