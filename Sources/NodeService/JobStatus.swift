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
  public let state: State
  /// Why, in one line.
  public let reason: String
  /// When that was, RFC 3339 in UTC.
  public let since: String
  /// What becomes of the job when it cannot be traced.
  public let onFailure: FailureRule
  /// Whose job it is; nil where no scheduler started it.
  public let scheduler: ScheduledJob.Scheduler?

  init(
    _ state: State, _ reason: String, onFailure: FailureRule, scheduler: ScheduledJob.Scheduler?
  ) {
    self.state = state
    self.reason = reason
    self.since = Timestamp.now.text
    self.onFailure = onFailure
    self.scheduler = scheduler
  }

  /// Nil where the text is no status.
  init?(reading text: [UInt8]) {
    guard let json = try? JSON(reading: text), let state = json["state"]?.string.flatMap(State.init)
    else { return nil }
    self.state = state
    reason = json["reason"]?.string ?? ""
    since = json["since"]?.string ?? ""
    onFailure = json["on_failure"]?.string.flatMap(FailureRule.init) ?? .continue
    scheduler = json["scheduler"]?.string.flatMap(ScheduledJob.Scheduler.init)
  }

  var json: JSON {
    .object([
      JSON.Member("state", .string(state.rawValue)),
      JSON.Member("reason", .string(reason)),
      JSON.Member("since", .string(since)),
      JSON.Member("on_failure", .string(onFailure.rawValue)),
      JSON.Member("scheduler", .string(scheduler?.rawValue ?? "NONE")),
      JSON.Member("counts", .object([])),
    ])
  }
}
