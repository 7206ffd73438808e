import Testing
import TraceRequest

@testable import ProbeDocument

@Suite("The canonical form is that of RFC 8785, for integers")
struct CanonicalFormTests {
  private func canonical(_ text: String) throws -> String {
    String(decoding: try JSON(reading: Array(text.utf8)).canonical(), as: UTF8.self)
  }

  @Test("members are sorted by UTF-16 code units: the example of section 3.2.3")
  func sorting() throws {
    let text = """
      {"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh",
       "1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control",
       "\\u00f6":"Latin Small Letter O With Diaeresis"}
      """
    #expect(
      try canonical(text)
        == "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\","
        + "\"\u{F6}\":\"Latin Small Letter O With Diaeresis\",\"\u{20AC}\":\"Euro Sign\","
        + "\"\u{1F600}\":\"Emoji: Grinning Face\","
        + "\"\u{FB33}\":\"Hebrew Letter Dalet With Dagesh\"}")
  }

  @Test("white space goes, escapes take their one form, nesting is sorted too")
  func form() throws {
    #expect(
      try canonical(#" { "b" : [ {"z":1, "a":"\u0041\/\u001F"} ], "a" : -7 } "#)
        == #"{"a":-7,"b":[{"a":"A/\u001f","z":1}]}"#)
  }

  @Test(
    "a number that readers could take for different ones is refused",
    arguments: [
      "1.0", "1e3", "-0", "9007199254740992", "-9007199254740992", "99999999999999999999",
    ])
  func numbers(text: String) {
    #expect(throws: ProbeError.self) { try canonical(text) }
  }

  @Test("the largest integers that all readers share are kept")
  func largest() throws {
    let text = "[9007199254740991,-9007199254740991,0]"
    #expect(try canonical(text) == text)
  }
}
