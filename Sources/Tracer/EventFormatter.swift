import CTracerBPF
import Glibc

/// Writes records as Chrome trace events, a JSON object a line, into a buffer of its own.
///
/// Nothing is allocated for an event: what never changes of a function is made once.
final class EventFormatter {
  /// No path is longer: the names up to the root fill PATH_MAX and one name more (tracer.bpf.c).
  static let longestPath = Int(DC_STRING_SIZE) + 256
  /// What the pieces of fixed length add for one record: keys, numbers, hashes and a profile's
  /// buckets, of which there are at most some hundred of at most 40 bytes. As much again is left for
  /// short pieces: a thread's numbers, the names of errors.
  private static let fixedPieces = 8192

  private final class Prepared {
    /// The name and the category.
    let begin: [UInt8]
    let function: TracedFunction
    /// `,"name":` of each argument.
    let keys: [[UInt8]]
    /// How many bytes of these an event can have.
    var count: Int { keys.reduce(begin.count) { $0 + $1.count } }

    init(begin: [UInt8], function: TracedFunction, keys: [[UInt8]]) {
      self.begin = begin
      self.function = function
      self.keys = keys
    }
  }

  private let syscalls: [Prepared?]
  private let functions: [Prepared]
  private let start: UInt64
  private let unit: TraceOptions.TimeUnit
  private let isError: ClosedRange<Int64> = -4095 ... -1

  /// What one record adds is never longer: the definitions of three paths whose every byte is
  /// escaped, the longest function, and the rest.
  private let longestLine: Int

  private let text: UnsafeMutablePointer<UInt8>
  /// The buffer's size.
  let capacity: Int
  private var used = 0
  /// Whether a piece did not fit. None is longer than was reckoned with; this is for mistakes.
  private var isCut = false
  /// Strings whose definition has been written, by their hash.
  private var written = ForgetfulTable(bits: 17)
  /// The hash of the path of each file key, or `isNew` and the place in `newFiles`.
  private var files = ForgetfulTable(bits: 16)
  private static let isNew: UInt64 = 1 << 63
  /// Paths that no call has named yet, and their file keys; the oldest make room for others.
  private var newFiles = Array(repeating: (key: UInt64(0), path: [UInt8]()), count: 2048)
  private var nextNewFile = 0
  private var tasks = TaskRanks()
  /// `"pid":` up to the first argument, of the thread that was written last.
  private var thread: [UInt8] = []
  private var threadID: (pid: UInt32, tid: UInt32)?
  private let host: [UInt8]

  /// - Parameters:
  ///   - start: the CLOCK_MONOTONIC time that is 0 in the trace, in nanoseconds.
  ///   - node: the node's name, in every event.
  init(
    syscalls: [TracedFunction?], functions: [TracedFunction], start: UInt64, node: String,
    unit: TraceOptions.TimeUnit, capacity: Int
  ) {
    self.syscalls = syscalls.map { $0.map(Self.prepare) }
    self.functions = functions.map(Self.prepare)
    self.start = start
    self.unit = unit
    host = JSONText.quoted(node)
    let longest = (self.syscalls.compactMap { $0 } + self.functions).lazy.map(\.count).max() ?? 0
    longestLine = 3 * 6 * Self.longestPath + longest + host.count + 2 * Self.fixedPieces
    self.capacity = max(capacity, 2 * longestLine)
    text = .allocate(capacity: self.capacity)
  }

  deinit { text.deallocate() }

  /// What has been written since the last `clear`.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: text, count: used) }

  /// Whether another line of any length still fits.
  var hasRoom: Bool { capacity - used >= longestLine }

  /// Forgets what was written.
  func clear() { used = 0 }

  private static func prepare(_ function: TracedFunction) -> Prepared {
    var hasPath = false
    let keys = function.arguments.map { argument -> [UInt8] in
      guard argument.kind == .path else {
        return Array(",".utf8) + JSONText.quoted(argument.name) + [0x3a]
      }
      // The file of a call has the name that readers of such traces look for.
      defer { hasPath = true }
      return hasPath
        ? Array(",".utf8) + JSONText.quoted(argument.name + "_hash") + Array(":\"".utf8)
        : Array(",\"fhash\":\"".utf8)
    }
    let begin =
      Array("{\"name\":".utf8) + JSONText.quoted(function.name) + Array(",\"cat\":".utf8)
      + JSONText.quoted(function.category)
    return Prepared(begin: begin, function: function, keys: keys)
  }

  /// Appends what one record says. Records that make no sense are passed over.
  /// - Returns: whether it was a call.
  func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= MemoryLayout<dc_record>.size, hasRoom else { return false }
    let before = used
    let isCall = write(bytes)
    guard isCut else { return isCall }
    // Better no line than half of one.
    used = before
    threadID = nil
    isCut = false
    return false
  }

  private func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let size = MemoryLayout<dc_record>.size
    let record = bytes.loadUnaligned(as: dc_record.self)
    let payload = UnsafeRawBufferPointer(rebasing: bytes[size...])
    let index = Int(record.function)
    switch UInt32(record.kind) {
    case DC_KIND_FILE.rawValue:
      learnFile(record, payload)
      return false
    case DC_KIND_PROCESS.rawValue:
      putProcess(record, payload)
      return false
    case DC_KIND_PROFILE.rawValue:
      putProfile(record, payload)
      return false
    case DC_KIND_SYSCALL.rawValue:
      guard index < syscalls.count, let prepared = syscalls[index] else { return false }
      return append(record, prepared, payload, isSyscall: true)
    default:
      guard index < functions.count else { return false }
      return append(record, functions[index], payload, isSyscall: false)
    }
  }

  private func append(
    _ record: dc_record, _ prepared: Prepared, _ payload: UnsafeRawBufferPointer,
    isSyscall: Bool
  ) -> Bool {
    let file = definedFile(record, payload)
    let hashes = defineStrings(record, payload)
    putBegin(prepared, phase: ",\"ph\":\"X\"", record)
    if record.flags & UInt8(DC_INCOMPLETE.rawValue) != 0 {
      put(",\"incomplete\":true")
    } else {
      put(",\"ret\":")
      // What a library function returned where the result is its errno.
      let isMinusOne = record.flags & UInt8(DC_ERRNO.rawValue) != 0
      let isNull = record.flags & UInt8(DC_ERRNO_NULL.rawValue) != 0
      put(isMinusOne ? -1 : isNull ? 0 : record.result)
      if isSyscall || isMinusOne || isNull, isError.contains(record.result),
        let name = ErrorNames[record.result]
      {
        put(",\"errno\":\"")
        put(name)
        put("\"")
      }
      putArguments(record, prepared, payload, file, hashes)
    }
    putEnd(record)
    return true
  }

  /// What is the same in many events comes first and the times last: a compressor finds
  /// longer repetitions, which makes a trace a tenth smaller (docs/performance.md).
  private func putBegin(
    _ prepared: Prepared, phase: StaticString, _ record: dc_record
  ) {
    put(prepared.begin)
    put(phase)
    if threadID?.pid != record.pid || threadID?.tid != record.tid {
      let begin = used
      put(",\"pid\":")
      put(UInt64(record.pid))
      put(",\"tid\":")
      put(UInt64(record.tid))
      put(",\"args\":{\"hhash\":")
      put(host)
      thread.removeAll(keepingCapacity: true)
      thread.append(contentsOf: UnsafeBufferPointer(start: text + begin, count: used - begin))
      threadID = (record.pid, record.tid)
    } else {
      put(thread)
    }
  }

  private func putEnd(_ record: dc_record) {
    put("},\"ts\":")
    putTime(record.start)
    put(",\"dur\":")
    switch unit {
    case .microseconds:
      // Both ends are cut, so that what is nested stays so.
      let begin = sinceStart(record.start)
      put((begin &+ record.duration) / 1000 - begin / 1000)
    case .nanoseconds:
      putMicroseconds(record.duration)
    }
    put("}\n")
  }

  private func putTime(_ time: UInt64) {
    switch unit {
    case .microseconds: put(sinceStart(time) / 1000)
    case .nanoseconds: putMicroseconds(sinceStart(time))
    }
  }

  private func sinceStart(_ time: UInt64) -> UInt64 { time > start ? time - start : 0 }

  private func putArguments(
    _ record: dc_record, _ prepared: Prepared, _ payload: UnsafeRawBufferPointer,
    _ file: UInt64?, _ hashes: (first: UInt64, second: UInt64)
  ) {
    var at = 0
    if let file {
      put(",\"fhash\":\"")
      putHash(file)
      put("\"")
    }
    if record.flags & UInt8(DC_HAS_FILE.rawValue) != 0 { at = 8 }
    for index in 0..<Int(DC_ARGUMENTS) where record.values & (1 << index) != 0 {
      guard at + 8 <= payload.count else { return }
      let value = payload.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      at += 8
      guard index < prepared.keys.count else { continue }
      put(prepared.keys[index])
      let argument = prepared.function.arguments[index]
      let shift = UInt64(64 - 8 * argument.size)
      switch argument.kind {
      case .descriptor: put(Int64(Int32(truncatingIfNeeded: value)))
      case .signed: put(Int64(bitPattern: value << shift) >> Int64(shift))
      default: put((value << shift) >> shift)
      }
    }
    var isFirst = true
    for index in 0..<Int(DC_ARGUMENTS) where record.strings & (1 << index) != 0 {
      let hash = isFirst ? hashes.first : hashes.second
      // The file itself says more than a path that may be relative.
      defer { isFirst = false }
      if isFirst, file != nil { continue }
      guard hash != 0, index < prepared.keys.count else { continue }
      put(prepared.keys[index])
      putHash(hash)
      put("\"")
    }
  }

  // MARK: - Strings, each written once

  /// Writes the definitions of a record's strings that are new, and returns their hashes.
  private func defineStrings(
    _ record: dc_record, _ payload: UnsafeRawBufferPointer
  ) -> (first: UInt64, second: UInt64) {
    guard record.strings != 0 else { return (0, 0) }
    var at = 8 * record.values.nonzeroBitCount
    if record.flags & UInt8(DC_HAS_FILE.rawValue) != 0 { at += 8 }
    var first: UInt64 = 0
    var second: UInt64 = 0
    for number in 0..<record.strings.nonzeroBitCount {
      guard at + 2 <= payload.count else { break }
      let length = Int(payload.loadUnaligned(fromByteOffset: at, as: UInt16.self).littleEndian)
      at += 2
      guard at + length <= payload.count else { break }
      if length > 0 {
        let text = UnsafeRawBufferPointer(rebasing: payload[at..<(at + length)])
        if number == 0 {
          first = define(text, isFile: true)
        } else {
          second = define(text, isFile: false)
        }
      }
      at += length
    }
    return (first, second)
  }

  /// The hash of a string; a string that is new gets its line first.
  private func define(_ text: UnsafeRawBufferPointer, isFile: Bool) -> UInt64 {
    let hash = StringHash.of(text)
    // The same text may be a file's name and another string: a line for each.
    let key = isFile ? hash : ~hash
    if written[key] == nil {
      written.insert(key, 1)
      put(isFile ? "{\"name\":\"FH\"" : "{\"name\":\"SH\"")
      put(",\"cat\":\"dftracer\",\"ph\":\"M\",\"pid\":0,\"tid\":0,\"args\":{\"name\":")
      put(quoted: text)
      put(",\"value\":\"")
      putHash(hash)
      put("\"}}\n")
    }
    return hash
  }

  /// The hash of a call's file, where it has one and its path is known. A path that is new gets its line first:
  /// then, and not when it is learnt, so that the two stand close together. A hash does not compress but as a
  /// repetition (docs/performance.md).
  private func definedFile(_ record: dc_record, _ payload: UnsafeRawBufferPointer) -> UInt64? {
    guard record.flags & UInt8(DC_HAS_FILE.rawValue) != 0, payload.count >= 8,
      let value = files[payload.loadUnaligned(as: UInt64.self)]
    else { return nil }
    return value & Self.isNew == 0 ? value : defineFile(Int(value & ~Self.isNew))
  }

  /// Writes the path of a new file.
  @discardableResult
  private func defineFile(_ place: Int) -> UInt64 {
    let hash = newFiles[place].path.withUnsafeBytes { define($0, isFile: true) }
    files.insert(newFiles[place].key, hash)
    return hash
  }

  /// Keeps the path that a file key stands for.
  private func learnFile(_ record: dc_record, _ payload: UnsafeRawBufferPointer) {
    let place = nextNewFile
    nextNewFile = (place + 1) % newFiles.count
    let value = Self.isNew | UInt64(place)
    if files[newFiles[place].key] == value { defineFile(place) }
    files.insert(record.start, value)
    newFiles[place].key = record.start
    setPath(of: &newFiles[place].path, record, payload)
  }

  private func setPath(
    of path: inout [UInt8], _ record: dc_record, _ payload: UnsafeRawBufferPointer
  ) {
    path.removeAll(keepingCapacity: true)
    let names = UnsafeRawBufferPointer(
      rebasing: payload.last == 0 ? payload.dropLast()[...] : payload[...])
    // linux/magic.h: what has no place in a file system is named as /proc/PID/fd names it.
    switch record.result {
    case 0x5049_5045: path += "pipe:[\(record.duration)]".utf8
    case 0x534f_434b: path += "socket:[\(record.duration)]".utf8
    case 0x0904_1934:
      path += "anon_inode:".utf8
      path += names
    default:
      if record.flags & UInt8(DC_NO_STRING.rawValue) != 0 { path += "...".utf8 }
      if names.elementsEqual("/".utf8) || names.isEmpty {
        path += "/".utf8
      } else {
        for name in names.split(separator: 0).reversed() {
          path.append(UInt8(ascii: "/"))
          path += name
        }
      }
    }
  }

  /// The sums of a function, a process and an interval, as a counter.
  private func putProfile(_ record: dc_record, _ payload: UnsafeRawBufferPointer) {
    let index = Int(record.function)
    let isSyscall = record.flags == UInt8(DC_KIND_SYSCALL.rawValue)
    guard payload.count >= MemoryLayout<dc_profile>.size,
      let prepared = isSyscall
        ? (index < syscalls.count ? syscalls[index] : nil)
        : (index < functions.count ? functions[index] : nil)
    else { return }
    let sums = payload.loadUnaligned(as: dc_profile.self)
    putBegin(prepared, phase: ",\"ph\":\"C\"", record)
    put(",\"count\":")
    put(sums.count)
    put(",\"time\":")
    putMicroseconds(sums.total)
    put(",\"min\":")
    putMicroseconds(sums.minimum)
    put(",\"max\":")
    putMicroseconds(sums.maximum)
    if isSyscall {
      put(",\"errors\":")
      put(sums.errors)
    }
    if prepared.function.arguments.contains(where: { $0.kind == .size }) {
      put(",\"bytes\":")
      put(sums.results)
    }
    withUnsafeBytes(of: sums.buckets) { buckets in
      for bucket in 0..<Int(DC_BUCKETS) {
        let count = buckets.loadUnaligned(fromByteOffset: bucket * 8, as: UInt64.self)
        guard count > 0 else { continue }
        put(",\"ns_")
        put(UInt64(1) << UInt64(bucket))
        put("\":")
        put(count)
      }
    }
    putEnd(record)
  }

  /// A process by its name, as Perfetto shows it, and by its task of the job.
  private func putProcess(_ record: dc_record, _ payload: UnsafeRawBufferPointer) {
    let task = tasks.rank(of: record.pid, parent: UInt32(truncatingIfNeeded: record.result))
    let name = payload.prefix { $0 != 0 }
    put("{\"name\":\"process_name\",\"cat\":\"datacrumbs\",\"ph\":\"M\",\"ts\":")
    putTime(record.start)
    put(",\"pid\":")
    put(UInt64(record.pid))
    put(",\"tid\":")
    put(UInt64(record.pid))
    put(",\"args\":{\"name\":")
    put(quoted: UnsafeRawBufferPointer(rebasing: name))
    if let task {
      put(",\"task\":")
      put(UInt64(task))
    }
    put("}}\n")
  }

  // MARK: - Pieces

  /// Whether so many bytes fit and leave room for all pieces of fixed length: those are not checked
  /// one by one.
  private func fits(_ count: Int) -> Bool {
    let isRoom = count <= capacity - Self.fixedPieces - used
    if !isRoom { isCut = true }
    return isRoom
  }

  private func put(quoted bytes: UnsafeRawBufferPointer) {
    guard fits(6 * bytes.count + 2) else { return }
    used += JSONText.quote(bytes, to: text + used)
  }

  private func put(_ bytes: [UInt8]) {
    guard fits(bytes.count) else { return }
    bytes.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      (text + used).update(from: base, count: source.count)
      used += source.count
    }
  }

  private func put(_ literal: StaticString) {
    (text + used).update(from: literal.utf8Start, count: literal.utf8CodeUnitCount)
    used += literal.utf8CodeUnitCount
  }

  private func put(_ value: Int64) {
    if value < 0 {
      text[used] = UInt8(ascii: "-")
      used += 1
    }
    put(value.magnitude)
  }

  private func put(_ value: UInt64) {
    used += Decimal.write(value, to: text + used)
  }

  /// The hexadecimal digits of a string's hash.
  private func putHash(_ hash: UInt64) {
    for position in 0..<StringHash.digits {
      let digit = UInt8(truncatingIfNeeded: hash >> UInt64(44 - 4 * position)) & 15
      text[used + position] = digit < 10 ? digit + 0x30 : digit + 0x57
    }
    used += StringHash.digits
  }

  /// Nanoseconds as microseconds with three decimals.
  private func putMicroseconds(_ nanoseconds: UInt64) {
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1000)
    put(whole)
    text[used] = UInt8(ascii: ".")
    text[used + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / 100)
    text[used + 2] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / 10 % 10)
    text[used + 3] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
    used += 4
  }
}

/// Decimal digits without a String.
enum Decimal {
  /// Writes at most 20 digits and returns how many.
  static func write(_ value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
    // 00, 01 and so on up to 99.
    let pairs: StaticString = """
      0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
      5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
      """
    let count = digits(of: value)
    var at = count
    var rest = value
    while rest >= 10 {
      let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
      at -= 2
      target[at] = pairs.utf8Start[2 * Int(pair)]
      target[at + 1] = pairs.utf8Start[2 * Int(pair) + 1]
      rest = quotient
    }
    if at > 0 { target[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest) }
    return count
  }

  private static func digits(of value: UInt64) -> Int {
    if value < 10 { return 1 }
    if value < 100 { return 2 }
    if value < 1000 { return 3 }
    if value < 10_000 { return 4 }
    var digits = 5
    var rest = value / 100_000
    while rest > 0 {
      digits += 1
      rest /= 10
    }
    return digits
  }
}

/// JSON strings from bytes that need not be UTF-8: a path may hold anything but NUL.
enum JSONText {
  private static let hex = Array("0123456789abcdef".utf8)

  /// A string with its quotes.
  static func quoted(_ string: String) -> [UInt8] {
    let bytes = Array(string.utf8)
    return [UInt8](unsafeUninitializedCapacity: bytes.count * 6 + 2) { buffer, count in
      guard let base = buffer.baseAddress else { return }
      count = bytes.withUnsafeBytes { quote($0, to: base) }
    }
  }

  /// Writes at most 6 bytes for each of `bytes` and two quotes; returns how many. A byte that
  /// is no part of valid UTF-8 becomes U+DC80...U+DCFF, as Python's surrogateescape has it.
  static func quote(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutablePointer<UInt8>) -> Int
  {
    var at = 0
    var index = 0
    func put(_ byte: UInt8) {
      target[at] = byte
      at += 1
    }
    func putEscape(_ high: UInt8, _ low: UInt8) {
      put(UInt8(ascii: "\\"))
      put(UInt8(ascii: "u"))
      put(hex[Int(high >> 4)])
      put(hex[Int(high & 15)])
      put(hex[Int(low >> 4)])
      put(hex[Int(low & 15)])
    }
    put(UInt8(ascii: "\""))
    while index < bytes.count {
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        put(UInt8(ascii: "\\"))
        put(byte)
        index += 1
      case 0..<0x20, 0x7f:
        putEscape(0, byte)
        index += 1
      case 0x20..<0x7f:
        put(byte)
        index += 1
      default:
        let length = sequenceLength(bytes, index)
        if length == 0 {
          putEscape(0xdc, byte)
          index += 1
        } else {
          for _ in 0..<length {
            put(bytes[index])
            index += 1
          }
        }
      }
    }
    put(UInt8(ascii: "\""))
    return at
  }

  /// The length of the well-formed UTF-8 sequence at `index` (Unicode, table 3-7), 0 if it is none.
  private static func sequenceLength(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Int {
    func continues(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xbf) -> Bool {
      index + offset < bytes.count && range.contains(bytes[index + offset])
    }
    switch bytes[index] {
    case 0xc2...0xdf: return continues(1) ? 2 : 0
    case 0xe0: return continues(1, 0xa0...0xbf) && continues(2) ? 3 : 0
    case 0xed: return continues(1, 0x80...0x9f) && continues(2) ? 3 : 0
    case 0xe1...0xef: return continues(1) && continues(2) ? 3 : 0
    case 0xf0: return continues(1, 0x90...0xbf) && continues(2) && continues(3) ? 4 : 0
    case 0xf1...0xf3: return continues(1) && continues(2) && continues(3) ? 4 : 0
    case 0xf4: return continues(1, 0x80...0x8f) && continues(2) && continues(3) ? 4 : 0
    default: return 0
    }
  }
}

/// The names of error numbers, ENOENT and the like.
enum ErrorNames {
  private static let names: [[UInt8]?] = (0..<134).map { number in
    datacrumbs_error_name(Int32(number)).map { name in
      Array(String(cString: name).utf8)
    }
  }
  // include/linux/errno.h: what a call gives back that the kernel begins anew after a signal.
  private static let restarts: [Int64: [UInt8]] = [
    512: Array("ERESTARTSYS".utf8), 513: Array("ERESTARTNOINTR".utf8),
    514: Array("ERESTARTNOHAND".utf8), 516: Array("ERESTART_RESTARTBLOCK".utf8),
  ]

  static subscript(result: Int64) -> [UInt8]? {
    let number = -result
    return number < Int64(names.count) && number > 0 ? names[Int(number)] : restarts[number]
  }
}
