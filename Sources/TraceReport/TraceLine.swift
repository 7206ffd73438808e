import Glibc
import TraceRequest

/// What a report needs of one line of a trace: a Chrome trace event (the Trace Event Format).
///
/// Pointers into the line: they live as long as its buffer.
struct TraceLine {
  /// What a text value is, still with its escapes.
  typealias Text = RawText

  var name: Text?
  var category: Text?
  /// `X` a whole call, `M` metadata, and others that are not counted; 0 where there is none.
  var phase: UInt8 = 0
  /// In nanoseconds, from the file's zero.
  var start: Int64 = 0
  /// In nanoseconds.
  var duration: Int64 = 0
  var pid: Int64 = 0
  var tid: Int64 = 0
  var hasStart = false
  /// What the call returned.
  var result: Int64?
  var hasErrorNumber = false
  var isIncomplete = false
  /// The path, or the number that stands for it.
  var file: Text?
  var fileHash: Text?
  var size: Int64?
  /// `args.name`, `args.value`, `args.task` and `args.program` of metadata.
  var argumentName: Text?
  var program: Text?
  var argumentValue: Text?
  var task: Int64?

  // Where in the line the values stand that a merge replaces.
  var startText: Range<Int>?
  var pidText: Range<Int>?
  var tidText: Range<Int>?
}

/// A JSON string's inside, as it stands in the line.
struct RawText {
  let bytes: Bytes
  let isEscaped: Bool
}

/// Reads lines for exactly what a report needs; what else is there is passed over.
///
/// A line that this reader cannot make out is read once more by the strict JSON reader, so that
/// any valid JSON is understood, whatever its form.
struct LineReader {
  /// What a line was.
  enum Kind {
    case event
    /// A bracket or nothing at all.
    case empty
    case unreadable
  }

  private var position: UnsafePointer<UInt8>
  private var lineStart: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  private let rewritten = RewrittenLine()

  /// The line that was read last, without its newline and without a comma behind it.
  private(set) var lineBytes: Bytes

  /// - Parameter text: lines; the last byte is a newline.
  init?(_ text: UnsafeRawBufferPointer) {
    guard let base = text.baseAddress, let last = text.last, last == 0x0a else { return nil }
    position = base.assumingMemoryBound(to: UInt8.self)
    lineStart = position
    end = position + text.count
    lineBytes = Bytes(position, 0)
  }

  /// Reads the next line; nil behind the last one. What `line` holds is good until the next call.
  mutating func next(_ line: inout TraceLine) -> Kind? {
    guard position < end else { return nil }
    line = TraceLine()
    skipSpace()
    lineStart = position
    switch position.pointee {
    case UInt8(ascii: "{"):
      if scanObject(&line) {
        skipSpace()
        let close = position
        if position.pointee == UInt8(ascii: ",") { position += 1 }
        skipSpace()
        // Behind the last event an array may end on the same line.
        if position.pointee == UInt8(ascii: "]") { position += 1 }
        skipSpace()
        if position.pointee == 0x0a {
          position += 1
          lineBytes = Bytes(lineStart, close - lineStart)
          return .event
        }
      }
      return readStrictly(&line)
    case 0x0a:
      position += 1
      return .empty
    case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ","):
      position += 1
      skipSpace()
      if position.pointee == 0x0a {
        position += 1
        return .empty
      }
      // `[{"name":...` : the event behind the bracket.
      return position.pointee == UInt8(ascii: "{") ? next(&line) : skipLine()
    default: return skipLine()
    }
  }

  private mutating func skipLine() -> Kind {
    position = lineEnd() + 1
    return .unreadable
  }

  private func lineEnd() -> UnsafePointer<UInt8> {
    // The text ends with a newline, so there is one.
    guard let found = memchr(lineStart, 0x0a, end - lineStart) else { return end - 1 }
    return UnsafePointer(found.assumingMemoryBound(to: UInt8.self))
  }

  /// The line in another JSON reader's understanding, written plainly and scanned once more.
  private mutating func readStrictly(_ line: inout TraceLine) -> Kind {
    let lineEnd = lineEnd()
    var text = Array(UnsafeBufferPointer(start: lineStart, count: lineEnd - lineStart))
    while let last = text.last, [0x20, 0x09, 0x0d, UInt8(ascii: ",")].contains(last) {
      text.removeLast()
    }
    guard let value = try? JSON(reading: text), case .object = value else { return skipLine() }
    let copy = rewritten.hold(value.text + [0x0a])
    position = copy.start
    line = TraceLine()
    let isGood = scanObject(&line) && position.pointee == 0x0a
    lineBytes = Bytes(copy.start, copy.count - 1)
    position = lineEnd + 1
    return isGood ? .event : .unreadable
  }

  // MARK: - Scanning. No loop passes a newline, and the text ends with one.

  @inline(__always) private mutating func skipSpace() {
    while position.pointee == 0x20 || position.pointee == 0x09 || position.pointee == 0x0d {
      position += 1
    }
  }

  private var base: UnsafePointer<UInt8> { lineStart }

  /// A string's inside; the position moves behind its closing quote.
  @inline(__always) private mutating func string() -> RawText? {
    guard position.pointee == UInt8(ascii: "\"") else { return nil }
    position += 1
    let start = position
    var isEscaped = false
    while true {
      let byte = position.pointee
      if byte == UInt8(ascii: "\"") { break }
      if byte < 0x20 { return nil }
      if byte == UInt8(ascii: "\\") {
        isEscaped = true
        position += 1
        if position.pointee < 0x20 { return nil }
      }
      position += 1
    }
    position += 1
    return RawText(bytes: Bytes(start, position - 1 - start), isEscaped: isEscaped)
  }

  @inline(__always) private mutating func digits(_ value: inout UInt64) -> Int {
    var count = 0
    while true {
      let digit = position.pointee &- UInt8(ascii: "0")
      guard digit < 10 else { return count }
      if count < 18 { value = value &* 10 &+ UInt64(digit) }
      count += 1
      position += 1
    }
  }

  /// A whole number. Nil for a fraction, and for what Int64 does not hold.
  private mutating func integer() -> Int64? {
    let start = position
    let isNegative = position.pointee == UInt8(ascii: "-")
    if isNegative { position += 1 }
    var value: UInt64 = 0
    let count = digits(&value)
    if count == 0 { return nil }
    if count > 18 {
      // Rare: 19 and 20 digits, such as a pointer or an error as UInt64.
      let text = String(
        decoding: UnsafeBufferPointer(start: start, count: position - start), as: UTF8.self)
      if let whole = Int64(text) { return whole }
      if let pattern = UInt64(text) { return Int64(bitPattern: pattern) }
      return nil
    }
    let next = position.pointee
    if next == UInt8(ascii: ".") || next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      position = start
      return nil
    }
    return isNegative ? -Int64(value) : Int64(value)
  }

  /// Microseconds with a fraction, as nanoseconds.
  private mutating func nanoseconds() -> Int64? {
    let start = position
    let isNegative = position.pointee == UInt8(ascii: "-")
    if isNegative { position += 1 }
    var whole: UInt64 = 0
    let count = digits(&whole)
    guard count > 0, count <= 16 else { return nil }
    var nano: UInt64 = 0
    if position.pointee == UInt8(ascii: ".") {
      position += 1
      let fraction = position
      var ignored: UInt64 = 0
      let places = digits(&ignored)
      guard places > 0 else { return nil }
      for index in 0..<3 {
        nano = nano * 10 + (index < places ? UInt64(fraction[index] - UInt8(ascii: "0")) : 0)
      }
      if places > 3, fraction[3] >= UInt8(ascii: "5") { nano += 1 }
    }
    if position.pointee == UInt8(ascii: "e") || position.pointee == UInt8(ascii: "E") {
      return scientific(from: start)
    }
    let (product, overflow) = whole.multipliedReportingOverflow(by: 1000)
    // 146 years, so that times can be added and subtracted.
    guard !overflow, product < 1 << 62 else { return nil }
    return isNegative ? -Int64(product + nano) : Int64(product + nano)
  }

  private mutating func scientific(from start: UnsafePointer<UInt8>) -> Int64? {
    position = start
    guard skipValue(depth: 1) else { return nil }
    let text = String(
      decoding: UnsafeBufferPointer(start: start, count: position - start), as: UTF8.self)
    guard let value = Double(text), abs(value) < 4e15 else { return nil }
    return Int64((value * 1000).rounded())
  }

  /// Passes any JSON value over.
  private mutating func skipValue(depth: Int) -> Bool {
    switch position.pointee {
    case UInt8(ascii: "\""): return string() != nil
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard depth > 0 else { return false }
      let close = position.pointee + 2
      position += 1
      skipSpace()
      while position.pointee != close {
        if position.pointee < 0x20 { return false }
        if position.pointee == UInt8(ascii: ",") || position.pointee == UInt8(ascii: ":") {
          position += 1
        } else if !skipValue(depth: depth - 1) {
          return false
        }
        skipSpace()
      }
      position += 1
      return true
    default:
      let start = position
      loop: while true {
        switch position.pointee {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
          UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "E"):
          position += 1
        default: break loop
        }
      }
      return position > start
    }
  }

  /// Reads `{"key":value,...}` and gives each key to the function, which reads the value.
  @inline(__always) private mutating func members(
    _ read: (inout LineReader, Bytes) -> Bool
  ) -> Bool {
    position += 1
    skipSpace()
    if position.pointee == UInt8(ascii: "}") {
      position += 1
      return true
    }
    while true {
      guard let key = string(), !key.isEscaped else { return false }
      skipSpace()
      guard position.pointee == UInt8(ascii: ":") else { return false }
      position += 1
      skipSpace()
      guard read(&self, key.bytes) else { return false }
      skipSpace()
      switch position.pointee {
      case UInt8(ascii: ","):
        position += 1
        skipSpace()
      case UInt8(ascii: "}"):
        position += 1
        return true
      default: return false
      }
    }
  }

  private mutating func scanObject(_ line: inout TraceLine) -> Bool {
    let begin = position
    return members { reader, key in
      switch key.count {
      case 2 where key.equals("ph"):
        guard let text = reader.string() else { return reader.skipValue(depth: 32) }
        line.phase = text.bytes.count == 1 ? text.bytes.start.pointee : 0
      case 2 where key.equals("ts"):
        let from = reader.position
        guard let value = reader.nanoseconds() else { return false }
        line.start = value
        line.hasStart = true
        line.startText = (from - begin)..<(reader.position - begin)
      case 3 where key.equals("dur"):
        guard let value = reader.nanoseconds() else { return false }
        line.duration = max(0, min(value, 1 << 60))
      case 3 where key.equals("pid"):
        let from = reader.position
        guard let value = reader.integer() else { return reader.skipValue(depth: 32) }
        line.pid = value
        line.pidText = (from - begin)..<(reader.position - begin)
      case 3 where key.equals("tid"):
        let from = reader.position
        guard let value = reader.integer() else { return reader.skipValue(depth: 32) }
        line.tid = value
        line.tidText = (from - begin)..<(reader.position - begin)
      case 3 where key.equals("cat"):
        guard let text = reader.string() else { return reader.skipValue(depth: 32) }
        line.category = text
      case 4 where key.equals("name"):
        guard let text = reader.string() else { return reader.skipValue(depth: 32) }
        line.name = text
      case 4 where key.equals("args") && reader.position.pointee == UInt8(ascii: "{"):
        return reader.scanArguments(&line)
      default: return reader.skipValue(depth: 32)
      }
      return true
    }
  }

  private mutating func scanArguments(_ line: inout TraceLine) -> Bool {
    members { reader, key in
      switch key.count {
      case 3 where key.equals("ret"):
        guard let value = reader.integer() else { return reader.skipValue(depth: 32) }
        line.result = value
      case 4 where key.equals("size"):
        guard let value = reader.integer() else { return reader.skipValue(depth: 32) }
        line.size = value
      case 4 where key.equals("task"):
        guard let value = reader.integer() else { return reader.skipValue(depth: 32) }
        line.task = value
      case 4 where key.equals("name"):
        guard let text = reader.string() else { return reader.skipValue(depth: 32) }
        line.argumentName = text
      case 4 where key.equals("path"):
        guard let text = reader.string() else { return reader.skipValue(depth: 32) }
        line.file = line.file ?? text
      case 5 where key.equals("fname"):
        guard let text = reader.string() else { return reader.skipValue(depth: 32) }
        line.file = text
      case 5 where key.equals("fhash"):
        line.fileHash = reader.stringOrNumber()
        return line.fileHash != nil
      case 5 where key.equals("value"):
        line.argumentValue = reader.stringOrNumber()
        return line.argumentValue != nil
      case 5 where key.equals("errno"):
        line.hasErrorNumber = true
        return reader.skipValue(depth: 32)
      case 7 where key.equals("program"):
        guard let text = reader.string() else { return reader.skipValue(depth: 32) }
        line.program = text
      case 8 where key.equals("filename"):
        guard let text = reader.string() else { return reader.skipValue(depth: 32) }
        line.file = line.file ?? text
      case 10 where key.equals("incomplete"):
        line.isIncomplete = reader.position.pointee == UInt8(ascii: "t")
        return reader.skipValue(depth: 32)
      default: return reader.skipValue(depth: 32)
      }
      return true
    }
  }

  /// A text, or any other value as it is written.
  private mutating func stringOrNumber() -> RawText? {
    if position.pointee == UInt8(ascii: "\"") { return string() }
    let start = position
    guard skipValue(depth: 32) else { return nil }
    return RawText(bytes: Bytes(start, position - start), isEscaped: false)
  }
}

/// Memory for a line that had to be written anew.
private final class RewrittenLine {
  private var memory: UnsafeMutablePointer<UInt8>?

  /// A copy that lives until the next one.
  func hold(_ text: [UInt8]) -> Bytes {
    memory?.deallocate()
    let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, text.count))
    for index in text.indices { copy[index] = text[index] }
    memory = copy
    return Bytes(copy, text.count)
  }

  deinit { memory?.deallocate() }
}

extension RawText {
  /// The bytes that the text stands for. A lone surrogate U+DC80...U+DCFF is the byte 0x80...0xFF
  /// of a name that is not UTF-8 (Python's surrogateescape); any other one becomes U+FFFD.
  func decoded(into output: inout [UInt8]) {
    output.removeAll(keepingCapacity: true)
    var at = 0
    while at < bytes.count {
      let byte = bytes.start[at]
      guard byte == UInt8(ascii: "\\"), at + 1 < bytes.count else {
        output.append(byte)
        at += 1
        continue
      }
      let letter = bytes.start[at + 1]
      at += 2
      switch letter {
      case UInt8(ascii: "b"): output.append(0x08)
      case UInt8(ascii: "f"): output.append(0x0c)
      case UInt8(ascii: "n"): output.append(0x0a)
      case UInt8(ascii: "r"): output.append(0x0d)
      case UInt8(ascii: "t"): output.append(0x09)
      case UInt8(ascii: "u"): unicode(&at, &output)
      default: output.append(letter)
      }
    }
  }

  private func hexQuad(_ at: Int) -> UInt32? {
    guard at + 4 <= bytes.count else { return nil }
    var value: UInt32 = 0
    for index in at..<(at + 4) {
      guard let digit = Character(Unicode.Scalar(bytes.start[index])).hexDigitValue else {
        return nil
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  private func unicode(_ at: inout Int, _ output: inout [UInt8]) {
    guard let first = hexQuad(at) else { return }
    at += 4
    if let scalar = Unicode.Scalar(first) {
      output.append(contentsOf: String(Character(scalar)).utf8)
    } else if (0xdc80...0xdcff).contains(first) {
      output.append(UInt8(first & 0xff))
    } else if first < 0xdc00, at + 1 < bytes.count, bytes.start[at] == UInt8(ascii: "\\"),
      bytes.start[at + 1] == UInt8(ascii: "u"), let second = hexQuad(at + 2),
      (0xdc00...0xdfff).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    {
      at += 6
      output.append(contentsOf: String(Character(scalar)).utf8)
    } else {
      output.append(contentsOf: "\u{FFFD}".utf8)
    }
  }
}
