import CTracerBPF
import Glibc

/// Profile mode: takes the sums of intervals that are over out of memory shared with the BPF programs.
final class ProfileReader {
  /// What the programs share: the sums of even and odd intervals, how many there are of each, and
  /// the number of the interval that calls are added to.
  struct Memory {
    let sums: UnsafeMutablePointer<dc_sums>
    let used: UnsafeMutablePointer<UInt32>
    let interval: UnsafeMutablePointer<UInt32>
  }

  /// What the threads of a process are added up by.
  private struct Key: Hashable {
    let pid: UInt32
    let function: UInt32
    let kind: UInt32
  }

  private let memory: Memory
  private let length: UInt64
  private var began: UInt64
  /// The interval before the present one.
  private var previous: (number: UInt32, start: UInt64, end: UInt64)?
  private(set) var calls: UInt64 = 0

  /// - Parameter milliseconds: the length of an interval.
  init(_ memory: Memory, milliseconds: Int, now: UInt64) {
    self.memory = memory
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
      take(number, start: start, end: end, body)
      previous = nil
    }
    if previous == nil, now >= began + length { advance(now) }
  }

  /// Passes on what is left, once the programs are off their hooks.
  func finish(now: UInt64, _ body: (dc_record, dc_profile) -> Void) {
    if let (number, start, end) = previous {
      take(number, start: start, end: end, body)
    }
    take(memory.interval.pointee, start: began, end: now, body)
  }

  private func advance(_ now: UInt64) {
    previous = (memory.interval.pointee, began, now)
    datacrumbs_store_full(memory.interval, memory.interval.pointee &+ 1)
    began = now
  }

  /// Adds the threads of an interval up to processes, and leaves its half of the memory empty.
  private func take(
    _ number: UInt32, start: UInt64, end: UInt64, _ body: (dc_record, dc_profile) -> Void
  ) {
    let half = Int(number & 1)
    let count = min(Int(datacrumbs_load_acquire32(memory.used + half)), Int(DC_SUMS))
    let sums = UnsafeMutableBufferPointer(
      start: memory.sums + half * Int(DC_SUMS), count: count)
    var profiles: [Key: dc_profile] = [:]
    for index in sums.indices {
      Self.add(
        sums[index],
        to: &profiles[
          Key(pid: sums[index].pid, function: sums[index].function, kind: sums[index].kind),
          default: dc_profile()])
    }
    memset(memory.sums + half * Int(DC_SUMS), 0, count * MemoryLayout<dc_sums>.stride)
    datacrumbs_store_full(memory.used + half, 0)
    for (key, profile) in profiles where profile.count > 0 {
      var record = dc_record()
      record.start = start
      record.duration = end &- start
      record.pid = key.pid
      record.tid = key.pid
      record.function = key.function
      record.kind = UInt8(DC_KIND_PROFILE.rawValue)
      record.flags = UInt8(truncatingIfNeeded: key.kind)
      calls += profile.count
      body(record, profile)
    }
  }

  private static func add(_ sums: dc_sums, to profile: inout dc_profile) {
    guard sums.count > 0 else { return }
    profile.minimum = profile.count == 0 ? sums.minimum : min(profile.minimum, sums.minimum)
    profile.maximum = max(profile.maximum, sums.maximum)
    profile.count += UInt64(sums.count)
    profile.total += sums.total
    profile.results += sums.results
    profile.errors += UInt64(sums.errors)
    withUnsafeBytes(of: sums.buckets) { counts in
      withUnsafeMutableBytes(of: &profile.buckets) { to in
        let counts = counts.assumingMemoryBound(to: UInt32.self)
        let to = to.assumingMemoryBound(to: UInt64.self)
        for bucket in 0..<Int(DC_BUCKETS) { to[bucket] += UInt64(counts[bucket]) }
      }
    }
  }
}
