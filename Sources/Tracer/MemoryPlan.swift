import TraceRequest

/// How the memory that a tracer may have is shared out.
///
/// What does not grow, at most 40 MiB of it, are the program, its tables of strings and files and the kernel's
/// types, which it reads at its start. The rings between kernel and user space have at most an eighth of the
/// limit, a power of two; the rest are blocks of events that wait to be written.
struct MemoryPlan {
  private static let fixed = 40

  /// Bytes, a power of two.
  let ringSize: Int
  /// Of TraceWriter.blockSize each.
  let blocks: Int

  /// - Parameter limit: MiB, within `TracerMemory.range`.
  init(limit: Int) {
    var ring = 1
    while ring * 2 <= limit / 8 { ring *= 2 }
    ringSize = ring << 20
    blocks = (limit - Self.fixed - ring) << 20 / TraceWriter.blockSize
  }

  /// Reads the setting as the unit hands it on; nil is the default.
  init(setting text: String?) throws(TracerError) {
    guard let text else {
      self.init(limit: TracerMemory.standard)
      return
    }
    guard let limit = Int(text), TracerMemory.range.contains(limit) else {
      throw TracerError(
        .configuration,
        "the memory limit is no number of MiB from \(TracerMemory.range.lowerBound) to"
          + " \(TracerMemory.range.upperBound): \(text): set memory_limit in datacrumbs.conf")
    }
    self.init(limit: limit)
  }
}
