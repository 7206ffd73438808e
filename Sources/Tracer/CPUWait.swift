import Glibc

/// Whether the calling thread has lately waited long for a CPU: then CPU time is what the job lacks, and not to
/// be spent on a smaller trace.
///
/// Linux counts for each thread the nanoseconds that it ran and that it waited to run
/// (Documentation/scheduler/sched-stats.rst). Where it does not, no wait is seen.
struct CPUWait {
  /// Nanoseconds since the thread's start.
  struct Times {
    var running: UInt64
    var waiting: UInt64
  }

  /// For how many looks a long wait counts.
  private static let memory = 8

  private let descriptor = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)
  private var last: Times?
  private var looksLeft = 0

  /// Looks, and says whether in the time before one of the last looks a quarter or more of what the thread had to
  /// do was waiting.
  mutating func isLong() -> Bool { isLong(now: read()) }

  mutating func isLong(now: Times?) -> Bool {
    if let last, let now {
      let waited = now.waiting &- last.waiting
      let total = waited &+ now.running &- last.running
      if waited > 0, waited >= total / 4 { looksLeft = Self.memory }
    }
    last = now
    defer { looksLeft = max(0, looksLeft - 1) }
    return looksLeft > 0
  }

  /// Closes the kernel's file.
  func end() { close(descriptor) }

  private func read() -> Times? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { text in
      let length = pread(descriptor, text.baseAddress, text.count - 1, 0)
      guard length > 0, let start = text.baseAddress else { return nil }
      text[length] = 0
      var rest: UnsafeMutablePointer<CChar>?
      let running = strtoull(start, &rest, 10)
      guard let rest else { return nil }
      return Times(running: UInt64(running), waiting: UInt64(strtoull(rest, nil, 10)))
    }
  }
}
