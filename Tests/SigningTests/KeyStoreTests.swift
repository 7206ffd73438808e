import Foundation
import ProbeDocument
import Testing

@testable import Signing

@Suite("Keys rotate without a moment in which a good document is refused")
struct KeyStoreTests {
  let folder: String
  let store: KeyStore

  init() throws {
    folder = NSTemporaryDirectory() + "keys-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    store = KeyStore(directory: folder + "/keys", trusted: folder + "/trusted")
  }

  private func signing() throws -> PrivateKey {
    try KeyStore.privateKey(path: folder + "/keys/signing.key")
  }

  private func verdict(_ packed: [UInt8], trusted: String? = nil) -> String {
    do throws(ProbeError) {
      _ = try ProbeVerification(
        trustedKeys: TrustedKeys(directory: trusted ?? folder + "/trusted")
      ).verify(packed: packed, uid: 1001, now: 1_790_000_000)
      return "verified"
    } catch {
      return error.what
    }
  }

  private func document() throws -> [UInt8] {
    try ProbeDocument(
      summary: [
        "uid": "1001", "created": "2026-09-21T00:00:00Z", "expires": "2027-01-01T00:00:00Z",
      ], categories: [ProbeCategory(kind: .syscalls, name: "posix", functions: ["read"])]
    ).signedAndPacked(with: try signing())
  }

  @Test("the first key signs at once, and nobody but its owner reads it")
  func first() throws {
    let key = try store.create(isMissingOnly: true)
    #expect(key.isSigning)
    #expect(try signing().publicKey().id == key.id)
    #expect(verdict(try document()) == "verified")
    let attributes = try FileManager.default.attributesOfItem(
      atPath: folder + "/keys/\(key.id).key")
    #expect(attributes[.posixPermissions] as? Int == 0o400)
    #expect(try store.create(isMissingOnly: true).id == key.id)
    #expect(try store.list().count == 1)
  }

  @Test("a lost public half is exported again")
  func exportedAgain() throws {
    let key = try store.create(isMissingOnly: true)
    try FileManager.default.removeItem(atPath: folder + "/trusted/\(key.id).pub")
    _ = try store.create(isMissingOnly: true)
    #expect(verdict(try document()) == "verified")
  }

  @Test("old documents stay good until their key is retired, new ones are good before")
  func rotation() throws {
    let old = try store.create(isMissingOnly: true)
    let oldDocument = try document()
    let new = try store.create(isMissingOnly: false)
    #expect(!new.isSigning)
    #expect(try signing().publicKey().id == old.id)
    try store.activate(new.id)
    #expect(verdict(oldDocument) == "verified")
    #expect(verdict(try document()) == "verified")
    try store.retire(old.id)
    #expect(
      verdict(oldDocument) == "the probe document is signed with a key that is retired (\(old.id))")
    #expect(verdict(try document()) == "verified")
    #expect(!FileManager.default.fileExists(atPath: folder + "/keys/\(old.id).key"))
    #expect(throws: ProbeError.self) { try store.activate(old.id) }
  }

  @Test("the key that signs cannot be retired")
  func signingKey() throws {
    let key = try store.create(isMissingOnly: true)
    #expect(throws: ProbeError.self) { try store.retire(key.id) }
    #expect(verdict(try document()) == "verified")
  }

  @Test("a node that kept the public key refuses it once it has the note")
  func note() throws {
    let node = folder + "/node"
    let old = try store.create(isMissingOnly: true)
    _ = try store.export(nil, to: node)
    let oldDocument = try document()
    #expect(verdict(oldDocument, trusted: node) == "verified")
    try store.activate(try store.create(isMissingOnly: false).id)
    try store.retire(old.id)
    _ = try store.export(nil, to: node)
    #expect(verdict(oldDocument, trusted: node).contains("retired"))
    #expect(!FileManager.default.fileExists(atPath: node + "/\(old.id).pub"))
    let pub = TrustedKeys.file(of: try signing().publicKey())
    #expect(try String(contentsOfFile: node + "/" + pub.name, encoding: .utf8) == pub.text)
  }
}
