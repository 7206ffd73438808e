/// Numbers for people.
enum Units {
  /// 1234567 as `1,234,567`.
  static func grouped(_ value: Int64) -> String {
    let digits = Array(String(value.magnitude).utf8)
    var text: [UInt8] = value < 0 ? [UInt8(ascii: "-")] : []
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(UInt8(ascii: ",")) }
      text.append(digit)
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// `512 B`, `1.50 KiB`, `20.0 GiB`.
  static func bytes(_ value: Int64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    if value < 1024 { return "\(value) B" }
    var scaled = Double(value)
    var unit = -1
    // 1023.5 and more would be printed as 1024.
    while scaled >= 1023.5, unit < units.count - 1 {
      scaled /= 1024
      unit += 1
    }
    return threeDigits(scaled) + " " + units[max(0, unit)]
  }

  /// Nanoseconds as `812 ns`, `1.25 us`, `20.0 ms`, `3.20 s`, `1 h 02 min`.
  static func duration(_ nanoseconds: Int64) -> String {
    if nanoseconds < 1000 { return "\(nanoseconds) ns" }
    let seconds = Double(nanoseconds) / 1e9
    if seconds < 0.000_999_5 { return threeDigits(seconds * 1e6) + " us" }
    if seconds < 0.999_5 { return threeDigits(seconds * 1e3) + " ms" }
    if seconds < 119.5 { return threeDigits(seconds) + " s" }
    let minutes = Int64(seconds / 60)
    if minutes < 120 { return "\(minutes) min \(twoDigits(Int64(seconds) % 60)) s" }
    return "\(grouped(minutes / 60)) h \(twoDigits(minutes % 60)) min"
  }

  /// A count with a decimal unit: `950`, `1.20 k`, `3.40 M`.
  static func count(_ value: Double) -> String {
    if value < 999.5 { return value == value.rounded() ? String(Int(value)) : threeDigits(value) }
    var scaled = value
    for unit in ["k", "M", "G"] {
      scaled /= 1000
      if scaled < 999.5 || unit == "G" { return threeDigits(scaled) + " " + unit }
    }
    return threeDigits(scaled)
  }

  /// Three significant digits, without an exponent.
  static func threeDigits(_ value: Double) -> String {
    let places = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
    return fixed(value, places: places)
  }

  /// A fixed number of decimals.
  static func fixed(_ value: Double, places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 9e18 else { return "\(value)" }
    let whole = Int64(scaled)
    let sign = value < 0 && whole > 0 ? "-" : ""
    guard places > 0 else { return sign + String(whole) }
    let digits = String(whole % Int64(scale))
    return sign + String(whole / Int64(scale)) + "."
      + String(repeating: "0", count: places - digits.utf8.count) + digits
  }

  private static func twoDigits(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
