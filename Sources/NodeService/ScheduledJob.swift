import Glibc
import TraceRequest

/// The job whose prolog or epilog a scheduler runs, read from the environment
/// that the scheduler gives it.
public struct ScheduledJob: Sendable {
  /// Its id; Flux's in decimal.
  public let id: RunID
  /// Its owner.
  public let uid: UInt32
  /// Its working directory, where the scheduler tells it.
  public let workDirectory: String?
  /// Whose job it is.
  public let scheduler: Scheduler
  private let environment: @Sendable (String) -> String?

  /// The schedulers that are known.
  public enum Scheduler: String, Sendable, CaseIterable {
    /// Slurm: the request is in slurmd's prolog environment.
    case slurm = "SLURM"
    /// Flux: the request is in the jobspec.
    case flux = "FLUX"
  }

  /// Reads a scheduler's environment.
  ///
  /// - Parameters:
  ///   - name: the scheduler; nil: the one whose job id is there.
  ///   - environment: a variable's value by its name.
  public init(
    scheduler name: String?, environment: @escaping @Sendable (String) -> String?
  ) throws(ServiceError) {
    scheduler = try Self.scheduler(name, environment)
    self.environment = environment
    let names =
      switch scheduler {
      case .slurm: (job: "SLURM_JOB_ID", user: "SLURM_JOB_UID")
      case .flux: (job: "FLUX_JOB_ID", user: "FLUX_JOB_USERID")
      }
    guard let text = environment(names.job), let id = Self.id(text, scheduler) else {
      throw Self.missing(names.job, environment(names.job))
    }
    guard let user = environment(names.user), let uid = UInt32(user) else {
      throw Self.missing(names.user, environment(names.user))
    }
    self.id = id
    self.uid = uid
    workDirectory = scheduler == .slurm ? environment("SLURM_JOB_WORK_DIR") : nil
  }

  /// What names the job's cgroup: slurmd makes `.../job_ID/step_.../...` in both versions of
  /// cgroups (src/plugins/cgroup). Nil where no plugin of the scheduler's does.
  var cgroup: String? {
    switch scheduler {
    case .slurm: "job_\(id)"
    case .flux: nil
    }
  }

  private static func scheduler(
    _ name: String?, _ environment: (String) -> String?
  ) throws(ServiceError) -> Scheduler {
    if let name {
      if let known = Scheduler(rawValue: name.uppercased()) { return known }
      throw ServiceError(
        "unknown scheduler: \(name): SLURM and FLUX are known", exitStatus: .usage)
    }
    if environment("SLURM_JOB_ID") != nil { return .slurm }
    if environment("FLUX_JOB_ID") != nil { return .flux }
    throw ServiceError(
      "no scheduler's job: neither SLURM_JOB_ID nor FLUX_JOB_ID is set:"
        + " run it as a prolog or epilog, or use datacrumbs_service_wrapper",
      exitStatus: .usage)
  }

  private static func id(_ text: String, _ scheduler: Scheduler) -> RunID? {
    switch scheduler {
    case .slurm: UInt32(text).flatMap { RunID(String($0)) }
    case .flux: FluxJobID(text).flatMap { RunID(String($0.number)) }
    }
  }

  private static func missing(_ name: String, _ value: String?) -> ServiceError {
    ServiceError(
      "bad environment: \(name) is \(value.map { "\"\($0)\"" } ?? "not set"): it must be a number",
      exitStatus: .badData)
  }

  /// What the user asked for; nil where the user asked for nothing.
  ///
  /// - Parameter limit: seconds to wait for the scheduler's own client.
  /// - Throws: where the request cannot be honoured.
  public func request(limit: Int) throws(ServiceError) -> TraceRequest? {
    switch scheduler {
    case .slurm:
      do throws(RequestError) {
        return try TraceRequest(prologEnvironment: environment)
      } catch {
        throw ServiceError(error.text, exitStatus: error.exitStatus)
      }
    case .flux:
      let flux = Command(
        path: environment("DATACRUMBS_FLUX") ?? "/usr/bin/flux",
        arguments: ["job", "info", id.description, "jobspec"])
      let jobspec = try flux.output(until: Deadline(seconds: limit))
      do throws(RequestError) {
        return try TraceRequest(jobspec: jobspec)
      } catch {
        throw ServiceError(error.text, exitStatus: error.exitStatus)
      }
    }
  }
}

extension TraceRequest {
  /// Reads a request out of a Flux jobspec (RFC 25): `attributes.system.datacrumbs`.
  init?(jobspec: [UInt8]) throws(RequestError) {
    guard let spec = try? JSON(reading: jobspec) else {
      throw RequestError(
        "the jobspec is no JSON", "flux job info", "report it", exitStatus: .badData)
    }
    guard let request = spec["attributes"]?["system"]?["datacrumbs"] else { return nil }
    let comment = JSON.object([JSON.Member("datacrumbs", request)]).text
    try self.init(comment: String(decoding: comment, as: UTF8.self))
  }
}
