import Glibc
import TraceRequest

/// What the system says to a file operation.
public struct FileError: Error, Sendable {
  /// The text of the errno.
  public let reason: String

  init(_ number: Int32 = errno) {
    reason = errorText(number)
  }

  init(reason: String) {
    self.reason = reason
  }
}

/// Whole files.
public enum File {
  /// Reads a regular file of no more than `limit` bytes. A FIFO or a device is refused and never
  /// waited for; so is a file that somebody writes to meanwhile, half of which would be another.
  public static func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
    try read(path, limit: limit, betweenReads: {})
  }

  static func read(
    _ path: String, limit: Int, betweenReads: () -> Void
  ) throws(FileError) -> [UInt8] {
    guard !path.utf8.contains(0) else { throw FileError(reason: "its name has a NUL in it") }
    let descriptor: Int32
    do throws(RegularFile.Failure) {
      descriptor = try RegularFile.open(path)
    } catch {
      throw FileError(reason: error.text)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError() }
    let tooLarge = FileError(reason: "it is larger than \(limit) bytes")
    guard status.st_size <= limit else { throw tooLarge }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(status.st_size))
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileError() }
      if count == 0 { break }
      betweenReads()
      bytes.append(contentsOf: chunk.prefix(count))
      guard bytes.count <= limit else { throw tooLarge }
    }
    var after = stat()
    guard fstat(descriptor, &after) == 0 else { throw FileError() }
    guard after.st_size == status.st_size, after.st_mtim.tv_sec == status.st_mtim.tv_sec,
      after.st_mtim.tv_nsec == status.st_mtim.tv_nsec
    else { throw FileError(reason: "it changed while it was read") }
    return bytes
  }

  /// Writes a file that is there as a whole or not at all: beside it, synced, then renamed.
  public static func write(_ path: String, _ bytes: [UInt8], mode: mode_t) throws(FileError) {
    guard !path.utf8.contains(0) else { throw FileError(reason: "its name has a NUL in it") }
    let temporary = path + ".\(getpid()).new"
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw FileError() }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.write(
          descriptor, buffer.baseAddress.map { $0 + written } ?? UnsafeRawPointer(bitPattern: 1),
          buffer.count - written)
      }
      if count < 0, errno == EINTR { continue }
      if count < 0 { break }
      written += count
    }
    let isWritten =
      written == bytes.count && fchmod(descriptor, mode) == 0 && fsync(descriptor) == 0
    let number = errno
    close(descriptor)
    guard isWritten else {
      unlink(temporary)
      throw FileError(number)
    }
    guard rename(temporary, path) == 0 else {
      let number = errno
      unlink(temporary)
      throw FileError(number)
    }
  }

  static func exists(_ path: String) -> Bool {
    access(path, F_OK) == 0
  }

  /// The names of a folder's files that end so, without the end.
  public static func names(
    inFolder folder: String, suffix: String
  ) throws(FileError) -> [String] {
    guard access(folder, R_OK | X_OK) == 0 else { throw FileError() }
    return names(in: folder, suffix: suffix)
  }

  /// The names of a folder's files that end so, without the end; none where it cannot be read.
  static func names(in folder: String, suffix: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { buffer in
        String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(suffix), !name.hasPrefix(".") {
        names.append(String(name.dropLast(suffix.count)))
      }
    }
    return names
  }
}
