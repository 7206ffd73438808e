import CLibBPF
import CTracerBPF
import Glibc

/// Profile mode: takes the sums of intervals that are over out of the kernel's map.
final class ProfileReader {
  private let map: Int32
  private let interval: UnsafeMutablePointer<UInt32>
  private let length: UInt64
  private var began: UInt64
  /// The interval before the present one, and when it began.
  private var previous: (number: UInt32, start: UInt64, end: UInt64)?
  private(set) var calls: UInt64 = 0

  /// - Parameter milliseconds: the length of an interval.
  init(map: Int32, interval: UnsafeMutablePointer<UInt32>, milliseconds: Int, now: UInt64) {
    self.map = map
    self.interval = interval
    length = UInt64(milliseconds) * 1_000_000
    began = now
  }

  /// Milliseconds until `collect` has something to do.
  func milliseconds(from now: UInt64) -> Int32 {
    let next = previous == nil ? began + length : now
    return next <= now ? 50 : Int32(clamping: (next - now) / 1_000_000 + 1)
  }

  /// Begins a new interval when the present one is over, and passes on the sums of the one before:
  /// by then no program adds to it any more.
  func collect(now: UInt64, _ body: (dc_record, dc_profile) -> Void) {
    if let (number, start, end) = previous, now >= end + 20_000_000 {
      take(upTo: number, start: start, end: end, body)
      previous = nil
    }
    if previous == nil, now >= began + length { advance(now) }
  }

  /// Passes on what is left, once the programs are off their hooks.
  func finish(now: UInt64, _ body: (dc_record, dc_profile) -> Void) {
    if let (number, start, end) = previous {
      take(upTo: number, start: start, end: end, body)
    }
    take(upTo: .max, start: began, end: now, body)
  }

  private func advance(_ now: UInt64) {
    previous = (interval.pointee, began, now)
    datacrumbs_store_full(interval, interval.pointee &+ 1)
    began = now
  }

  private func take(
    upTo last: UInt32, start: UInt64, end: UInt64, _ body: (dc_record, dc_profile) -> Void
  ) {
    var keys: [dc_profile_key] = []
    var key = dc_profile_key()
    var next = dc_profile_key()
    var isFirst = true
    while keys.count < Int(DC_PROFILES),
      (isFirst
        ? bpf_map_get_next_key(map, nil, &next) : bpf_map_get_next_key(map, &key, &next)) == 0
    {
      isFirst = false
      key = next
      if key.interval <= last { keys.append(key) }
    }
    for var key in keys {
      var sums = dc_profile()
      guard bpf_map_lookup_and_delete_elem(map, &key, &sums) == 0 else { continue }
      var record = dc_record()
      record.start = start
      record.duration = end &- start
      record.pid = key.pid
      record.tid = key.pid
      record.function = key.function
      record.kind = UInt8(DC_KIND_PROFILE.rawValue)
      record.flags = UInt8(truncatingIfNeeded: key.kind)
      calls += sums.count
      body(record, sums)
    }
  }
}
