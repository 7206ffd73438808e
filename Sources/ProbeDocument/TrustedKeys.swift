import CLibc
import TraceRequest

/// The public keys that a machine trusts: a folder with one file a key,
/// `<key id>.pub`, that holds the key in base64 on one line. A file `<key id>.retired` beside it,
/// whatever it holds, has the key's documents refused.
public struct TrustedKeys: Sendable {
  /// Where the site's keys are.
  public static let standardDirectory = "/etc/datacrumbs/trusted.d"

  /// The folder.
  public let directory: String

  /// The keys in a folder, each read when it is asked for.
  public init(directory: String = TrustedKeys.standardDirectory) {
    self.directory = directory
  }

  /// The key of that id.
  ///
  /// - Throws: where the id is none, the key is not trusted here, or its file is not what it says.
  public func key(id: String) throws(ProbeError) -> PublicKey {
    guard id.utf8.count == 64,
      id.utf8.allSatisfy({
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      })
    else { throw .malformed("the probe document's key_id is no key id") }
    let path = directory + "/" + id + ".pub"
    // The note wins, wherever a copy of the public key was forgotten.
    guard access(directory + "/" + id + ".retired", F_OK) != 0 else {
      throw ProbeError(
        "the probe document is signed with a key that is retired (\(id))", ProbeError.rebuild,
        exitStatus: .notPermitted)
    }
    guard let text = Self.read(path) else {
      throw ProbeError(
        "the probe document is signed with a key that is not trusted on this machine (\(id))",
        "have it signed by this site's signing service, or ask the administrator to install the key",
        exitStatus: .notPermitted)
    }
    guard let raw = [UInt8](base64: text), let key = try? PublicKey(raw: raw),
      key.id.hasSameBytes(as: id)
    else {
      throw ProbeError(
        "the trusted key \(path) is damaged or has another key's name",
        "ask the administrator to install it again", exitStatus: .notPermitted)
    }
    return key
  }

  /// The key as its file holds it.
  public static func file(of key: PublicKey) -> (name: String, text: String) {
    (key.id + ".pub", key.raw.base64 + "\n")
  }

  private static func read(_ path: String) -> String? {
    let file = clibc_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = CLibc.read(file, &bytes, bytes.count)
    guard count > 0 else { return nil }
    let line = bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }
    return String(decoding: line, as: UTF8.self)
  }
}
