import Foundation
import Testing
import TraceRequest

@testable import ProbeDocument

@Suite("Bad documents are refused with a reason, however they are signed")
struct BadInputTests {
  private static let now: Int64 = 1_790_000_000
  let key: PrivateKey
  let folder: String

  init() throws {
    key = try PrivateKey.random()
    folder = NSTemporaryDirectory() + "bad-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let file = TrustedKeys.file(of: try key.publicKey())
    try file.text.write(toFile: folder + "/" + file.name, atomically: true, encoding: .utf8)
  }

  private func verdict(_ text: [UInt8]) throws -> String {
    let packed = try Gzip.pack(text)
    do throws(ProbeError) {
      _ = try ProbeVerification(
        trustedKeys: TrustedKeys(directory: folder), sharedSecret: nil
      ).verify(packed: packed, uid: 1001, now: Self.now)
      return "verified"
    } catch {
      return error.text(file: "/tmp/p.json.gz")
    }
  }

  /// A document that is good but for the text of one category's members, and signed as it is.
  private func signed(_ members: String) throws -> [UInt8] {
    let text = """
      {"categories":[{"functions":["read"],"name":"posix"\(members),"type":0}],\
      "checksum_algorithm":"ed25519","key_id":"\(try key.publicKey().id)",\
      "summary":{"created":"2026-09-21T00:00:00Z","expires":"2027-01-01T00:00:00Z","uid":"1001"}}
      """
    // What has no canonical form cannot be signed by anybody; the reader must say why.
    let canonical = try? JSON(reading: Array(text.utf8)).canonical()
    let signature = try key.sign(canonical ?? Array(text.utf8)).base64
    return Array((text.dropLast() + ",\"checksum\":\"\(signature)\"}").utf8)
  }

  @Test("the good one is good, so that what follows is refused for its own reason")
  func good() throws {
    #expect(try verdict(try signed("")) == "verified")
    #expect(try verdict(try signed(",\"provider\":\"caf\u{E9}\"")) == "verified")
  }

  @Test(
    "numbers and types",
    arguments: [
      (",\"function_arguments\":{\"read\":[1.5]}", "a number is not a plain integer (1.5)"),
      (",\"function_arguments\":{\"read\":[1e400]}", "a number is not a plain integer (1e400)"),
      (
        ",\"function_arguments\":{\"read\":[" + String(repeating: "9", count: 5000) + "]}",
        "a number is not a plain integer (9999"
      ),
      (",\"function_arguments\":[]", "function_arguments is not an object"),
      (",\"function_arguments\":{\"read\":1}", "function_arguments of read is not an array"),
      (",\"provider\":7", "provider is no name"),
      (",\"provider\":\"a\\u0000b\"", "provider is no name"),
      (",\"binary_path\":\"/a\\u0000b\"", "binary_path is no absolute path"),
      (
        ",\"binary_path\":\"/" + String(repeating: "a", count: 4096) + "\"",
        "binary_path is no absolute path"
      ),
      (",\"provider\":\"a\",\"provider\":\"b\"", "duplicate member \"provider\""),
      (",\"pr\\u006Fvider\":\"a\",\"provider\":\"b\"", "duplicate member \"provider\""),
      (",\"provider\":\"\\ud800\"", "lone surrogate"),
      (",\"provider\":\"\\udc00\\ud800\"", "lone surrogate"),
      (
        ",\"function_arguments\":{\"read\":" + String(repeating: "[", count: 100_000),
        "nested too deeply"
      ),
    ])
  func members(text: String, reason: String) throws {
    let verdict = try verdict(try signed(text))
    #expect(verdict.contains(reason), "\(verdict)")
    #expect(verdict.contains(": /tmp/p.json.gz: "))
  }

  @Test("what can have no signature is not shown either")
  func shown() throws {
    for (member, isRead) in [
      (",\"function_arguments\":{\"read\":[15]}", true),
      (",\"function_arguments\":{\"read\":[1.5]}", false),
      (",\"function_arguments\":{\"read\":[9007199254740993]}", false),
    ] {
      let packed = try Gzip.pack(try signed(member))
      #expect(((try? UnverifiedProbes(packed: packed)) != nil) == isRead, "\(member)")
    }
  }

  @Test("invalid UTF-8")
  func encoding() throws {
    for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] {
      let text = Array("{\"summary\":{\"user\":\"".utf8) + bytes + Array("\"}}".utf8)
      #expect(try verdict(text).contains("invalid UTF-8"))
    }
    #expect(try verdict([0xEF, 0xBB, 0xBF] + Array("{}".utf8)).contains("not a JSON value"))
    #expect(try verdict([]).contains("ends too early"))
    #expect(try verdict(Array("{} {}".utf8)).contains("bytes after the end"))
  }

  @Test("a message keeps to one line, whatever the file is called")
  func oneLine() {
    let text = ProbeError.malformed("x").text(file: "/tmp/a\nb\u{1B}[31m")
    #expect(!text.utf8.contains { $0 < 0x20 })
    #expect(text.contains("/tmp/a\\x0ab\\x1b[31m"))
  }

  @Test(
    "a document of the largest size is refused or read in bounded time", .timeLimit(.minutes(2)))
  func large() throws {
    let spaces = [UInt8](repeating: 0x20, count: Gzip.unpackedLimit)
    #expect(try verdict(spaces).contains("not JSON"))
  }
}
