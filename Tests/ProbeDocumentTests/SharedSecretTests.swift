import Foundation
import Testing
import TraceRequest

@testable import ProbeDocument

@Suite("Documents of LLNL's DataCrumbs are verified where the site has its shared secret")
struct SharedSecretTests {
  let packed: [UInt8]
  let trusted = TrustedKeys(directory: NSTemporaryDirectory() + UUID().uuidString)

  /// The document comes from a program that shares nothing with this one.
  init() throws {
    let path = NSTemporaryDirectory() + UUID().uuidString
    let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("llnl_document.py").path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", program, "s3cret\n", "root", path]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    packed = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private func verdict(
    _ packed: [UInt8], secret: String? = "s3cret\n", uid: UInt32 = 0
  ) -> String {
    do throws(ProbeError) {
      _ = try ProbeVerification(
        trustedKeys: trusted, sharedSecret: secret.flatMap { SharedSecret(Array($0.utf8)) }
      ).verify(packed: packed, uid: uid, now: 0)
      return "verified"
    } catch {
      return error.what
    }
  }

  @Test("escapes, slashes and member order are as json-c writes them")
  func verified() throws {
    #expect(verdict(packed) == "verified")
    let probes = try ProbeVerification(
      trustedKeys: trusted, sharedSecret: SharedSecret(Array("s3cret\n".utf8))
    ).verify(packed: packed, uid: 0, now: 0)
    #expect(probes.document.categories.map(\.functions) == [["openat", "read"], ["fopen:0x1234"]])
    // The tracer reads the canonical form again.
    #expect(try ProbeDocument(canonical: probes.canonical).categories.count == 2)
  }

  @Test("no secret, another secret, another user: refused")
  func refused() {
    #expect(verdict(packed, secret: nil).contains("which this machine does not have"))
    #expect(verdict(packed, secret: "").contains("which this machine does not have"))
    #expect(verdict(packed, secret: "s3cret").contains("does not fit its content"))
    #expect(verdict(packed, uid: 1).contains("signed for user root, not for uid 1"))
  }

  @Test("where the secret is out of sight, all but the seal is checked, and nothing is verified")
  func outOfSight() throws {
    func check(_ packed: [UInt8], uid: UInt32 = 0, secret: String? = nil) -> String {
      do throws(ProbeError) {
        let checked = try ProbeVerification(
          trustedKeys: trusted, sharedSecret: secret.flatMap { SharedSecret(Array($0.utf8)) },
          isSecretElsewhere: true
        ).check(packed: packed, uid: uid, now: 0)
        return "\(checked)"
      } catch {
        return error.what
      }
    }
    #expect(check(packed) == "sealLeftToNode")
    #expect(check(packed, uid: 1).contains("signed for user root, not for uid 1"))
    #expect(check(packed, secret: "s3cret\n") == "whole")
    #expect(check(packed, secret: "s3cret").contains("does not fit its content"))
    let text = String(decoding: try Gzip.unpack(packed), as: UTF8.self)
    let custom = try Gzip.pack(
      Array(text.replacingOccurrences(of: "\"type\":0", with: "\"type\":4").utf8))
    #expect(check(custom).contains("custom BPF"))
    let short = try Gzip.pack(
      Array(text.replacingOccurrences(of: "\"checksum\":\"", with: "\"checksum\":\"g").utf8))
    #expect(check(short).contains("checksum is no hmac-sha256"))
    // Verification itself never leaves the seal to anybody.
    #expect(throws: ProbeError.self) {
      try ProbeVerification(trustedKeys: trusted, sharedSecret: nil, isSecretElsewhere: true)
        .verify(packed: packed, uid: 0, now: 0)
    }
  }

  @Test("a change of one byte at any place of the signed text is refused")
  func everyByte() throws {
    let text = try Gzip.unpack(packed)
    for index in text.indices {
      var changed = text
      changed[index] ^= 0x01
      #expect(verdict(try Gzip.pack(changed)) != "verified", "byte \(index)")
    }
  }

  @Test("a public key that everybody has is no shared secret")
  func confusion() throws {
    // The classic attack: sign with HMAC under the public key, and name the other algorithm.
    let key = try PrivateKey.random().publicKey()
    let json = try ProbeDocument.read(try Gzip.unpack(packed))
    guard case .object(var members) = json else { return }
    members = members.map {
      $0.name == "checksum_algorithm" ? JSON.Member($0.name, .string("ed25519")) : $0
    }
    members.append(JSON.Member("key_id", .string(key.id)))
    #expect(
      verdict(try Gzip.pack(JSON.object(members).text))
        == "the probe document's checksum is no signature")
  }
}
