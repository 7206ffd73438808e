import Glibc
import TraceRequest

/// A bar on the terminal while functions are searched; nothing where standard error is no terminal.
final class Progress {
  private let total: Int
  private var done = -1
  private var name = ""
  private var shown: UInt64 = 0
  private let isShown = isatty(STDERR_FILENO) == 1

  init(total: Int) {
    self.total = max(total, 1)
  }

  /// Shows what is worked on next.
  func begin(_ name: String) {
    done += 1
    self.name = name
    draw(0)
  }

  /// Shows how far that has come, from 0 to 1. As often as it is called: what the eye could not
  /// tell apart is not drawn.
  func show(_ part: Double) {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let milliseconds = UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
    guard isShown, milliseconds >= shown + 50 else { return }
    shown = milliseconds
    draw(part)
  }

  /// Removes the bar.
  func end() {
    if isShown { put("\r\u{1B}[K") }
  }

  private func draw(_ part: Double) {
    guard isShown else { return }
    let share = (Double(max(done, 0)) + min(max(part, 0), 1)) / Double(total)
    let filled = Int(24 * share)
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: 24 - filled)
    put("\r\u{1B}[K[\(bar)] \(Int(100 * share)) % \(name.onOneLine)")
  }

  private func put(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }
}
