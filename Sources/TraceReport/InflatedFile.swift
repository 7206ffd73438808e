import CZlib
import Glibc
import GzipMembers
import TraceRequest

/// A trace file as it is read: gzip members one behind the other (RFC 1952), or plain text.
///
/// Members that say how long they are (`GzipMember`) are handed out packed, for the worker to
/// unpack while others read on. Used by one worker at a time: whoever holds the lock of the file's
/// place.
final class InflatedFile: @unchecked Sendable {
  /// A line that is longer is no trace's: it is passed over and counted.
  static let longestLine = 64 << 20

  /// Where the file lies.
  let path: String
  /// Bytes read of the file so far.
  private(set) var bytesRead = 0
  /// What is wrong with the file, once that has been met: what was read until then is good.
  private(set) var damage: String?
  /// Lines that were too long to be read.
  private(set) var longLines = 0

  private let descriptor: Int32
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutableRawBufferPointer
  private var isPlain = false
  /// Whether the next bytes are a member that says how long it is.
  private var isSized = false
  private var isInsideMember = false
  private var isAtEnd = false
  private var isSkippingLine = false
  /// The beginning of a line whose end has not been read yet.
  private var carried: [UInt8] = []

  init(_ path: String) throws(ReportError) {
    do throws(RegularFile.Failure) {
      descriptor = try RegularFile.open(path)
    } catch .system(let number) {
      throw .file("cannot read the trace", path, errno: number)
    } catch {
      throw ReportError(.noInput, "cannot read the trace: \(path): \(error.text)")
    }
    self.path = path
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    input = .allocate(byteCount: 256 << 10, alignment: 16)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 15 bits of window, and 16 for gzip.
    inflateInit2_(stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    refill()
    let isGzip = stream.pointee.avail_in >= 2 && input[0] == 0x1f && input[1] == 0x8b
    isPlain = !isGzip
    isSized = nextMemberSize != nil
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
    close(descriptor)
  }

  /// Fills the buffer with the next whole lines, perhaps still packed. False at the end of the file.
  func read(into buffer: LineBuffer) -> Bool {
    if isSized {
      if let size = nextMemberSize { return readMember(size, into: buffer) }
      // Somebody else's members, behind ours.
      isSized = false
    }
    buffer.clear()
    while true {
      while buffer.memory.count < carried.count + 4096 { buffer.grow() }
      buffer.memory.copyBytes(from: carried)
      buffer.count = carried.count
      carried.removeAll(keepingCapacity: true)
      let end = fill(buffer)
      if end { break }
      if isAtEnd {
        finishLastLine(buffer)
        break
      }
      // Not one whole line yet.
      carried.append(contentsOf: buffer.bytes)
      buffer.count = 0
      if carried.count > Self.longestLine {
        carried.removeAll()
        isSkippingLine = true
        longLines += 1
      }
    }
    return buffer.count > 0
  }

  /// Reads until the buffer is full or the file ends. True where there is a whole line in it.
  private func fill(_ buffer: LineBuffer) -> Bool {
    while buffer.count < buffer.memory.count - 1, !isAtEnd {
      let start = buffer.count
      buffer.count += produce(
        UnsafeMutableRawBufferPointer(rebasing: buffer.memory[start..<(buffer.memory.count - 1)]))
      if isSkippingLine { skipLine(in: buffer, from: start) }
    }
    guard let newline = buffer.bytes.lastIndex(of: 0x0a) else { return false }
    let whole = newline + 1
    carried.append(
      contentsOf: UnsafeRawBufferPointer(rebasing: buffer.memory[whole..<buffer.count]))
    buffer.count = whole
    return true
  }

  private func skipLine(in buffer: LineBuffer, from start: Int) {
    let text = UnsafeRawBufferPointer(rebasing: buffer.memory[start..<buffer.count])
    if let newline = text.firstIndex(of: 0x0a), let base = buffer.memory.baseAddress {
      let rest = start + newline + 1
      memmove(base + start, base + rest, buffer.count - rest)
      buffer.count = start + buffer.count - rest
      isSkippingLine = false
    } else {
      buffer.count = start
    }
  }

  /// The last line of a plain file may lack its newline. In a damaged file it lacks its end.
  private func finishLastLine(_ buffer: LineBuffer) {
    guard buffer.count > 0 else { return }
    guard damage == nil else {
      buffer.count = 0
      return
    }
    buffer.memory[buffer.count] = 0x0a
    buffer.count += 1
  }

  /// Writes some of the text to the target and returns how much, 0 at the end as well.
  private func produce(_ target: UnsafeMutableRawBufferPointer) -> Int {
    if stream.pointee.avail_in == 0, !refill() {
      isAtEnd = true
      if isInsideMember { damage = damage ?? "the file ends in the middle of a block" }
      return 0
    }
    if isPlain {
      let count = min(target.count, Int(stream.pointee.avail_in))
      target.baseAddress?.copyMemory(from: stream.pointee.next_in, byteCount: count)
      stream.pointee.next_in += count
      stream.pointee.avail_in -= UInt32(count)
      return count
    }
    stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(truncatingIfNeeded: target.count)
    isInsideMember = true
    let result = inflate(stream, Z_NO_FLUSH)
    let count = target.count - Int(stream.pointee.avail_out)
    switch result {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END:
      isInsideMember = false
      inflateReset(stream)
    default:
      let position = bytesRead - Int(stream.pointee.avail_in)
      damage = "the file is damaged at byte \(position)"
      isAtEnd = true
    }
    return count
  }

  // MARK: - Members that say how long they are

  /// The bytes that have been read and not been used.
  private var unused: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: stream.pointee.next_in, count: Int(stream.pointee.avail_in))
  }

  /// The size of the member that comes next, nil where it does not say it or is too long to be ours.
  private var nextMemberSize: Int? {
    if unused.count < GzipMember.headerSize { refill() }
    guard let size = GzipMember.size(unused), size <= Self.longestLine else { return nil }
    return size
  }

  private func readMember(_ size: Int, into buffer: LineBuffer) -> Bool {
    let memory = buffer.holdMember(of: size, at: bytesRead - unused.count)
    var filled = min(size, unused.count)
    memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: unused[..<filled]))
    stream.pointee.next_in += filled
    stream.pointee.avail_in -= UInt32(filled)
    while filled < size {
      let count = Glibc.read(descriptor, memory.baseAddress.map { $0 + filled }, size - filled)
      if count < 0, errno == EINTR { continue }
      if count < 0 {
        damage = "the file cannot be read at byte \(bytesRead): \(errorText(errno))"
      } else if count == 0 {
        damage = "the file ends in the middle of a block"
      }
      guard count > 0 else { return false }
      filled += count
      bytesRead += count
    }
    return true
  }

  /// Reads more behind what is unused. False at the end of the file.
  @discardableResult private func refill() -> Bool {
    while true {
      input.copyMemory(from: unused)
      let kept = unused.count
      let count = Glibc.read(
        descriptor, input.baseAddress.map { $0 + kept }, input.count - kept)
      if count < 0 {
        if errno == EINTR { continue }
        damage = "the file cannot be read at byte \(bytesRead): \(errorText(errno))"
      }
      stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_in = UInt32(kept + max(0, count))
      guard count > 0 else { return false }
      bytesRead += count
      return true
    }
  }
}
