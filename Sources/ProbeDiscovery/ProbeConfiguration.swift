import Glibc
import ProbeDocument
import Signing
import Yams

/// What a user wants traced: the YAML file that DataCrumbs calls a configuration.
public struct ProbeConfiguration: Sendable {
  /// One entry of `capture_probes`.
  public struct Entry: Sendable {
    /// Where the names of functions come from.
    public enum Source: Sendable {
      /// They are written in the entry: `functions`.
      case list([String])
      /// Declarations of a C header: `type: header`, `file`.
      case header(String)
      /// Symbols of a program or library: `type: binary`, `file`.
      case binary(String, includeOffsets: Bool)
      /// Symbols of the running kernel: `type: ksym`.
      case kernelSymbols
      /// Static tracepoints of a program or library: `type: usdt`, `binary_path`, `provider`.
      case tracepoints(String, provider: String?)
    }

    /// The category's name.
    public let name: String
    /// What the functions are.
    public let kind: ProbeKind
    /// Where their names come from.
    public let source: Source
    /// The names must match it as a whole; every name where nil.
    public let regex: String?
    /// The program or library of uprobes and tracepoints.
    public let binaryPath: String?
    /// The provider of tracepoints.
    public let provider: String?
  }

  /// The entries, in the file's order.
  public let entries: [Entry]
  /// How the functions are recorded.
  public let options: RecordingOptions

  /// Reads a configuration's text; `path` is for messages.
  public init(yaml: String, path: String) throws(ProbeError) {
    let file = YAMLFile(path: path)
    guard let root = try file.root(yaml) else {
      throw ProbeError("\(path) is empty", "write capture_probes into it")
    }
    var entries: [Entry]?
    var mode: RecordingOptions.Mode?
    var interval: Int?
    var paths: [String] = []
    var unit: RecordingOptions.TimeUnit?
    for (key, value) in try file.entries(root, in: "the file") {
      switch key {
      case "capture_probes":
        var read: [Entry] = []
        for node in try file.list(value, key) {
          if let entry = try Entry(node, file) { read.append(entry) }
        }
        entries = read
      case "mode":
        mode = RecordingOptions.Mode(rawValue: try file.text(value, key))
        guard mode != nil else { throw file.error("mode is neither trace nor profile", value) }
      case "profile_interval_ms":
        interval = Int(try file.text(value, key))
        guard let interval, RecordingOptions.intervals.contains(interval) else {
          throw file.error(
            "profile_interval_ms is no number from \(RecordingOptions.intervals.lowerBound) to "
              + "\(RecordingOptions.intervals.upperBound)", value)
        }
      case "time_unit":
        unit = RecordingOptions.TimeUnit(rawValue: try file.text(value, key))
        guard unit != nil else { throw file.error("time_unit is neither us nor ns", value) }
      case "inclusion_paths": paths += try file.texts(value, key)
      // DataCrumbs's own name for them: one text, with colons between the folders.
      case "inclusion_path":
        paths += try file.text(value, key).split(separator: ":").map(String.init)
      // Of DataCrumbs's own programs; they say nothing about what to trace.
      case "name", "user", "profiling_interval", "trace_log_dir", "data_dir": continue
      default: throw file.unknown(key, value)
      }
    }
    guard let entries, !entries.isEmpty else {
      throw ProbeError("\(path) has no capture_probes", "write what to trace into it")
    }
    self.entries = entries
    do throws(ProbeError) {
      options = try RecordingOptions(
        mode: mode, intervalMilliseconds: interval, inclusionPaths: paths, timeUnit: unit)
    } catch {
      throw ProbeError("\(path): \(error.what)", error.remedy)
    }
  }
}

extension ProbeConfiguration.Entry {
  /// Reads one entry; nil where `enable_explorer: false` takes it out.
  init?(_ node: Node, _ file: YAMLFile) throws(ProbeError) {
    var texts: [String: String] = [:]
    var functions: [String]?
    var offsets: Bool?
    var isWanted = true
    for (key, value) in try file.entries(node, in: "an entry of capture_probes") {
      switch key {
      case "name", "probe", "type", "file", "regex", "binary_path", "provider":
        texts[key] = try file.text(value, key)
      case "functions": functions = try file.texts(value, key)
      case "include_offsets": offsets = try file.flag(value, key)
      case "enable_explorer": isWanted = try file.flag(value, key)
      case "probes", "start_event_id", "process_header", "event_type": texts[key] = ""
      default: throw file.unknown(key, value)
      }
    }
    if !isWanted { return nil }
    guard let name = texts["name"], !name.isEmpty else {
      throw file.error("an entry has no name", node)
    }
    if texts["probe"] == "custom" || texts["type"] == "custom" {
      throw file.error("\(name): custom BPF is never traced: take the entry out", node)
    }
    guard let word = texts["probe"] else { throw file.error("\(name) has no probe", node) }
    guard let kind = ProbeKind(word: word) else {
      throw file.error("\(name): probe is none of syscalls, kprobe, uprobe, usdt", node)
    }
    self.name = name
    self.kind = kind
    regex = texts["regex"]
    provider = texts["provider"]
    let binary = texts["binary_path"] ?? (texts["type"] == "header" ? nil : texts["file"])
    binaryPath = kind == .uprobe || kind == .usdt ? binary : nil
    if kind == .uprobe || kind == .usdt {
      guard binaryPath != nil else {
        throw file.error("\(name): a \(word) needs the path of its binary (file)", node)
      }
    }
    if let functions {
      guard !functions.isEmpty else { throw file.error("\(name): functions is empty", node) }
      source = .list(functions)
      return
    }
    func path() throws(ProbeError) -> String {
      guard let path = texts["file"] ?? binary else {
        throw file.error("\(name) has no file", node)
      }
      return path
    }
    switch texts["type"] {
    case "header": source = .header(try path())
    case "binary": source = .binary(try path(), includeOffsets: offsets ?? false)
    case "ksym": source = .kernelSymbols
    case "usdt": source = .tracepoints(try path(), provider: provider)
    case nil: throw file.error("\(name) has neither functions nor a type", node)
    default: throw file.error("\(name): type is none of header, binary, ksym, usdt", node)
    }
  }
}

extension ProbeConfiguration {
  /// The text with `@NAME@` replaced by the variable of that name, as the templates of DataCrumbs
  /// have it. `@DATACRUMBS_KERNEL_HEADERS_PATH@` has a value of its own: the headers of the running
  /// kernel.
  public static func filled(
    _ text: String, path: String, _ variables: [String: String]
  ) throws(ProbeError) -> String {
    func isNameByte(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
    }
    var result: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let at = rest.firstIndex(of: UInt8(ascii: "@")) {
      result += rest[..<at]
      let name = rest[(at + 1)...].prefix(while: isNameByte)
      guard !name.isEmpty, name.endIndex < rest.endIndex,
        rest[name.endIndex] == UInt8(ascii: "@")
      else {
        result.append(UInt8(ascii: "@"))
        rest = rest[(at + 1)...]
        continue
      }
      let variable = String(decoding: name, as: UTF8.self)
      guard let value = variables[variable] else {
        throw ProbeError(
          "\(path): @\(variable)@ has no value",
          "set \(variable) in the environment, or write a path")
      }
      result += value.utf8
      rest = rest[(name.endIndex + 1)...]
    }
    return String(decoding: result + rest, as: UTF8.self)
  }

  /// What the templates' names stand for: the environment's variables, and the running kernel's
  /// headers where there are some.
  public static func templateVariables() -> [String: String] {
    var variables: [String: String] = [:]
    var system = utsname()
    if uname(&system) == 0 {
      let release = withUnsafeBytes(of: system.release) { buffer in
        String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
      }
      for folder in ["source", "build"].map({ "/lib/modules/\(release)/" + $0 })
      where access(folder, R_OK) == 0 {
        variables["DATACRUMBS_KERNEL_HEADERS_PATH"] = folder
        break
      }
    }
    var entry = environ
    while let text = entry.pointee {
      let parts = String(cString: text).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      entry += 1
    }
    return variables
  }
}
