import Glibc
import TraceRequest

/// Ends what belongs to no job of this node any more: an epilog that never ran,
/// as after a kill of slurmd, leaves a tracer and its files.
///
/// A job's own process here (slurmstepd) is proof that it lives. For the rest Slurm is
/// asked, once for all of them; where it does not answer, nothing is touched.
public struct Reaper {
  private let service: NodeService
  private let squeue: Command
  private let steps: StepProcesses

  /// - Parameter service: what stops them.
  public init(service: NodeService) {
    // `localhost` is the node that squeue runs on, by whatever name Slurm has for it.
    self.init(
      service: service,
      squeue: Command(
        path: getenv("DATACRUMBS_SQUEUE").map { String(cString: $0) } ?? "/usr/bin/squeue",
        arguments: ["--noheader", "--all", "--nodelist=localhost", "--format=%A"]),
      steps: StepProcesses())
  }

  init(service: NodeService, squeue: Command, steps: StepProcesses) {
    self.service = service
    self.squeue = squeue
    self.steps = steps
  }

  /// Stops the tracers of ended jobs and removes their files.
  ///
  /// What became of the tracers of ended jobs.
  public struct Outcome: Sendable {
    /// The jobs whose tracers are gone.
    public internal(set) var ended: [RunID] = []
    /// The jobs whose tracers are still there, and why.
    public internal(set) var failed: [(job: RunID, reason: ServiceError)] = []
  }

  /// One that cannot be ended keeps no other from it.
  ///
  /// - Parameter limit: seconds to wait for Slurm.
  public func reap(limit: Int) throws(ServiceError) -> Outcome {
    // Only Slurm's jobs: what datacrumbs_service_wrapper or Flux started is not in its books.
    let candidates = try service.jobs(of: .slurm)
    let here = steps.jobs()
    let unsure = candidates.filter { !here.contains($0.description) }
    if unsure.isEmpty { return Outcome() }
    let listed = try jobsInQueue(limit: limit)
    var outcome = Outcome()
    for job in unsure where !listed.contains(job.description) {
      journal(
        .warning, job: job, user: nil, "no such job on this node any more: its tracer is ended")
      do throws(ServiceError) {
        try service.stop(job)
        outcome.ended.append(job)
      } catch {
        outcome.failed.append((job, error))
      }
    }
    return outcome
  }

  private func jobsInQueue(limit: Int) throws(ServiceError) -> Set<String> {
    let output = try squeue.output(until: Deadline(seconds: limit))
    return Set(
      String(decoding: output, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
    )
  }
}
