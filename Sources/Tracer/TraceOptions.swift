import CTracerBPF
import ProbeDocument

/// What the probe file's summary says about how to trace; it is signed with the rest.
///
/// - `mode`: `trace`, every call, the default; or `profile`, sums of each interval
/// - `profile_interval_ms`: the length of an interval, 100 to 3,600,000, by default 1,000
/// - `inclusion_paths`: folders, separated by colons; only calls on files below them are kept
/// - `time_unit`: of `ts` and `dur`: `us`, whole microseconds, the default; or `ns`, microseconds with three
///   decimals
struct TraceOptions {
  /// How times are written.
  enum TimeUnit: String {
    case microseconds = "us"
    case nanoseconds = "ns"
  }

  let isProfile: Bool
  let profileMilliseconds: Int
  let inclusionPaths: [InclusionPath]
  let timeUnit: TimeUnit

  init(_ document: ProbeDocument) throws(TracerError) {
    switch document.summary["mode"] {
    case nil, "trace": isProfile = false
    case "profile": isProfile = true
    case .some(let other):
      throw TracerError(.badData, "the probe file's mode is not known: \(other): trace or profile")
    }
    if let text = document.summary["profile_interval_ms"] {
      guard let value = Int(text), (100...3_600_000).contains(value) else {
        throw TracerError(
          .badData, "the probe file's profile_interval_ms is no number from 100 to 3600000: \(text)"
        )
      }
      profileMilliseconds = value
    } else {
      profileMilliseconds = 1000
    }
    var paths: [InclusionPath] = []
    for path in document.summary["inclusion_paths"]?.split(separator: ":") ?? [] {
      paths.append(try InclusionPath(String(path)))
    }
    guard paths.count <= Int(DC_FOLDERS) else {
      throw TracerError(
        .badData,
        "the probe file has \(paths.count) inclusion paths: name at most \(DC_FOLDERS) folders")
    }
    inclusionPaths = paths
    let unit = document.summary["time_unit"] ?? TimeUnit.microseconds.rawValue
    guard let timeUnit = TimeUnit(rawValue: unit) else {
      throw TracerError(.badData, "the probe file's time_unit is not known: \(unit): us or ns")
    }
    self.timeUnit = timeUnit
  }
}
