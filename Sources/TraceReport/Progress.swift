import Glibc
import Synchronization

/// A bar on the terminal that shows how much of a trace has been read.
public final class Progress: Sendable {
  private struct State {
    var done = 0
    var drawnAt: UInt64 = 0
    var isDrawn = false
  }

  private let total = Mutex(0)
  private let state = Mutex(State())
  private let descriptor: Int32

  /// - Parameter descriptor: the terminal. Nil where it is none: a log wants no bar.
  public init?(terminal descriptor: Int32 = STDERR_FILENO) {
    guard isatty(descriptor) == 1 else { return nil }
    self.descriptor = descriptor
  }

  func begin(total bytes: Int) { total.withLock { $0 = bytes } }

  /// That many more bytes of the files have been read.
  func add(_ bytes: Int) {
    let all = total.withLock { $0 }
    let now = clock_gettime_nsec()
    let share: Double? = state.withLock { state in
      state.done += bytes
      // Ten times a second is enough for the eye.
      guard now - state.drawnAt > 100_000_000, all > 0 else { return nil }
      state.drawnAt = now
      state.isDrawn = true
      return min(1, Double(state.done) / Double(all))
    }
    if let share { put(Self.bar(share)) }
  }

  /// Takes the bar away.
  func finish() {
    if state.withLock({ $0.isDrawn }) { put("\r\u{1b}[K") }
  }

  static func bar(_ share: Double) -> String {
    let width = 40
    let full = Int(share * Double(width))
    let percent = String(Int(share * 100))
    return "\rreading [" + String(repeating: "#", count: full)
      + String(repeating: " ", count: width - full) + "] "
      + String(repeating: " ", count: 3 - percent.utf8.count) + percent + "%"
  }

  private func put(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(descriptor, bytes, bytes.count)
  }

  private func clock_gettime_nsec() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }
}
