import CLibc

/// A moment in the one form that documents have: `2026-11-23T08:00:00Z` (RFC 3339, UTC, whole
/// seconds).
public struct Timestamp: Sendable {
  /// Since 1970.
  public let seconds: Int64

  /// The moment so many seconds after 1970 began.
  public init(seconds: Int64) {
    self.seconds = seconds
  }

  /// nil where the text is not in that form, or names no day.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    let form = Array("0000-00-00T00:00:00Z".utf8)
    guard bytes.count == form.count else { return nil }
    for (byte, expected) in zip(bytes, form) {
      let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      guard expected == UInt8(ascii: "0") ? isDigit : byte == expected else { return nil }
    }
    func number(_ range: Range<Int>) -> Int32 {
      bytes[range].reduce(0) { $0 * 10 + Int32($1 - UInt8(ascii: "0")) }
    }
    var parts = tm()
    parts.tm_year = number(0..<4) - 1900
    parts.tm_mon = number(5..<7) - 1
    parts.tm_mday = number(8..<10)
    parts.tm_hour = number(11..<13)
    parts.tm_min = number(14..<16)
    parts.tm_sec = number(17..<19)
    seconds = Int64(timegm(&parts))
    // timegm turns the 30th of February into the 2nd of March.
    guard self.text == text else { return nil }
  }

  /// The moment in that form.
  public var text: String {
    var time = time_t(seconds)
    var parts = tm()
    gmtime_r(&time, &parts)
    func padded(_ value: Int32, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
    return padded(parts.tm_year + 1900, 4) + "-" + padded(parts.tm_mon + 1, 2) + "-"
      + padded(parts.tm_mday, 2) + "T" + padded(parts.tm_hour, 2) + ":" + padded(parts.tm_min, 2)
      + ":" + padded(parts.tm_sec, 2) + "Z"
  }

  /// Now, by this machine's clock.
  public static var now: Timestamp { Timestamp(seconds: Int64(time(nil))) }
}
