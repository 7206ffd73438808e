import Glibc

/// The time of day in UTC to the second, as RFC 3339 writes it.
func timestamp(_ seconds: time_t = time(nil)) -> String {
  var seconds = seconds
  var parts = tm()
  gmtime_r(&seconds, &parts)
  func padded(_ number: Int32, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
  return padded(parts.tm_year + 1900, 4) + "-" + padded(parts.tm_mon + 1) + "-"
    + padded(parts.tm_mday) + "T" + padded(parts.tm_hour) + ":" + padded(parts.tm_min) + ":"
    + padded(parts.tm_sec) + "Z"
}
