/// The settings in a text of `key: value` lines, with one level of sections.
///
/// It is YAML, and the part of it that means the same to every reader: comments,
/// plain values, values in single quotes, values in double quotes without
/// escapes. Anything else is an error with its line, never a guess. A whole
/// YAML reader would make this program, which runs in every traced job's prolog, 8 times
/// as large and 5 ms slower to start (it brings Foundation along).
struct SettingsText {
  /// One `key: value`; `section.key` inside a section.
  struct Entry {
    let key: String
    let value: String
    /// Counted from 1.
    let line: Int
  }

  /// What is wrong, and where.
  struct Mistake: Error {
    let line: Int
    let reason: String
  }

  private(set) var entries: [Entry] = []

  init(_ text: String) throws(Mistake) {
    var section: String?
    var indentation: Int?
    var seen: Set<String> = []
    // A line break of Windows is one Character.
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, line) in lines.enumerated() {
      let number = index + 1
      let content = line.drop { $0 == " " }
      if content.isEmpty || content.first == "#" || index == 0 && line == "---" { continue }
      if content.contains("\t") {
        throw Mistake(line: number, reason: "a tab: indent and separate with spaces")
      }
      let depth = line.count - content.count
      let (name, value) = try Self.split(content, number)
      var key = name
      if depth == 0 {
        section = value == nil ? name : nil
        indentation = nil
      } else {
        guard let section, value != nil, indentation ?? depth == depth else {
          throw Mistake(line: number, reason: "indented in a way that makes no section: \(name)")
        }
        indentation = depth
        key = section + "." + name
      }
      guard seen.insert(key).inserted else {
        throw Mistake(line: number, reason: "\(key): given twice: keep one")
      }
      entries.append(Entry(key: key, value: value ?? "", line: number))
    }
  }

  private static func split(
    _ content: Substring, _ line: Int
  ) throws(Mistake) -> (String, String?) {
    let isLetter: (Character) -> Bool = { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    let name = content.prefix(while: isLetter)
    let rest = content[name.endIndex...]
    guard !name.isEmpty, rest.first == ":", rest.count == 1 || rest.dropFirst().first == " " else {
      throw Mistake(line: line, reason: "not a `key: value` line: \(content)")
    }
    return (String(name), try value(rest.dropFirst().drop { $0 == " " }, line))
  }

  /// Nil where there is none.
  private static func value(_ text: Substring, _ line: Int) throws(Mistake) -> String? {
    guard let first = text.first, first != "#" else { return nil }
    if first == "'" || first == "\"" {
      let inner = text.dropFirst()
      guard let end = inner.firstIndex(of: first) else {
        throw Mistake(line: line, reason: "no closing quote: \(text)")
      }
      let rest = inner[inner.index(after: end)...]
      let behind = rest.drop { $0 == " " }
      guard behind.isEmpty || behind.first == "#" && rest.first == " " else {
        throw Mistake(line: line, reason: "text behind the closing quote: \(behind)")
      }
      let value = inner[..<end]
      if first == "\"", value.contains("\\") {
        throw Mistake(line: line, reason: "a backslash in double quotes: use single quotes")
      }
      return String(value)
    }
    var plain = text
    if let comment = text.indices.first(where: {
      text[$0] == "#" && $0 > text.startIndex && text[text.index(before: $0)] == " "
    }) {
      plain = text[..<comment]
    }
    while plain.last == " " { plain.removeLast() }
    if "[]{},&*!|>%@`?-:=".contains(first) || plain.contains(": ") || plain.last == ":" {
      throw Mistake(line: line, reason: "put this in single quotes: \(plain)")
    }
    return String(plain)
  }
}
