import TraceRequest

/// The text of a systemd EnvironmentFile (systemd.exec(5)).
///
/// Values stand in double quotes, in which systemd's reader (src/basic/env-file.c)
/// takes a backslash before `"`, `\`, `` ` `` and `$` as an escape, a backslash
/// before a line break as no character at all, and everything else as it is. It
/// drops a variable whose value is not UTF-8 or has a control character other
/// than tab and newline.
struct EnvironmentFile {
  private(set) var text: [UInt8] = []

  /// Whether systemd would hand that value on.
  static func accepts(_ value: String) -> Bool {
    value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 || $0 == 0x0A }
  }

  /// Adds `name="value"`. A value that systemd would drop is an error here.
  mutating func set(_ name: String, to value: String) throws(ServiceError) {
    guard Self.accepts(value) else {
      throw ServiceError(
        "a control character in \(name): \(value): use a name without one",
        exitStatus: .badData)
    }
    text.append(contentsOf: name.utf8)
    text.append(contentsOf: "=\"".utf8)
    for byte in value.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "`"), UInt8(ascii: "$"):
        text.append(UInt8(ascii: "\\"))
      default: break
      }
      text.append(byte)
    }
    text.append(contentsOf: "\"\n".utf8)
  }
}
