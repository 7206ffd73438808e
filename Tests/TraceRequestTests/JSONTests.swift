import Foundation
import Testing

@testable import TraceRequest

private func read(_ text: String) throws -> JSON { try JSON(reading: Array(text.utf8)) }

@Suite("JSON is read strictly and written as it was")
struct JSONTests {
  @Test(
    "a text that is its own compact form comes back byte for byte",
    arguments: [
      "null", "true", "false", "0", "-1.5e+3", "\"\"", #""a\"b\\c\n\u001f""#, "[]", "[1,[2,{}]]",
      #"{"b":1,"a":{"c":[null,"é😀"]}}"#, "12345678901234567890.5",
    ])
  func roundTrip(text: String) throws {
    #expect(String(decoding: try read(text).text, as: UTF8.self) == text)
  }

  @Test(
    "what two readers could take for two things is refused",
    arguments: [
      "", " ", "{", "[1,]", "[1 2]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "01", "1.", ".5", "+1",
      "1e", "-", "nul", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800x\"",
      "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\u{01}\"", "1 1", "{}x", "{\"a\":1,\"a\":2}",
      "{\"a\":1,\"\\u0061\":2}", "\u{FEFF}1",
    ])
  func refused(text: String) {
    #expect(throws: JSONError.self) { try read(text) }
  }

  @Test("invalid UTF-8 is refused, in plain and in escaped strings")
  func invalidUTF8() {
    for bytes: [UInt8] in [[0x22, 0xFF, 0x22], [0x22, 0x5C, 0x6E, 0xC0, 0x80, 0x22]] {
      #expect(throws: JSONError.self) { try JSON(reading: bytes) }
    }
  }

  @Test("names that differ only by normalization are two names")
  func normalizationIsNotEquality() throws {
    let value = try read("{\"\u{E9}\":1,\"e\u{301}\":2}")
    guard case .number("2")? = value["e\u{301}"] else {
      Issue.record("the decomposed name found another member")
      return
    }
  }

  @Test("the twentieth member of a large object is still checked for its name")
  func manyMembers() {
    let members = (0..<40).map { "\"m\($0)\":\($0)" }
    let text = "{" + members.joined(separator: ",")
    #expect(throws: Never.self) { try read(text + "}") }
    for earlier in [0, 15, 16, 20, 39] {
      #expect(throws: JSONError.self) { try read(text + ",\"m\(earlier)\":1}") }
    }
  }

  @Test("nesting has a limit, so that no text exhausts the stack")
  func depth() {
    let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
    #expect(throws: Never.self) { try read(deep) }
    #expect(throws: JSONError.self) { try read("[" + deep + "]") }
    #expect(throws: JSONError.self) { try read(String(repeating: "[", count: 1_000_000)) }
  }

  @Test("values are counted, those inside of others too")
  func valueLimit() throws {
    for (text, values) in [
      ("0", 1), ("[]", 1), ("[0,\"a\",null,true]", 5), ("{\"a\":{\"b\":[1,2]},\"c\":{}}", 6),
    ] {
      let bytes = Array(text.utf8)
      #expect(throws: Never.self) { try JSON(reading: bytes, maximumValues: values) }
      #expect(throws: JSONError.self) { try JSON(reading: bytes, maximumValues: values - 1) }
    }
    let bomb = Array("[".utf8) + Array(repeatElement("0,", count: 100_000).joined().utf8)
    do throws(JSONError) {
      _ = try JSON(reading: bomb)
      Issue.record("accepted")
    } catch {
      #expect(error.reason == "too many values")
      #expect(error.offset < 140_000)
    }
  }

  @Test("a name that stands twice is found among many, by its bytes", arguments: [3, 100])
  func duplicates(count: Int) throws {
    var members = (0..<count).map { "\"m\($0)\":0" } + ["\"K\":0", "\"\u{212A}\":0"]
    let text = Array("{\(members.joined(separator: ","))}".utf8)
    #expect(throws: Never.self) { try JSON(reading: text) }
    members.append("\"m1\":1")
    #expect(throws: JSONError.self) { try read("{\(members.joined(separator: ","))}") }
  }

  @Test("an error names the offset")
  func offset() {
    do {
      _ = try read("{\"a\":x}")
      Issue.record("accepted")
    } catch let error as JSONError {
      #expect(error.offset == 5)
    } catch {
      Issue.record(error)
    }
  }

  @Test("1,000 random strings are written as Foundation reads them")
  func randomStrings() throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<1000 {
      let text = String.random(using: &random)
      let written = JSON.array([.string(text)]).text
      let read = try JSONSerialization.jsonObject(with: Data(written)) as? [String]
      #expect(read.map { Array($0[0].utf8) } == Array(text.utf8))
      #expect(
        try JSON(reading: written).elements[0].string.map { Array($0.utf8) } == Array(text.utf8))
    }
  }
}

extension JSON {
  var elements: [JSON] {
    if case .array(let elements) = self { return elements }
    return []
  }
}

extension String {
  /// Up to 60 scalars, of which many need an escape or several bytes.
  static func random(using random: inout SystemRandomNumberGenerator) -> String {
    let ranges: [ClosedRange<UInt32>] = [
      0x01...0x1F, 0x20...0x7F, 0x22...0x22, 0x5C...0x5C, 0x80...0x7FF, 0x800...0xD7FF,
      0xE000...0xFFFD, 0x10000...0x10FFFF,
    ]
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...60, using: &random) {
      guard let range = ranges.randomElement(using: &random),
        let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)),
        scalar != "\u{FEFF}"  // Foundation's reader drops it
      else { continue }
      text.append(scalar)
    }
    return String(text)
  }
}
