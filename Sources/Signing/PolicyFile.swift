import Glibc
import ProbeDocument
import TraceRequest
import Yams

extension Policy {
  /// Reads a policy file, or gives the default where there is none.
  public init(path: String) throws(ProbeError) {
    let text: [UInt8]
    do throws(FileError) {
      if !File.exists(path) {
        self.init()
        return
      }
      text = try File.read(path, limit: 1 << 20)
    } catch {
      throw ProbeError(
        "cannot read \(path) (\(error.reason))", "let the service read it",
        exitStatus: .configuration)
    }
    try self.init(yaml: String(decoding: text, as: UTF8.self), path: path)
  }

  /// Reads a policy's text; `path` is for messages.
  init(yaml: String, path: String) throws(ProbeError) {
    let file = YAMLFile(path: path)
    self.init()
    guard let root = try file.root(yaml) else { return }
    var shipped = true
    var own: [Denial] = []
    var rules: [Rule] = []
    for (key, value) in try file.entries(root, in: "the file") {
      switch key {
      case "cluster": cluster = try file.text(value, key)
      case "shipped_deny_list": shipped = try file.flag(value, key)
      case "deny":
        own = try file.list(value, key).map { node throws(ProbeError) in
          try Self.denial(node, file)
        }
      case "rules":
        rules = try file.list(value, key).map { node throws(ProbeError) in
          try Self.rule(node, file)
        }
      default: throw file.unknown(key, value)
      }
    }
    if !rules.isEmpty { self.rules = rules }
    deny = (shipped ? shippedDenyList : []) + own
  }

  private static func denial(_ node: Node, _ file: YAMLFile) throws(ProbeError) -> Denial {
    var kind: ProbeKind?
    var functions: [String] = []
    var reason: String?
    for (key, value) in try file.entries(node, in: "deny") {
      switch key {
      case "probe": kind = try file.kind(value)
      case "functions": functions = try file.texts(value, key)
      case "reason": reason = try file.text(value, key)
      default: throw file.unknown(key, value)
      }
    }
    guard !functions.isEmpty, let reason else {
      throw file.error("an entry of deny lacks functions or a reason", node)
    }
    return Denial(kind, functions, reason)
  }

  private static func rule(_ node: Node, _ file: YAMLFile) throws(ProbeError) -> Rule {
    var rule = Rule()
    for (key, value) in try file.entries(node, in: "rules") {
      switch key {
      case "users": rule.users = try file.texts(value, key)
      case "groups": rule.groups = try file.texts(value, key)
      case "probes":
        rule.probes = try file.list(value, key).map { node throws(ProbeError) in
          try file.kind(node)
        }
      case "allow":
        for (word, patterns) in try file.entries(value, in: key) {
          guard let kind = ProbeKind(word: word) else { throw file.unknown(word, patterns) }
          rule.allow[kind] = try file.texts(patterns, word).map { Pattern($0) }
        }
      case "deny":
        rule.deny = try file.list(value, key).map { node throws(ProbeError) in
          try denial(node, file)
        }
      case "paths": rule.paths = try file.texts(value, key).map { Pattern($0) }
      case "offsets": rule.isOffsetAllowed = try file.flag(value, key)
      case "functions": rule.functionLimit = try file.number(value, key, 1...100_000)
      case "argument_bytes": rule.argumentLimit = try file.number(value, key, 0...4096)
      case "lifetime": rule.lifetime = try file.duration(value, key)
      case "longest_lifetime": rule.longestLifetime = try file.duration(value, key)
      default: throw file.unknown(key, value)
      }
    }
    guard rule.lifetime <= rule.longestLifetime else {
      throw file.error("lifetime is longer than longest_lifetime", node)
    }
    return rule
  }
}

/// A duration as people write it: `90s`, `15m`, `12h`, `30d`.
public func seconds(ofDuration text: String) -> Int64? {
  let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
  guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
    count > 0, count <= SignRequest.longestLifetime / unit
  else { return nil }
  return count * unit
}
