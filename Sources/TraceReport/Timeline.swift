/// What happened when, in a fixed number of equal intervals.
///
/// The intervals grow, by doubling, until all that came fits. They lie at multiples of their
/// width, so that two timelines add up whatever they saw first.
struct Timeline {
  /// What an interval holds.
  struct Interval {
    var readBytes: Int64 = 0
    var writtenBytes: Int64 = 0
    var reads: Int64 = 0
    var writes: Int64 = 0
    var others: Int64 = 0

    static func += (left: inout Interval, right: Interval) {
      left.readBytes += right.readBytes
      left.writtenBytes += right.writtenBytes
      left.reads += right.reads
      left.writes += right.writes
      left.others += right.others
    }
  }

  /// How many intervals there are at most.
  static let limit = 512

  /// The width of an interval is 2 to the power of this, in nanoseconds; first about a millisecond.
  private(set) var widthBits = 20
  /// The number of the first interval: its begin divided by the width.
  private(set) var first: Int64 = 0
  /// The intervals that lie behind each other from the first one.
  private(set) var intervals: [Interval] = []

  /// Whether nothing has come.
  var isEmpty: Bool { intervals.isEmpty }

  /// In nanoseconds.
  var width: Int64 { 1 << Int64(widthBits) }

  /// Adds a call. Its bytes are spread over the intervals that it lasted.
  mutating func add(
    direction: Direction, bytes: Int64, start: Int64, duration: Int64
  ) {
    let (sum, overflow) = start.addingReportingOverflow(duration)
    let end = overflow ? Int64.max : sum
    makeRoom(start >> Int64(widthBits), end >> Int64(widthBits), start, end)
    let from = Int((start >> Int64(widthBits)) - first)
    switch direction {
    case .read: intervals[from].reads += 1
    case .write: intervals[from].writes += 1
    case .other: intervals[from].others += 1
    }
    guard bytes > 0 else { return }
    let to = Int((end >> Int64(widthBits)) - first)
    if from == to {
      add(bytes, direction, at: from)
    } else {
      var left = bytes
      for index in from..<to {
        let begin = max(start, (first + Int64(index)) << Int64(widthBits))
        let close = (first + Int64(index) + 1) << Int64(widthBits)
        let part = min(left, Int64(Double(bytes) * Double(close - begin) / Double(duration)))
        add(part, direction, at: index)
        left -= part
      }
      add(left, direction, at: to)
    }
  }

  private mutating func add(_ bytes: Int64, _ direction: Direction, at index: Int) {
    if direction == .read {
      intervals[index].readBytes += bytes
    } else {
      intervals[index].writtenBytes += bytes
    }
  }

  @inline(__always) private mutating func makeRoom(
    _ low: Int64, _ high: Int64, _ start: Int64, _ end: Int64
  ) {
    if low >= first, high < first + Int64(intervals.count) { return }
    extend(start, end)
  }

  private mutating func extend(_ start: Int64, _ end: Int64) {
    if intervals.isEmpty { first = start >> Int64(widthBits) }
    var low = min(first, start >> Int64(widthBits))
    var high = max(first + Int64(intervals.count) - 1, end >> Int64(widthBits))
    while high - low >= Int64(Self.limit) {
      coarsen()
      low = min(first, start >> Int64(widthBits))
      high = max(first + Int64(intervals.count) - 1, end >> Int64(widthBits))
    }
    if low < first {
      intervals.insert(contentsOf: repeatElement(Interval(), count: Int(first - low)), at: 0)
      first = low
    }
    let missing = Int(high - first) + 1 - intervals.count
    if missing > 0 { intervals.append(contentsOf: repeatElement(Interval(), count: missing)) }
  }

  /// Doubles the width.
  mutating func coarsen() {
    var coarse: [Interval] = []
    let start = first >> 1
    for index in intervals.indices {
      let target = Int(((first + Int64(index)) >> 1) - start)
      if target == coarse.count { coarse.append(Interval()) }
      coarse[target] += intervals[index]
    }
    first = start
    intervals = coarse
    widthBits += 1
  }

  /// Adds all that another one has.
  mutating func add(_ other: Timeline) {
    guard !other.isEmpty else { return }
    guard !isEmpty else {
      self = other
      return
    }
    var other = other
    while other.widthBits < widthBits { other.coarsen() }
    while widthBits < other.widthBits { coarsen() }
    while max(first + Int64(intervals.count), other.first + Int64(other.intervals.count))
      - min(first, other.first) > Int64(Self.limit)
    {
      coarsen()
      other.coarsen()
    }
    let start = other.first << Int64(widthBits)
    let end = (other.first + Int64(other.intervals.count) - 1) << Int64(widthBits)
    extend(start, end)
    let offset = Int(other.first - first)
    for index in other.intervals.indices { intervals[offset + index] += other.intervals[index] }
  }
}

/// Which way a call moves bytes.
enum Direction: Equatable {
  case read
  case write
  case other
}
