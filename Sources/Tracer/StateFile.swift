import Glibc
import TraceRequest

/// /run/datacrumbs/<job>/tracer: how the tracing goes, while it goes, for those who read the
/// job's status. It is opened as root and written to as the user, who cannot open it.
struct StateFile {
  private let descriptor: Int32

  /// - Parameter path: nil: nobody reads it.
  init(path: String?) throws(TracerError) {
    guard let path else {
      descriptor = -1
      return
    }
    descriptor = open(
      path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o644)
    // Whatever the creation mask is.
    guard descriptor >= 0, fchmod(descriptor, 0o644) == 0 else {
      let number = errno
      throw TracerError(.unavailable, "cannot write the state: \(path): \(errorText(number))")
    }
  }

  /// Puts one object in the place of the last one. A reader that comes in between finds no
  /// JSON, and what the node service has written stands.
  func write(_ state: JSON) {
    guard descriptor >= 0 else { return }
    let line = state.text + [0x0a]
    guard line.withUnsafeBytes({ pwrite(descriptor, $0.baseAddress, $0.count, 0) }) == line.count
    else { return }
    ftruncate(descriptor, off_t(line.count))
  }
}
