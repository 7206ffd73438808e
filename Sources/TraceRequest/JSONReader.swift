/// Why a text is not the JSON that is read here, and where.
public struct JSONError: Error {
  /// Distance in bytes from the text's beginning.
  public let offset: Int
  /// What is wrong there.
  public let reason: String
}

extension JSON {
  /// Reads one JSON text (RFC 8259) in UTF-8.
  ///
  /// Stricter than the RFC where a lenient reader would let two programs
  /// understand one text in two ways: a duplicate member name, invalid UTF-8,
  /// a lone surrogate, a byte order mark, and anything but white space behind
  /// the value are errors.
  ///
  /// - Parameters:
  ///   - maximumDepth: how deep arrays and objects may nest.
  ///   - maximumValues: how many values the text may hold, those inside of others too. A value takes
  ///     many times the memory of its shortest text, `0,`.
  public init(
    reading bytes: [UInt8], maximumDepth: Int = 64, maximumValues: Int = 1 << 16
  ) throws(JSONError) {
    var reader = JSONReader(bytes: bytes, valuesLeft: maximumValues)
    reader.skipSpace()
    self = try reader.value(depth: maximumDepth)
    reader.skipSpace()
    if reader.position < bytes.count { throw reader.error("bytes after the end of the value") }
  }
}

private struct JSONReader {
  let bytes: [UInt8]
  private(set) var position = 0
  private var valuesLeft: Int

  init(bytes: [UInt8], valuesLeft: Int) {
    self.bytes = bytes
    self.valuesLeft = valuesLeft
  }

  /// The byte at the position; 0, which no JSON text holds, at the end.
  private var current: UInt8 {
    position < bytes.count ? bytes[position] : 0
  }

  func error(_ reason: String) -> JSONError {
    JSONError(offset: position, reason: position < bytes.count ? reason : "ends too early")
  }

  mutating func skipSpace() {
    while current == 0x20 || current == 0x0A || current == 0x0D || current == 0x09 {
      position += 1
    }
  }

  mutating func value(depth: Int) throws(JSONError) -> JSON {
    if valuesLeft == 0 { throw error("too many values") }
    valuesLeft -= 1
    switch current {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: throw error("not a JSON value")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
    for index in 0..<word.utf8CodeUnitCount {
      if current != word.utf8Start[index] { throw error("not a JSON value") }
      position += 1
    }
    return value
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSON {
    if depth == 0 { throw error("nested too deeply") }
    position += 1
    var elements: [JSON] = []
    skipSpace()
    if current == UInt8(ascii: "]") {
      position += 1
      return .array(elements)
    }
    while true {
      skipSpace()
      elements.append(try value(depth: depth - 1))
      skipSpace()
      if current == UInt8(ascii: "]") { break }
      if current != UInt8(ascii: ",") { throw error("expected , or ]") }
      position += 1
    }
    position += 1
    return .array(elements)
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSON {
    if depth == 0 { throw error("nested too deeply") }
    position += 1
    var members: [JSON.Member] = []
    var names = MemberNames()
    skipSpace()
    if current == UInt8(ascii: "}") {
      position += 1
      return .object(members)
    }
    while true {
      skipSpace()
      if current != UInt8(ascii: "\"") { throw error("expected a member name") }
      let start = position
      let name = try string()
      if !names.insert(name) {
        throw JSONError(offset: start, reason: "duplicate member \"" + name + "\"")
      }
      skipSpace()
      if current != UInt8(ascii: ":") { throw error("expected :") }
      position += 1
      skipSpace()
      members.append(JSON.Member(name, try value(depth: depth - 1)))
      skipSpace()
      if current == UInt8(ascii: "}") { break }
      if current != UInt8(ascii: ",") { throw error("expected , or }") }
      position += 1
    }
    position += 1
    return .object(members)
  }

  private mutating func digits() throws(JSONError) {
    guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(current) else {
      throw error("expected a digit")
    }
    while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(current) { position += 1 }
  }

  private mutating func number() throws(JSONError) -> String {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    if current == UInt8(ascii: "0") {
      position += 1
    } else {
      try digits()
    }
    if current == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func string() throws(JSONError) -> String {
    position += 1
    let start = position
    // Most strings have no escape: find the end, then convert once.
    while current >= 0x20, current != UInt8(ascii: "\""), current != UInt8(ascii: "\\") {
      position += 1
    }
    if current == UInt8(ascii: "\"") {
      let text = try utf8(bytes[start..<position], at: start)
      position += 1
      return text
    }
    var text = Array(bytes[start..<position])
    while current != UInt8(ascii: "\"") {
      if current < 0x20 { throw error("control character in a string") }
      if current == UInt8(ascii: "\\") {
        try escape(into: &text)
      } else {
        text.append(current)
        position += 1
      }
    }
    position += 1
    return try utf8(text[...], at: start)
  }

  private func utf8(_ text: ArraySlice<UInt8>, at start: Int) throws(JSONError) -> String {
    guard let string = String(validating: text, as: UTF8.self) else {
      throw JSONError(offset: start, reason: "invalid UTF-8 in a string")
    }
    return string
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    position += 1
    let letter = current
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      position += 1
      let scalar = try unicodeEscape()
      text.append(contentsOf: String(Character(scalar)).utf8)
      return
    default: throw error("unknown escape in a string")
    }
    position += 1
  }

  /// One `XXXX`, or the pair `XXXX\uXXXX` of a character outside the first plane.
  private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
    let start = position
    let first = try hexQuad()
    if let scalar = Unicode.Scalar(first) { return scalar }
    if first < 0xDC00, current == UInt8(ascii: "\\") {
      position += 1
      if current == UInt8(ascii: "u") {
        position += 1
        let second = try hexQuad()
        if (0xDC00...0xDFFF).contains(second),
          let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        {
          return scalar
        }
      }
    }
    throw JSONError(offset: start, reason: "lone surrogate in a string")
  }

  private mutating func hexQuad() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      let digit: UInt8
      switch current {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = current - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = current - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = current - UInt8(ascii: "A") + 10
      default: throw error("expected four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}

/// The names that an object has had, compared by their bytes.
private struct MemberNames {
  private struct Name: Hashable {
    var text: String

    static func == (left: Self, right: Self) -> Bool { left.text.hasSameBytes(as: right.text) }

    func hash(into hasher: inout Hasher) {
      var text = text
      text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }

  private var few: [Name] = []
  private var many: Set<Name> = []

  /// False where the name was there already.
  mutating func insert(_ name: String) -> Bool {
    let name = Name(text: name)
    if many.isEmpty, few.count < 16 {
      if few.contains(name) { return false }
      few.append(name)
      return true
    }
    if many.isEmpty { many.formUnion(few) }
    return many.insert(name).inserted
  }
}
