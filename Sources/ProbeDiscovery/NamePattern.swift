import ProbeDocument
import _StringProcessing

/// A regular expression that a name must match as a whole, in the dialect of the existing
/// configurations (ECMAScript, look-ahead included).
struct NamePattern {
  private let regex: Regex<AnyRegexOutput>?

  /// Every name, where `text` is nil.
  init(_ text: String?, of entry: String) throws(ProbeError) {
    guard let text, text != ".*" else {
      regex = nil
      return
    }
    do {
      regex = try Regex(text).matchingSemantics(.unicodeScalar).asciiOnlyCharacterClasses()
    } catch {
      throw ProbeError(
        "\(entry): the regex is none (\(text))", "correct it; look-ahead is (?!...) and (?=...)")
    }
  }

  func matches(_ name: String) -> Bool {
    guard let regex else { return true }
    return (try? regex.wholeMatch(in: name)) != nil
  }
}
