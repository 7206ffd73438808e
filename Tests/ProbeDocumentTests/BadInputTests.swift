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
      (",\"binary_path\":\"/a\\u001b[2J\"", "binary_path is no absolute path"),
      (",\"binary_path\":\"/a\\nMAINPID=1\"", "binary_path is no absolute path"),
      (",\"binary_path\":\"/a\u{9B}2J\"", "binary_path is no absolute path"),
      (",\"provider\":\"a\u{9B}2J\"", "provider is no name"),
      (
        ",\"provider\":\"" + String(repeating: "a", count: 257) + "\"", "provider is no name"
      ),
      (",\"function_arguments\":{\"read\":[{\"label\":\"a b\"}]}", "a label of read's arguments"),
      (",\"function_arguments\":{\"read\":[{\"label\":\"\"}]}", "a label of read's arguments"),
      (",\"function_arguments\":{\"read\":[{\"label\":7}]}", "a label of read's arguments"),
      (
        ",\"function_arguments\":{\"read\":[{\"label\":\"" + String(repeating: "a", count: 65)
          + "\"}]}", "a label of read's arguments"
      ),
      (
        ",\"function_arguments\":{\"read\":[{\"c_type\":\"" + String(repeating: "a", count: 257)
          + "\"}]}", "a c_type of read's arguments"
      ),
      (
        ",\"function_arguments\":{\"read\":[{\"c_type\":\"a\\u001b\"}]}",
        "a c_type of read's arguments"
      ),
      (",\"function_arguments\":{\"re\u{212A}\":[]}", "function_arguments has a function"),
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

  @Test(
    "what a program prints, and what a symbol is compared with, is what it looks like",
    arguments: [
      ("\"read\"", "\"re\u{212A}d\"", "has a function that is no name"),
      ("\"read\"", "\"re\u{301}ad\"", "has a function that is no name"),
      ("\"read\"", "\"re ad\"", "has a function that is no name"),
      (
        "\"read\"", "\"" + String(repeating: "a", count: 1025) + "\"",
        "has a function that is no name"
      ),
      ("\"posix\"", "\"po\\u001b[2Jsix\"", "a category has no name"),
      ("\"posix\"", "\"po\u{85}six\"", "a category has no name"),
      ("\"posix\"", "\"" + String(repeating: "p", count: 257) + "\"", "a category has no name"),
      ("\"1001\"", "\"1001\",\"cluster\":\"a\\u001b]0;\\u0007\"", "summary.cluster is too long"),
      ("\"1001\"", "\"1001\",\"\u{212A}\":\"\",\"K\":\"\"", "summary.K stands there twice"),
    ])
  func printed(good: String, bad: String, reason: String) throws {
    // The signature need not fit: the form is refused by whoever reads one.
    let text = String(decoding: try signed(""), as: UTF8.self)
    #expect(throws: Never.self) { try UnverifiedProbes(packed: try Gzip.pack(Array(text.utf8))) }
    let changed = text.replacing(good, with: bad)
    do throws(ProbeError) {
      _ = try UnverifiedProbes(packed: try Gzip.pack(Array(changed.utf8)))
      Issue.record("\(bad) passes")
    } catch {
      #expect(error.text(file: "p").contains(reason), "\(error.text(file: "p"))")
    }
  }

  @Test("names of functions are of any length and character that compilers give them")
  func goodNames() throws {
    let text = String(decoding: try signed(""), as: UTF8.self)
    for name in [
      "_ZNSt6vectorIiSaIiEE9push_backERKi", "fopen:0x1f0", "f.part.0", "memcpy@@GLIBC_2.14", "a$b",
      String(repeating: "x", count: 1024),
    ] {
      let packed = try Gzip.pack(Array(text.replacing("\"read\"", with: "\"\(name)\"").utf8))
      #expect(try UnverifiedProbes(packed: packed).document.categories[0].functions == [name])
    }
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
    // U+009B is what ESC and [ are, to terminals that take UTF-8's control characters.
    #expect("caf\u{E9} \u{9B}2J".onOneLine == "caf\u{E9} \\xc2\\x9b2J")
  }

  @Test(
    "a document of the largest size is refused or read in bounded time", .timeLimit(.minutes(2)))
  func large() throws {
    let spaces = [UInt8](repeating: 0x20, count: Gzip.unpackedLimit)
    #expect(try verdict(spaces).contains("not JSON"))
    let zeros =
      Array("{\"a\":[".utf8) + (1..<(Gzip.unpackedLimit - 8)).map { $0 % 2 == 0 ? 0x2C : 0x30 }
    #expect(try verdict(zeros).contains("too many values"))
  }

  @Test(
    "100,000 functions with three arguments each are signed and verified", .timeLimit(.minutes(2)))
  func largest() throws {
    let names = (0..<ProbeDocument.functionLimit).map { "\"a_function_of_xfs\(100_000 + $0)\"" }
    let argument = """
      {"c_type":"struct page *","index":0,"is_pointer":true,"label":"mapping","num_bytes":8}
      """
    let arguments = ":[\(argument),\(argument),\(argument)]"
    let text = """
      {"categories":[{"function_arguments":{\(names.map { $0 + arguments }.joined(separator: ","))},\
      "functions":[\(names.joined(separator: ","))],"name":"kernel","type":1}],\
      "checksum_algorithm":"ed25519","key_id":"\(try key.publicKey().id)",\
      "summary":{"created":"2026-09-21T00:00:00Z","expires":"2027-01-01T00:00:00Z","uid":"1001"}}
      """
    let signature = try key.sign(Array(text.utf8)).base64
    let packed = try Gzip.pack(Array((text.dropLast() + ",\"checksum\":\"\(signature)\"}").utf8))
    let verified = try ProbeVerification(
      trustedKeys: TrustedKeys(directory: folder), sharedSecret: nil
    ).verify(packed: packed, uid: 1001, now: Self.now)
    #expect(verified.document.categories[0].functions.count == ProbeDocument.functionLimit)
    // The tracer reads the sealed bytes once more.
    #expect(throws: Never.self) { try ProbeDocument(canonical: verified.canonical) }
  }
}
