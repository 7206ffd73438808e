import Glibc
import TraceRequest

/// A bar on the terminal while functions are searched; nothing where standard error is no terminal.
final class Progress {
  private let total: Int
  private var done = 0
  private let isShown = isatty(STDERR_FILENO) == 1

  init(total: Int) {
    self.total = max(total, 1)
  }

  /// Shows what is worked on next.
  func show(_ name: String) {
    guard isShown else { return }
    let filled = 24 * done / total
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: 24 - filled)
    put("\r\u{1B}[K[\(bar)] \(done)/\(total) \(name.onOneLine)")
    done += 1
  }

  /// Removes the bar.
  func end() {
    if isShown { put("\r\u{1B}[K") }
  }

  private func put(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }
}
