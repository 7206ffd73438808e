import COpenSSL
import TraceRequest

/// An Ed25519 public key (RFC 8032).
public struct PublicKey: Sendable {
  /// 32 bytes.
  public let raw: [UInt8]

  /// - Throws: where these are not 32 bytes.
  public init(raw: [UInt8]) throws(ProbeError) {
    guard raw.count == 32 else {
      throw ProbeError(
        "a public key is not 32 bytes of Ed25519", "export it again with datacrumbs_sign_probes")
    }
    self.raw = raw
  }

  /// The digest that names the key: SHA-256 of its 32 bytes, in 64 lower-case hexadecimal digits.
  public var id: String {
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(raw, raw.count, &digest)
    return digest.hexadecimal
  }

  /// Whether `signature` is this key's, over `message`.
  public func verifies(signature: [UInt8], of message: [UInt8]) -> Bool {
    guard let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, raw, raw.count),
      let context = EVP_MD_CTX_new()
    else { return false }
    defer {
      EVP_MD_CTX_free(context)
      EVP_PKEY_free(key)
    }
    return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
      && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
  }
}

/// An Ed25519 private key. It exists on the login node alone.
public struct PrivateKey: Sendable {
  /// The seed, 32 bytes.
  public let raw: [UInt8]

  /// - Throws: where these are not 32 bytes.
  public init(raw: [UInt8]) throws(ProbeError) {
    guard raw.count == 32 else {
      throw ProbeError(
        "a private key is not 32 bytes of Ed25519",
        "make a new one with datacrumbs_sign_probes key create")
    }
    self.raw = raw
  }

  /// A new key, from OpenSSL's generator of private random numbers.
  public static func random() throws(ProbeError) -> PrivateKey {
    var raw = [UInt8](repeating: 0, count: 32)
    guard RAND_priv_bytes(&raw, 32) == 1 else {
      throw ProbeError("OpenSSL has no random numbers", "try again", exitStatus: .internalError)
    }
    return try PrivateKey(raw: raw)
  }

  /// The key that verifies what this one signs.
  public func publicKey() throws(ProbeError) -> PublicKey {
    guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, raw, raw.count) else {
      throw Self.failure
    }
    defer { EVP_PKEY_free(key) }
    var bytes = [UInt8](repeating: 0, count: 32)
    var count = bytes.count
    guard EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1 else { throw Self.failure }
    return try PublicKey(raw: Array(bytes[..<count]))
  }

  /// The signature, 64 bytes.
  public func sign(_ message: [UInt8]) throws(ProbeError) -> [UInt8] {
    guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, raw, raw.count),
      let context = EVP_MD_CTX_new()
    else { throw Self.failure }
    defer {
      EVP_MD_CTX_free(context)
      EVP_PKEY_free(key)
    }
    var signature = [UInt8](repeating: 0, count: 64)
    var count = signature.count
    guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
      EVP_DigestSign(context, &signature, &count, message, message.count) == 1, count == 64
    else { throw Self.failure }
    return signature
  }

  private static let failure = ProbeError(
    "OpenSSL cannot use the Ed25519 key", "check that OpenSSL 3 offers Ed25519",
    exitStatus: .internalError)
}

extension Array where Element == UInt8 {
  /// Two lower-case hexadecimal digits a byte.
  public var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(count * 2)
    for byte in self {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 0xF)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Base64 (RFC 4648, section 4) on one line.
  public var base64: String {
    var text = [UInt8](repeating: 0, count: (count + 2) / 3 * 4 + 1)
    let length = EVP_EncodeBlock(&text, self, Int32(count))
    return String(decoding: text.prefix(Int(length)), as: UTF8.self)
  }

  /// The bytes of a base64 text; nil where it is not the one way to write them.
  public init?(base64 text: String) {
    let input = Array(text.utf8)
    guard !input.isEmpty, input.count % 4 == 0, input.count < 1 << 28 else { return nil }
    var output = [UInt8](repeating: 0, count: input.count / 4 * 3)
    guard EVP_DecodeBlock(&output, input, Int32(input.count)) == Int32(output.count) else {
      return nil
    }
    let padding = input.suffix(2).filter { $0 == UInt8(ascii: "=") }.count
    output.removeLast(padding)
    guard output.base64.hasSameBytes(as: text) else { return nil }
    self = output
  }
}
