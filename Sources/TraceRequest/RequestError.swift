/// Why a request is refused, with all that the user needs to mend it.
public struct RequestError: Error, Sendable {
  /// What is wrong.
  public let what: String
  /// Which thing: a path, an option, a variable.
  public let which: String
  /// What to do.
  public let remedy: String

  /// What the program ends with.
  public let exitStatus: ExitStatus

  /// Makes the error of its three parts.
  public init(_ what: String, _ which: String, _ remedy: String, exitStatus: ExitStatus = .usage) {
    self.what = what
    self.which = which
    self.remedy = remedy
    self.exitStatus = exitStatus
  }

  /// `what is wrong: which thing: what to do`
  /// on one line, whatever the user's text holds.
  public var text: String { (what + ": " + which + ": " + remedy).onOneLine }
}

extension String {
  /// The text with its control characters, those of Unicode (U+0080 to U+009F) too, written as
  /// `\xNN`, so that a user's path or comment cannot forge a line of a log or steer a terminal.
  public var onOneLine: String {
    var bytes: [UInt8] = []
    var isChanged = false
    var before: UInt8 = 0
    for byte in utf8 {
      if byte < 0x20 || byte == 0x7F || before == 0xC2 && byte < 0xA0 {
        if before == 0xC2 {
          bytes.removeLast()
          bytes.append(contentsOf: "\\xc2".utf8)
        }
        bytes.append(contentsOf: "\\x".utf8)
        bytes.append(UInt8(hexDigit: byte >> 4))
        bytes.append(UInt8(hexDigit: byte & 0xF))
        isChanged = true
      } else {
        bytes.append(byte)
      }
      before = byte
    }
    return isChanged ? String(decoding: bytes, as: UTF8.self) : self
  }
}

extension UInt8 {
  /// The ASCII digit, in lower case, of a value from 0 to 15.
  init(hexDigit value: UInt8) {
    self = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }
}
