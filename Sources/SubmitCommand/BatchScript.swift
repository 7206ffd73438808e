import CLibc
import TraceRequest

/// The `#SBATCH` lines of a batch script, as far as they set a comment.
enum BatchScript {
  /// The comment that the script sets, the last where it sets several; nil where it sets none or
  /// cannot be read, which sbatch itself will tell.
  static func comment(path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var comment: String?
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) >= 0, let line {
      let text = String(cString: line)
      // sbatch stops at the first line that is neither blank nor a comment.
      guard text.utf8.first == UInt8(ascii: "#") || text.allSatisfy(\.isWhitespace) else { break }
      guard text.utf8.starts(with: "#SBATCH".utf8) else { continue }
      comment = Self.comment(line: String(text.dropFirst("#SBATCH".count))) ?? comment
    }
    return comment
  }

  /// The comment that one line sets.
  static func comment(line: String) -> String? {
    let words = words(of: line)
    for (index, word) in words.enumerated() {
      if word.hasPrefix("--comment=") { return String(word.dropFirst("--comment=".count)) }
      if word == "--comment", index + 1 < words.count { return words[index + 1] }
    }
    return nil
  }

  /// Splits a line as sbatch does: at white space, which quotes and a backslash protect; a `#`
  /// that begins a word begins a comment.
  private static func words(of line: String) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var characters = line.makeIterator()
    while let character = characters.next() {
      if let open = quote {
        if character == open {
          quote = nil
        } else if character == "\\", open == "\"", let next = characters.next() {
          word = (word ?? "") + String(next)
        } else {
          word = (word ?? "") + String(character)
        }
      } else if character == "\"" || character == "'" {
        quote = character
        word = word ?? ""
      } else if character == "\\" {
        word = (word ?? "") + (characters.next().map(String.init) ?? "")
      } else if character.isWhitespace {
        if let whole = word { words.append(whole) }
        word = nil
      } else if character == "#", word == nil {
        break
      } else {
        word = (word ?? "") + String(character)
      }
    }
    if let whole = word { words.append(whole) }
    return words
  }
}
