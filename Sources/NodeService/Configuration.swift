import Glibc
import Yams

/// What an admin sets in /etc/datacrumbs/datacrumbs.conf. Every key has a default.
public struct Configuration: Sendable {
  /// Where the file is.
  public static let path = "/etc/datacrumbs/datacrumbs.conf"

  /// What becomes of a job that cannot be traced: `on_failure`.
  var onFailure = JobStatus.FailureRule.continue
  /// Where traces go: `trace_dir`.
  var traceDirectory = TraceDirectory.default
  /// Where a tracer that keeps a log of its own writes it: `log_dir`.
  var logDirectory = "/var/log/datacrumbs"
  /// The cluster that probe files must be made for: `cluster`. Any, where nil.
  var cluster: String?
  /// Seconds to read the probe file: `limits.read`.
  var readLimit = 10
  /// Seconds until the tracer must be ready: `limits.start`.
  var startLimit = 30
  /// Seconds until the tracer must have ended: `limits.stop`.
  var stopLimit = 30

  /// The defaults.
  public init() {}

  /// Reads the file, or gives the defaults where there is none.
  public init(path: String) throws(ServiceError) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    if file < 0, errno == ENOENT {
      self.init()
      return
    }
    var text: [UInt8]?
    if file >= 0 {
      text = [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
        count = max(0, read(file, buffer.baseAddress, buffer.count))
      }
      close(file)
    }
    guard let text else {
      throw ServiceError(
        "cannot read: \(path): \(errorText(errno))",
        exitCode: ServiceError.configuration)
    }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw ServiceError("not UTF-8: \(path)", exitCode: ServiceError.configuration)
    }
    try self.init(text: string, path: path)
  }

  /// Reads the file's text; `path` is for messages.
  init(text: String, path: String) throws(ServiceError) {
    self.init()
    // A file with comments alone, as it is shipped, needs no YAML reader.
    let isEmpty = text.split(separator: "\n").allSatisfy {
      $0.drop { $0 == " " || $0 == "\t" }.first.map { $0 == "#" } ?? true
    }
    if isEmpty { return }
    let root: Node?
    do {
      root = try compose(yaml: text)
    } catch {
      throw ServiceError("not YAML: \(path): \(error)", exitCode: ServiceError.configuration)
    }
    guard let root else { return }
    var reader = Reader(path: path)
    for (key, value) in try reader.entries(root, under: "") {
      switch key {
      case "on_failure":
        let text = try reader.text(value, key)
        guard let rule = JobStatus.FailureRule(rawValue: text) else {
          throw reader.error(value, key, "\(text)", "write continue or fail_job")
        }
        onFailure = rule
      case "trace_dir":
        let text = try reader.text(value, key)
        guard let directory = TraceDirectory(text) else {
          throw reader.error(
            value, key, text, "write a path that starts with / or %w; %w %j %u %h and %% are known")
        }
        traceDirectory = directory
      case "log_dir":
        logDirectory = try reader.text(value, key)
        guard logDirectory.hasPrefix("/") else {
          throw reader.error(value, key, logDirectory, "write a path that starts with /")
        }
      case "cluster":
        cluster = try reader.text(value, key)
      case "limits":
        for (name, value) in try reader.entries(value, under: "limits.") {
          switch name {
          case "read": readLimit = try reader.seconds(value, "limits.read")
          case "start": startLimit = try reader.seconds(value, "limits.start")
          case "stop": stopLimit = try reader.seconds(value, "limits.stop")
          default: throw reader.unknown(value, "limits." + name, "read, start, stop")
          }
        }
      default:
        throw reader.unknown(value, key, "on_failure, trace_dir, log_dir, cluster, limits")
      }
    }
  }

  private struct Reader {
    let path: String
    private var seen: Set<String> = []

    init(path: String) {
      self.path = path
    }

    mutating func entries(_ node: Node, under prefix: String) throws(ServiceError) -> [(
      String, Node
    )] {
      guard case .mapping(let mapping) = node else {
        if case .scalar(let scalar) = node, scalar.string.isEmpty { return [] }
        throw error(
          node, prefix.isEmpty ? "the file" : prefix, "no list of keys", "write key: value lines")
      }
      var entries: [(String, Node)] = []
      for (key, value) in mapping {
        guard case .scalar(let name) = key else {
          throw error(key, prefix, "a key that is no word", "write key: value lines")
        }
        guard seen.insert(prefix + name.string).inserted else {
          throw error(key, prefix + name.string, "given twice", "keep one")
        }
        entries.append((name.string, value))
      }
      return entries
    }

    func text(_ node: Node, _ key: String) throws(ServiceError) -> String {
      guard case .scalar(let scalar) = node, !scalar.string.isEmpty else {
        throw error(node, key, "no text", "write one value")
      }
      return scalar.string
    }

    func seconds(_ node: Node, _ key: String) throws(ServiceError) -> Int {
      let text = try text(node, key)
      // The unit's own limits, which hold where this program is killed, are 90 s.
      guard let seconds = Int(text), (1...60).contains(seconds) else {
        throw error(node, key, text, "write whole seconds from 1 to 60")
      }
      return seconds
    }

    func unknown(_ node: Node, _ key: String, _ known: String) -> ServiceError {
      error(node, key, "unknown key", "known are \(known)")
    }

    func error(_ node: Node, _ key: String, _ what: String, _ remedy: String) -> ServiceError {
      let line = node.mark.map { ":\($0.line)" } ?? ""
      return ServiceError(
        "bad configuration: \(path)\(line): \(key): \(what): \(remedy)",
        exitCode: ServiceError.configuration)
    }
  }
}
