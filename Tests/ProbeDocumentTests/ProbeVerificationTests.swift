import Foundation
import Testing
import TraceRequest

@testable import ProbeDocument

@Suite("Only a document that a trusted key signed, for this user and time, is verified")
struct ProbeVerificationTests {
  static let now: Int64 = 1_790_000_000
  let key: PrivateKey
  let folder: String

  init() throws {
    key = try PrivateKey.random()
    folder = NSTemporaryDirectory() + "trusted-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try trust(key)
  }

  private func trust(_ key: PrivateKey) throws {
    let file = TrustedKeys.file(of: try key.publicKey())
    try file.text.write(toFile: folder + "/" + file.name, atomically: true, encoding: .utf8)
  }

  private func document(_ changes: [String: String] = [:]) -> ProbeDocument {
    var summary = [
      "user": "alice", "uid": "1001", "cluster": "crumbs",
      "created": Timestamp(seconds: Self.now - 60).text,
      "expires": Timestamp(seconds: Self.now + 60).text,
    ]
    summary.merge(changes) { $1 }
    return ProbeDocument(
      summary: summary,
      categories: [
        ProbeCategory(kind: .syscalls, name: "posix", functions: ["openat", "read"]),
        ProbeCategory(
          kind: .uprobe, name: "libc", functions: ["fopen"],
          functionArguments: .object([JSON.Member("fopen", .array([.string("path")]))]),
          binaryPath: "/lib/libc.so.6"),
      ])
  }

  /// The reason of the refusal, "verified" where there is none.
  private func verdict(
    _ packed: [UInt8], uid: UInt32 = 1001, cluster: String? = nil
  ) -> String {
    do throws(ProbeError) {
      _ = try ProbeVerification(trustedKeys: TrustedKeys(directory: folder), cluster: cluster)
        .verify(packed: packed, uid: uid, now: Self.now)
      return "verified"
    } catch {
      return error.what
    }
  }

  @Test("what was signed is verified and sealed as it was")
  func verified() throws {
    let packed = try document().signedAndPacked(with: key)
    let probes = try ProbeVerification(trustedKeys: TrustedKeys(directory: folder))
      .verify(packed: packed, uid: 1001, now: Self.now)
    let sealed = try ProbeDocument(canonical: probes.canonical)
    for read in [probes.document, sealed] {
      #expect(read.summary == document().summary)
      #expect(read.json.text == document().json.text)
    }
    #expect(!String(decoding: probes.canonical, as: UTF8.self).contains("\"checksum\""))
  }

  @Test("a change of one byte at any place of the signed text is refused")
  func everyByte() throws {
    let text = try Gzip.unpack(try document().signedAndPacked(with: key))
    for index in text.indices {
      for flip: UInt8 in [0x01, 0x20] {
        var changed = text
        changed[index] ^= flip
        #expect(verdict(try Gzip.pack(changed)) != "verified", "byte \(index)")
      }
    }
  }

  @Test("a change of one byte at any place of the file is refused")
  func everyPackedByte() throws {
    let packed = try document().signedAndPacked(with: key)
    for index in packed.indices {
      for bit in 0..<8 {
        var changed = packed
        changed[index] ^= 1 << bit
        #expect(verdict(changed) != "verified", "bit \(bit) of byte \(index)")
      }
      var changed = packed
      changed.remove(at: index)
      #expect(verdict(changed) != "verified", "without byte \(index)")
    }
  }

  @Test("another user, another cluster, and other times are refused")
  func summary() throws {
    let packed = try document().signedAndPacked(with: key)
    #expect(verdict(packed, cluster: "crumbs") == "verified")
    #expect(
      verdict(packed, uid: 1002).contains("signed for user alice (uid 1001), not for uid 1002"))
    #expect(verdict(packed, cluster: "other").contains("signed for cluster crumbs, not other"))
    let expired = Timestamp(seconds: Self.now).text
    #expect(
      verdict(try document(["expires": expired]).signedAndPacked(with: key))
        == "the probe document expired at \(expired)")
    let later = Timestamp(seconds: Self.now + 301).text
    #expect(
      verdict(try document(["created": later]).signedAndPacked(with: key))
        == "the probe document is not valid before \(later)")
    for time in ["", "never", "2026-02-30T00:00:00Z", "2026-11-23 00:00:00"] {
      #expect(
        verdict(try document(["expires": time]).signedAndPacked(with: key))
          == "the probe document's created or expires is no time")
    }
  }

  @Test("a key that is not trusted, or a file under another key's name, is refused")
  func keys() throws {
    let other = try PrivateKey.random()
    let packed = try document().signedAndPacked(with: other)
    #expect(verdict(packed).contains("a key that is not trusted on this machine"))
    // The other key's name on our key's file: confusion must not help.
    let ours = TrustedKeys.file(of: try key.publicKey())
    let name = TrustedKeys.file(of: try other.publicKey()).name
    try ours.text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
    #expect(verdict(packed).contains("damaged or has another key's name"))
    try trust(other)
    #expect(verdict(packed) == "verified")
  }

  @Test(
    "a document of another form is refused by name",
    arguments: [
      ("null", "not an object"), ("{}", "not signed with ed25519"),
      (#"{"checksum_algorithm":"ed25519","x":1}"#, "a member that is not known (x)"),
      (#"{"checksum_algorithm":"none"}"#, "not signed with ed25519"),
      (#"{"checksum_algorithm":"hmac-sha256"}"#, "which this machine does not have"),
      (#"{"checksum_algorithm":"hmac-sha256","key_id":"a"}"#, "not known (key_id)"),
      (#"{"checksum_algorithm":"ed25519\u0000"}"#, "not signed with ed25519"),
      (#"{"checksum_algorithm":"ed25519"}"#, "no key_id"),
      (#"{"checksum_algorithm":"ed25519","key_id":"../../x"}"#, "no signature"),
      (
        "{\"checksum_algorithm\":\"ed25519\",\"key_id\":\"../x\",\"checksum\":\""
          + [UInt8](repeating: 0, count: 64).base64 + "\"}", "no key id"
      ),
    ])
  func form(text: String, reason: String) throws {
    #expect(verdict(try Gzip.pack(Array(text.utf8))).contains(reason))
  }

  @Test(
    "a category that cannot be traced is refused by name",
    arguments: [
      (#"{"type":4,"name":"c","functions":["f"]}"#, "custom BPF"),
      (#"{"type":5,"name":"c","functions":["f"]}"#, "type that is not known (5)"),
      (#"{"type":"0","name":"c","functions":["f"]}"#, "has no type"),
      (#"{"type":0,"name":"c","functions":[]}"#, "no functions"),
      (#"{"type":0,"name":"c","functions":[1]}"#, "a function that is no name"),
      (#"{"type":0,"name":"c","functions":["a\u0000b"]}"#, "a function that is no name"),
      (#"{"type":0,"name":"","functions":["f"]}"#, "no name"),
      (#"{"type":2,"name":"c","functions":["f"]}"#, "no binary_path"),
      (#"{"type":2,"name":"c","functions":["f"],"binary_path":"lib"}"#, "no absolute path"),
      (#"{"type":0,"name":"c","functions":["f"],"x":1}"#, "not known (x)"),
    ])
  func categories(text: String, reason: String) throws {
    do throws(ProbeError) {
      let json = try ProbeDocument.read(Array("{\"summary\":{},\"categories\":[\(text)]}".utf8))
      _ = try ProbeDocument(json: json)
      Issue.record("accepted")
    } catch {
      #expect(error.what.contains(reason))
    }
  }
}

@Suite("Keys, digests and encodings agree with other implementations")
struct Ed25519Tests {
  @Test("the first test vector of RFC 8032, section 7.1")
  func vector() throws {
    let seed: [UInt8] = [
      0x9D, 0x61, 0xB1, 0x9D, 0xEF, 0xFD, 0x5A, 0x60, 0xBA, 0x84, 0x4A, 0xF4, 0x92, 0xEC, 0x2C,
      0xC4,
      0x44, 0x49, 0xC5, 0x69, 0x7B, 0x32, 0x69, 0x19, 0x70, 0x3B, 0xAC, 0x03, 0x1C, 0xAE, 0x7F,
      0x60,
    ]
    let key = try PrivateKey(raw: seed)
    #expect(
      try key.publicKey().raw.hexadecimal
        == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    #expect(
      try key.sign([]).hexadecimal
        == "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
        + "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")
  }

  @Test("base64 has one way to write a text; every other is refused")
  func base64() {
    for count in 0..<70 {
      let bytes = (0..<count).map { UInt8($0 * 3) }
      #expect(bytes.base64 == Data(bytes).base64EncodedString())
      if count > 0 { #expect([UInt8](base64: bytes.base64) == bytes) }
    }
    for text in ["", "A", "AAA", "AB==", "AAA=A", "A A=", "AA=\n", " AAAA", "AAAA\n", "===="] {
      #expect([UInt8](base64: text) == nil, "\(text)")
    }
  }

  @Test("a timestamp is read as it is written")
  func timestamps() {
    #expect(Timestamp("2026-11-23T08:09:10Z")?.seconds == 1_795_421_350)
    #expect(Timestamp(seconds: 0).text == "1970-01-01T00:00:00Z")
  }
}
