import ProbeDocument
import TraceRequest

/// What a job's status file says: /run/datacrumbs/<job>/status.
public struct JobStatus: Sendable {
  /// How far the job's tracing has come.
  public enum State: String, Sendable {
    /// Its tracer is being started.
    case starting
    /// Its tracer is ready.
    case tracing
    /// It is traced, and its trace lacks events: the tracer says so while it runs.
    case degraded
    /// It is not traced.
    case failed
  }

  /// What becomes of the job when it cannot be traced.
  public enum FailureRule: String, Sendable, CaseIterable {
    /// The job runs, untraced.
    case `continue`
    /// Its steps end with exit code 1.
    case failJob = "fail_job"
  }

  /// How far it has come.
  public private(set) var state: State
  /// Why, in one line.
  public private(set) var reason: String
  /// When that was, RFC 3339 in UTC.
  public let since: String
  /// What becomes of the job when it cannot be traced.
  public let onFailure: FailureRule
  /// Whose job it is; nil where no scheduler started it.
  public let scheduler: ScheduledJob.Scheduler?
  /// How many functions are traced, and events lost by reason.
  private var counts = JSON.object([])
  /// Functions of the probe file that are not traced, and why.
  private var notAttached: JSON?

  init(
    _ state: State, _ reason: String, onFailure: FailureRule, scheduler: ScheduledJob.Scheduler?
  ) {
    self.state = state
    self.reason = reason.onOneLine
    self.since = Timestamp.now.text
    self.onFailure = onFailure
    self.scheduler = scheduler
  }

  /// Nil where the text is no status.
  init?(reading text: [UInt8]) {
    guard let json = try? JSON(reading: text), let state = json["state"]?.string.flatMap(State.init)
    else { return nil }
    self.state = state
    reason = json["reason"]?.string?.onOneLine ?? ""
    since = json["since"]?.string ?? ""
    onFailure = json["on_failure"]?.string.flatMap(FailureRule.init) ?? .continue
    scheduler = json["scheduler"]?.string.flatMap(ScheduledJob.Scheduler.init)
  }

  /// Takes in what the tracer says of itself, where the job is traced. What is no JSON is
  /// passed over: the tracer is writing.
  mutating func take(tracer text: [UInt8]) {
    guard state == .tracing, let json = try? JSON(reading: text) else { return }
    if json["state"]?.string == State.degraded.rawValue { state = .degraded }
    reason = json["reason"]?.string?.onOneLine ?? reason
    counts = json["counts"] ?? counts
    notAttached = json["not_attached"]
  }

  var json: JSON {
    var members = [
      JSON.Member("state", .string(state.rawValue)),
      JSON.Member("reason", .string(reason)),
      JSON.Member("since", .string(since)),
      JSON.Member("on_failure", .string(onFailure.rawValue)),
      JSON.Member("scheduler", .string(scheduler?.rawValue ?? "NONE")),
      JSON.Member("counts", counts),
    ]
    if let notAttached { members.append(JSON.Member("not_attached", notAttached)) }
    return .object(members)
  }
}
