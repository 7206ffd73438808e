import Glibc
import TraceRequest

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
  /// MiB that a tracer may use: `memory_limit`.
  var memoryLimit = TracerMemory.standard
  /// Seconds to read the probe file: `limits.read`.
  var readLimit = 10
  /// Seconds until the tracer must be ready: `limits.start`.
  public private(set) var startLimit = 30
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
        exitStatus: .configuration)
    }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw ServiceError("not UTF-8: \(path)", exitStatus: .configuration)
    }
    try self.init(text: string, path: path)
  }

  /// Reads the file's text; `path` is for messages.
  init(text: String, path: String) throws(ServiceError) {
    self.init()
    let settings: SettingsText
    do throws(SettingsText.Mistake) {
      settings = try SettingsText(text)
    } catch {
      throw Self.error(path, error.line, error.reason)
    }
    for entry in settings.entries {
      if let remedy = take(entry) {
        let value = entry.value.isEmpty ? "no value" : entry.value
        throw Self.error(path, entry.line, "\(entry.key): \(value): \(remedy)")
      }
    }
  }

  /// Takes one setting. What to write instead where it is wrong, else nil.
  private mutating func take(_ entry: SettingsText.Entry) -> String? {
    switch entry.key {
    case "on_failure":
      guard let rule = JobStatus.FailureRule(rawValue: entry.value) else {
        return "write continue or fail_job"
      }
      onFailure = rule
    case "trace_dir":
      guard let directory = TraceDirectory(entry.value) else {
        return "write a path that starts with / or %w; %w, %j, %u, %h and %% are known"
      }
      traceDirectory = directory
    case "log_dir":
      guard entry.value.hasPrefix("/") else { return "write a path that starts with /" }
      logDirectory = entry.value
    case "cluster":
      if entry.value.isEmpty { return "write the cluster's name" }
      cluster = entry.value
    case "memory_limit":
      guard let limit = Int(entry.value), TracerMemory.range.contains(limit) else {
        return "write whole MiB from \(TracerMemory.range.lowerBound) to"
          + " \(TracerMemory.range.upperBound)"
      }
      memoryLimit = limit
    case "limits": return entry.value.isEmpty ? nil : "write read, start and stop below it"
    case "limits.read": return Self.take(entry, into: &readLimit)
    case "limits.start": return Self.take(entry, into: &startLimit)
    case "limits.stop": return Self.take(entry, into: &stopLimit)
    default:
      return
        "unknown key; known are on_failure, trace_dir, log_dir, cluster, memory_limit and limits"
        + " with read, start and stop"
    }
    return nil
  }

  private static func take(_ entry: SettingsText.Entry, into limit: inout Int) -> String? {
    // The unit's own limits, which hold where this program is killed, are 90 s.
    guard let seconds = Int(entry.value), (1...60).contains(seconds) else {
      return "write whole seconds from 1 to 60"
    }
    limit = seconds
    return nil
  }

  private static func error(_ path: String, _ line: Int, _ what: String) -> ServiceError {
    ServiceError(
      "bad configuration: \(path):\(line): \(what)", exitStatus: .configuration)
  }
}
