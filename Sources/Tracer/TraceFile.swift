import Glibc
import GzipMembers
import TraceRequest

/// The trace on disk: gzip members, each whole in itself, written one after the other, so
/// that a tracer that is killed leaves a file that reads to its last whole member.
final class TraceFile: @unchecked Sendable {
  /// Where it lies.
  let path: String

  private let descriptor: Int32
  /// libdeflate's levels: 7 packs smaller than zlib's 6 in less time, 1 takes a quarter of that
  /// (docs/performance.md).
  private let small = MemberPacker(level: 7)
  private let fast = MemberPacker(level: 1)
  private(set) var bytesWritten = 0
  /// The last error of a write, 0 where all went well.
  private(set) var failure: Int32 = 0

  /// Makes the folder and a new file in it: an older trace of that name is never overwritten.
  init(directory: String, node: String) throws(TracerError) {
    var isMade = mkdir(directory, 0o777) == 0
    if !isMade, errno == ENOENT, let slash = directory.lastIndex(of: "/"),
      slash > directory.startIndex
    {
      mkdir(String(directory[..<slash]), 0o777)
      isMade = mkdir(directory, 0o777) == 0
    }
    guard isMade || errno == EEXIST else {
      let number = errno
      throw TracerError(
        .notPermitted, "cannot make the trace folder: \(directory): \(errorText(number))")
    }
    var opened: Int32 = -1
    var name = ""
    for attempt in 0..<1000 {
      name = directory + "/" + node + (attempt == 0 ? "" : ".\(attempt)") + ".pfw.gz"
      opened = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
      if opened >= 0 || errno != EEXIST { break }
    }
    guard opened >= 0 else {
      let number = errno
      throw TracerError(
        .notPermitted, "cannot make the trace file: \(name): \(errorText(number))")
    }
    path = name
    descriptor = opened
  }

  deinit { close(descriptor) }

  /// Writes one member. After a failed write the file is cut back to its last whole member.
  ///
  /// - Parameter isHurried: whether time counts more than size.
  func write(_ text: UnsafeRawBufferPointer, isHurried: Bool = false) -> Bool {
    guard !text.isEmpty else { return true }
    return (isHurried ? fast : small).pack(text, append)
  }

  private func append(_ member: UnsafeRawBufferPointer) -> Bool {
    var written = 0
    while written < member.count {
      let result = Glibc.write(
        descriptor, member.baseAddress?.advanced(by: written), member.count - written)
      if result < 0 {
        if errno == EINTR { continue }
        failure = errno
        ftruncate(descriptor, off_t(bytesWritten))
        lseek(descriptor, off_t(bytesWritten), SEEK_SET)
        return false
      }
      written += result
    }
    bytesWritten += member.count
    return true
  }

  /// Whether the file has reached the disk.
  func sync() -> Bool {
    fsync(descriptor) == 0 || errno == EINVAL
  }
}
