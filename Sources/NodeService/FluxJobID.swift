/// A job id of Flux in any form that Flux prints (RFC 19): decimal, `0x` hexadecimal,
/// dotted hexadecimal, a KVS path of it, and base 58 behind an `ƒ` or `f`.
struct FluxJobID {
  /// The 64-bit id.
  let number: UInt64

  /// Nil where the text is none of them.
  init?(_ text: String) {
    let forms = [Self.decimal, Self.hexadecimal, Self.dotted, Self.base58]
    guard let number = forms.lazy.compactMap({ $0(text) }).first else { return nil }
    self.number = number
  }

  private static func decimal(_ text: String) -> UInt64? {
    text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      ? UInt64(text) : nil
  }

  private static func hexadecimal(_ text: String) -> UInt64? {
    guard text.hasPrefix("0x") || text.hasPrefix("0X") else { return nil }
    return digits(text.dropFirst(2))
  }

  /// `0000.004e.8d5f.0000`, or `job.0000.004e.8d5f.0000`.
  private static func dotted(_ text: String) -> UInt64? {
    let path = text.hasPrefix("job.") ? text.dropFirst(4) : text[...]
    let parts = path.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4, parts.allSatisfy({ $0.utf8.count == 4 }) else { return nil }
    return digits(parts.joined()[...])
  }

  /// A sign, which UInt64 would take, is no digit.
  private static func digits(_ text: Substring) -> UInt64? {
    text.first?.isHexDigit == true ? UInt64(text, radix: 16) : nil
  }

  private static let alphabet = Array(
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)

  private static func base58(_ text: String) -> UInt64? {
    guard text.hasPrefix("ƒ") || text.hasPrefix("f"), text.count > 1 else { return nil }
    var number: UInt64 = 0
    for letter in text.dropFirst().utf8 {
      guard let digit = alphabet.firstIndex(of: letter) else { return nil }
      let (product, overflow) = number.multipliedReportingOverflow(by: 58)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      if overflow || carry { return nil }
      number = sum
    }
    return number
  }
}
