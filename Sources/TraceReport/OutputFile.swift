import Glibc
import Synchronization

/// A file that is there only once it is complete: written beside its place, then moved there.
final class OutputFile: Sendable {
  /// Where it will be.
  let path: String

  private let temporary: String
  private let descriptor: Int32
  private let isDone = Mutex(false)

  init(_ path: String) throws(ReportError) {
    self.path = path
    var template = Array((path + ".XXXXXX").utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw .file("cannot write", path, errno: errno) }
    temporary = template.withUnsafeBufferPointer {
      $0.baseAddress.map { String(cString: $0) } ?? path
    }
    // mkstemp makes a file for its owner alone; a result is as open as the user's other files.
    let mask = umask(0)
    umask(mask)
    fchmod(descriptor, 0o666 & ~mask)
  }

  deinit {
    close(descriptor)
    if !isDone.withLock({ $0 }) { unlink(temporary) }
  }

  /// Appends.
  func write(_ bytes: [UInt8]) throws(ReportError) {
    let number = bytes.withUnsafeBytes { Output.writeAll($0, to: descriptor) }
    if number != 0 { throw .file("cannot write", path, errno: number) }
  }

  /// Puts the file in its place.
  func finish() throws(ReportError) {
    guard rename(temporary, path) == 0 else {
      throw .file("cannot write", path, errno: errno)
    }
    isDone.withLock { $0 = true }
  }
}
