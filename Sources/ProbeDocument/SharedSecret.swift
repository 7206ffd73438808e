import CLibc
import COpenSSL
import TraceRequest

/// The secret that LLNL's DataCrumbs signs with (`hmac-sha256`). Whoever can verify with it can
/// sign with it too, so it is used where a site puts it on purpose, and read by root alone.
public struct SharedSecret: Sendable {
  /// Where a site puts it. The file's bytes are the secret, a line break at its end included.
  public static let standardPath = "/etc/datacrumbs/hmac_secret"

  private let bytes: [UInt8]

  /// A secret; nil where it is empty.
  public init?(_ bytes: [UInt8]) {
    if bytes.isEmpty { return nil }
    self.bytes = bytes
  }

  /// The site's; nil where it has none, or this process may not read it.
  public init?(path: String) {
    let file = clibc_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = CLibc.read(file, &buffer, buffer.count)
    guard count > 0, count < buffer.count else { return nil }
    self.init(Array(buffer.prefix(count)))
  }

  /// Whether the site has a secret, which this process perhaps may not read. On a machine that
  /// only submits, an empty file says so.
  public static func exists(path: String) -> Bool {
    access(path, F_OK) == 0
  }

  /// 64 lower-case hexadecimal digits.
  static func isForm(ofChecksum checksum: String) -> Bool {
    checksum.utf8.count == 64
      && checksum.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }

  /// Whether `checksum` is the 64 lower-case hexadecimal digits of the text's HMAC.
  func verifies(checksum: String, of text: [UInt8]) -> Bool {
    var digest = [UInt8](repeating: 0, count: 32)
    guard
      HMAC(EVP_sha256(), bytes, Int32(bytes.count), text, text.count, &digest, nil) != nil
    else { return false }
    let expected = Array(digest.hexadecimal.utf8)
    let actual = Array(checksum.utf8)
    // In a time that does not tell how much of it is right.
    return actual.count == expected.count && CRYPTO_memcmp(actual, expected, expected.count) == 0
  }
}

extension JSON {
  /// What json-c writes with JSON_C_TO_STRING_PLAIN, which is what DataCrumbs signs: members in
  /// their order, no white space, and the slash escaped.
  var jsonC: [UInt8] {
    var output: [UInt8] = []
    for byte in text {
      // A slash stands in texts and names only, and `text` leaves it as it is.
      if byte == UInt8(ascii: "/") { output.append(UInt8(ascii: "\\")) }
      output.append(byte)
    }
    return output
  }
}
