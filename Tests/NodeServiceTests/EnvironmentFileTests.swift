import Testing

@testable import NodeService

@Suite struct EnvironmentFileTests {
  private func text(_ value: String) throws -> String {
    var file = EnvironmentFile()
    try file.set("NAME", to: value)
    return String(decoding: file.text, as: UTF8.self)
  }

  @Test(arguments: [
    ("", "NAME=\"\"\n"),
    ("/home/alice/p.json.gz", "NAME=\"/home/alice/p.json.gz\"\n"),
    ("a b", "NAME=\"a b\"\n"),
    ("say \"hi\"", "NAME=\"say \\\"hi\\\"\"\n"),
    ("it's", "NAME=\"it's\"\n"),
    ("back\\slash", "NAME=\"back\\\\slash\"\n"),
    ("ends in \\", "NAME=\"ends in \\\\\"\n"),
    ("$(reboot) ${HOME} `id`", "NAME=\"\\$(reboot) \\${HOME} \\`id\\`\"\n"),
    ("two\nlines=1", "NAME=\"two\nlines=1\"\n"),
    ("\\\n", "NAME=\"\\\\\n\"\n"),
    ("# no comment; none", "NAME=\"# no comment; none\"\n"),
    ("größe/データ/🍞", "NAME=\"größe/データ/🍞\"\n"),
  ])
  func writesValuesThatSystemdReadsBack(value: String, expected: String) throws {
    #expect(Array(try text(value).utf8) == Array(expected.utf8))
    #expect(Array(SystemdReader.value(of: try text(value)).utf8) == Array(value.utf8))
  }

  @Test(arguments: ["\u{01}", "a\rb", "\u{1B}[31m", "\u{7F}"])
  func refusesWhatSystemdWouldDrop(value: String) {
    #expect(throws: ServiceError.self) { try text(value) }
  }

  @Test func readsBackAThousandRandomValues() throws {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("ab \"'\\`$\n\t{}()=#;é🍞")
    for _ in 0..<1_000 {
      let value = String(
        (0..<Int.random(in: 0..<20, using: &generator)).map { _ in
          alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
        })
      #expect(
        Array(SystemdReader.value(of: try text(value)).utf8) == Array(value.utf8),
        "\(value.debugDescription)")
    }
  }
}

/// The double-quoted part of systemd's reader, by its rules in systemd.exec(5)
/// and src/basic/env-file.c (state DOUBLE_QUOTE_VALUE and its escape).
private enum SystemdReader {
  static func value(of line: String) -> String {
    let bytes = Array(line.utf8)
    guard let quote = bytes.firstIndex(of: UInt8(ascii: "\"")) else { return "" }
    var value: [UInt8] = []
    var index = quote + 1
    while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
      if bytes[index] == UInt8(ascii: "\\") {
        index += 1
        if "\"\\`$".utf8.contains(bytes[index]) {
          value.append(bytes[index])
        } else if bytes[index] != UInt8(ascii: "\n") {
          value += [UInt8(ascii: "\\"), bytes[index]]
        }
      } else {
        value.append(bytes[index])
      }
      index += 1
    }
    return String(decoding: value, as: UTF8.self)
  }
}
