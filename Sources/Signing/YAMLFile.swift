import ProbeDocument
import TraceRequest
import Yams

/// Reads YAML of a known shape. Each error names the file and the line.
public struct YAMLFile: Sendable {
  /// For messages.
  public let path: String

  /// A file that is called so.
  public init(path: String) {
    self.path = path
  }

  /// `what is wrong` at a place of the file.
  public func error(_ what: String, _ node: Node) -> ProbeError {
    let line = node.mark.map { ":\($0.line)" } ?? ""
    return ProbeError(what + " (\(path)\(line))", "correct the file", exitStatus: .badData)
  }

  /// A key that is not known.
  public func unknown(_ key: String, _ node: Node) -> ProbeError {
    error("the key \(key) is not known", node)
  }

  /// The file's value; nil where it is empty.
  public func root(_ text: String) throws(ProbeError) -> Node? {
    do {
      return try compose(yaml: text)
    } catch {
      let reason = "\(error)".split(separator: "\n").joined(separator: " ")
      throw ProbeError("\(path) is no YAML (\(reason))", "correct the file", exitStatus: .badData)
    }
  }

  /// The entries of a mapping. A key that stands there twice is an error.
  public func entries(_ node: Node, in place: String) throws(ProbeError) -> [(String, Node)] {
    guard case .mapping(let mapping) = node else {
      throw error("\(place) holds no keys", node)
    }
    var entries: [(String, Node)] = []
    for (key, value) in mapping {
      guard let name = key.string else { throw error("a key of \(place) is no text", key) }
      guard !entries.contains(where: { $0.0.hasSameBytes(as: name) }) else {
        throw error("the key \(name) stands there twice", key)
      }
      entries.append((name, value))
    }
    return entries
  }

  /// The elements of a sequence.
  public func list(_ node: Node, _ key: String) throws(ProbeError) -> [Node] {
    guard case .sequence(let sequence) = node else { throw error("\(key) is no list", node) }
    return Array(sequence)
  }

  /// A text, or a number as it is written.
  public func text(_ node: Node, _ key: String) throws(ProbeError) -> String {
    guard case .scalar(let scalar) = node, !scalar.string.utf8.contains(0) else {
      throw error("\(key) is no text", node)
    }
    return scalar.string
  }

  /// A list of texts.
  public func texts(_ node: Node, _ key: String) throws(ProbeError) -> [String] {
    var texts: [String] = []
    for element in try list(node, key) { texts.append(try text(element, key)) }
    return texts
  }

  /// `true` or `false`.
  public func flag(_ node: Node, _ key: String) throws(ProbeError) -> Bool {
    switch try text(node, key).lowercased() {
    case "true", "yes", "on": return true
    case "false", "no", "off": return false
    default: throw error("\(key) is neither true nor false", node)
    }
  }

  func number(
    _ node: Node, _ key: String, _ range: ClosedRange<Int>
  ) throws(ProbeError) -> Int {
    guard let number = Int(try text(node, key)), range.contains(number) else {
      throw error("\(key) is not from \(range.lowerBound) to \(range.upperBound)", node)
    }
    return number
  }

  func duration(_ node: Node, _ key: String) throws(ProbeError) -> Int64 {
    guard let seconds = seconds(ofDuration: try text(node, key)) else {
      throw error("\(key) is no duration such as 12h or 30d", node)
    }
    return seconds
  }

  /// The word of a kind of probe.
  public func kind(_ node: Node) throws(ProbeError) -> ProbeKind {
    guard let kind = ProbeKind(word: try text(node, "probe")) else {
      throw error("probe is none of syscalls, kprobe, uprobe, usdt", node)
    }
    return kind
  }
}
