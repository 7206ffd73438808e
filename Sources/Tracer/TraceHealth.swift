import CTracerBPF
import Glibc
import TraceRequest

/// Whether what is traced reaches its file, and what is lost because it does not.
struct TraceHealth {
  enum State: Equatable {
    case well
    /// The last write failed, with this error number.
    case failing(Int32)
    /// A write has not come back for so many seconds.
    case stalled
  }

  /// A disk may take this long, in nanoseconds; network file systems do now and then.
  private static let patience: UInt64 = 2_000_000_000
  /// Counts that change are told this often, in nanoseconds.
  private static let rest: UInt64 = 5_000_000_000

  private(set) var state = State.well
  private(set) var lost: [(name: String, count: UInt64)] = []
  private var seconds: UInt64 = 0
  private var told: UInt64 = 0
  private var toldCount: UInt64 = 0

  /// Takes in how the writer gets on. Returns whether there is something new to tell.
  mutating func update(
    _ progress: TraceWriter.Progress, counts: dc_counts, slowWriter: UInt64, now: UInt64
  ) -> Bool {
    let waited = progress.since == 0 || now < progress.since ? 0 : now - progress.since
    seconds = waited / 1_000_000_000
    let new: State =
      waited > Self.patience
      ? .stalled : progress.failure != 0 ? .failing(progress.failure) : .well
    lost = TraceMetadata.lost(
      unwritten: progress.unwritten, slowWriter: slowWriter, counts: counts
    ).filter { $0.count > 0 }
    let count = lost.reduce(0) { $0 + $1.count }
    guard new != state || (count != toldCount || new == .stalled) && now - told > Self.rest else {
      return false
    }
    state = new
    told = now
    toldCount = count
    return true
  }

  /// What keeps the trace from being whole, nil where nothing does at the moment.
  func trouble(path: String) -> String? {
    switch state {
    case .well: return nil
    case .failing(let number):
      return
        "the trace cannot be written: \(path): \(errorText(number))\(advice(number))\(lostText)"
    case .stalled:
      return "the disk has not taken the trace for \(seconds) s: \(path)\(lostText)"
    }
  }

  /// What was lost so far, by reason, behind a separator; empty where nothing was.
  var lostText: String {
    lost.isEmpty
      ? "" : "; lost so far: " + lost.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
  }

  private func advice(_ number: Int32) -> String {
    number == ENOSPC || number == EDQUOT ? ": free space there" : ""
  }
}
