/// What is counted of calls, whichever way they are grouped.
struct Counters {
  var calls: Int64 = 0
  var errors: Int64 = 0
  /// Calls that never returned, or had not when tracing ended: they have no duration.
  var incomplete: Int64 = 0
  var readBytes: Int64 = 0
  var writtenBytes: Int64 = 0
  /// In nanoseconds, the sum over all calls.
  var time: Int64 = 0

  /// Bytes in both directions.
  var bytes: Int64 { readBytes &+ writtenBytes }

  static func += (left: inout Counters, right: Counters) {
    left.calls &+= right.calls
    left.errors &+= right.errors
    left.incomplete &+= right.incomplete
    left.readBytes &+= right.readBytes
    left.writtenBytes &+= right.writtenBytes
    left.time &+= right.time
  }
}

/// Counters by name, in bounded memory: where there are more names than the limit, those that
/// took the least time are counted together.
final class BoundedCounters {
  private let limit: Int
  private var table = ByteTable()
  private var counters: [Counters] = []
  /// Those that are counted together.
  private(set) var others = Counters()
  /// How many names those had; a name that came back counts again.
  private(set) var otherNames = 0

  init(limit: Int) { self.limit = limit }

  func add(_ call: Counters, to name: Bytes) {
    let number = table.number(of: name)
    if number < counters.count {
      counters[number] += call
      return
    }
    counters.append(call)
    if counters.count >= limit { keepHalf() }
  }

  func add(_ other: BoundedCounters) {
    for number in other.counters.indices { add(other.counters[number], to: other.table[number]) }
    others += other.others
    otherNames += other.otherNames
  }

  private func keepHalf() {
    let order = counters.indices.sorted {
      (counters[$0].time, counters[$0].calls) > (counters[$1].time, counters[$1].calls)
    }
    let kept = ByteTable()
    var keptCounters: [Counters] = []
    for (place, number) in order.enumerated() {
      if place < limit / 2 {
        _ = kept.number(of: table[number])
        keptCounters.append(counters[number])
      } else {
        others += counters[number]
        otherNames += 1
      }
    }
    table = kept
    counters = keptCounters
  }

  /// Every name with its counters, in no particular order.
  func forEach(_ body: (Bytes, Counters) -> Void) {
    for number in counters.indices { body(table[number], counters[number]) }
  }
}
