import TraceRequest

/// How the functions of a document are recorded. It is part of the summary, and signed with it.
public struct RecordingOptions: Sendable {
  /// What is recorded of the calls.
  public enum Mode: String, Sendable {
    /// Every call: the default.
    case trace
    /// Sums of each interval.
    case profile
  }

  /// How times are written.
  public enum TimeUnit: String, Sendable {
    /// Whole microseconds, which every reader of traces takes: the default.
    case microseconds = "us"
    /// Microseconds with three decimals.
    case nanoseconds = "ns"
  }

  /// The intervals that can be asked for, in milliseconds.
  public static let intervals = 100...3_600_000

  /// The most folders that can be named: what the kernel's part of the tracer looks through.
  static let pathLimit = 16

  /// `mode`; nil where the document says nothing.
  public let mode: Mode?
  /// `profile_interval_ms`: the length of profile mode's intervals.
  public let intervalMilliseconds: Int?
  /// `inclusion_paths`: folders; only calls on files below them are recorded. All where empty.
  public let inclusionPaths: [String]
  /// `time_unit`; nil where the document says nothing.
  public let timeUnit: TimeUnit?

  /// Options.
  ///
  /// - Throws: where the interval is out of range, or a path cannot stand in a summary, where
  ///   colons part them.
  public init(
    mode: Mode? = nil, intervalMilliseconds: Int? = nil, inclusionPaths: [String] = [],
    timeUnit: TimeUnit? = nil
  ) throws(ProbeError) {
    if let intervalMilliseconds, !Self.intervals.contains(intervalMilliseconds) {
      throw ProbeError(
        "profile_interval_ms is \(intervalMilliseconds), not from \(Self.intervals.lowerBound) to "
          + "\(Self.intervals.upperBound)", "correct the configuration")
    }
    guard inclusionPaths.count <= Self.pathLimit else {
      throw ProbeError(
        "\(inclusionPaths.count) inclusion paths, where \(Self.pathLimit) is the limit",
        "name folders above them")
    }
    for path in inclusionPaths {
      guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count < 512,
        !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: ":") })
      else {
        throw ProbeError(
          "an inclusion path is not absolute, too long, or has a colon or control character in it "
            + "(\(path.prefix(80)))", "correct the configuration")
      }
    }
    self.mode = mode
    self.intervalMilliseconds = intervalMilliseconds
    self.inclusionPaths = inclusionPaths
    self.timeUnit = timeUnit
  }

  /// Every call, of every file.
  public static var standard: RecordingOptions {
    RecordingOptions()
  }

  private init() {
    mode = nil
    intervalMilliseconds = nil
    inclusionPaths = []
    timeUnit = nil
  }

  /// The names of the members of a summary that say how to record.
  public static let members = ["mode", "profile_interval_ms", "time_unit", "inclusion_paths"]

  /// The members of the summary that say so.
  public var summary: [String: String] {
    var members: [String: String] = [:]
    members["mode"] = mode?.rawValue
    members["time_unit"] = timeUnit?.rawValue
    members["profile_interval_ms"] = intervalMilliseconds.map { String($0) }
    if !inclusionPaths.isEmpty {
      members["inclusion_paths"] = inclusionPaths.joined(separator: ":")
    }
    return members
  }
}
