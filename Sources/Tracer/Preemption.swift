import CTracerBPF

/// Whether the calling thread has lately had to give its CPU to another one: then CPU time is what the job
/// lacks, and not to be spent on a smaller trace.
struct Preemption {
  /// For how many looks one preemption counts.
  private static let memory = 8

  private var count: Int?
  private var looksLeft = 0

  /// Looks, and says whether a preemption was seen in one of the last looks.
  mutating func isRecent() -> Bool { isRecent(count: datacrumbs_preemptions()) }

  mutating func isRecent(count now: Int) -> Bool {
    if let count, now > count { looksLeft = Self.memory }
    count = now
    defer { looksLeft = max(0, looksLeft - 1) }
    return looksLeft > 0
  }
}
