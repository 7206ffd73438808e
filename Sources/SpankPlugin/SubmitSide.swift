import CLibc
import TraceRequest

/// srun, sbatch and salloc: turns the options into a request, refuses what is
/// wrong before anything is queued, and sends the request along with the job.
struct SubmitSide<S: Slurm> {
  let slurm: S
  /// srun, which may start a step; sbatch and salloc always make a job.
  let isSrun: Bool
  let options: RequestOptions
  /// Read when a request is there: a mistake in plugstack.conf is told to those
  /// who trace, not to everybody.
  let settings: () -> PluginSettings

  /// - Throws: where the request is refused.
  func submit() throws(RequestError) {
    let directory = { () throws(RequestError) in try TraceRequest.workingDirectory() }
    guard !isStep else {
      return try options.checkStep(environment: slurm.environment, directory: directory)
    }
    guard let request = try options.request(environment: slurm.environment, directory: directory)
    else { return }
    let settings = settings()
    try request.check(
      verifier: settings.programs + "/datacrumbs_probes", limit: settings.verifyLimit)
    try send(request)
  }

  /// Whether this is an srun that starts a step of a job that is there already.
  private var isStep: Bool {
    guard isSrun else { return false }
    if slurm.environment("SLURM_JOB_ID") != nil { return true }
    guard let job = slurm.option("jobid") else { return false }
    return !job.hasSameBytes(as: "unset")
  }

  private func send(_ request: TraceRequest) throws(RequestError) {
    let sent = slurm.setJobControl(TraceRequest.jobControlVariable, request.probeFile)
    // Slurm hands the option's text on as it was given: to steps, and to an
    // sbatch inside of the job. There a relative path would mean another file.
    _ = slurm.setJobControl(
      "_SLURM_SPANK_OPTION_datacrumbs_datacrumbs_probe_file", request.probeFile)
    let commented = slurm.setOption(
      "comment", request.comment(mergedInto: slurm.option("comment")))
    guard sent || commented else {
      throw RequestError(
        "this release of Slurm takes neither a comment nor job control variables from a plugin",
        RequestOptions.enableOption, "submit with datacrumbs_sbatch or datacrumbs_salloc")
    }
  }
}
