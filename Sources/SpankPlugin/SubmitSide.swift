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
    guard !isStep else { return try checkStep() }
    guard
      let request = try options.request(
        environment: slurm.environment, directory: try workingDirectory())
    else { return }
    try checkFile(request.probeFile)
    try verify(request.probeFile)
    try send(request)
  }

  /// Whether this is an srun that starts a step of a job that is there already.
  private var isStep: Bool {
    guard isSrun else { return false }
    if slurm.environment("SLURM_JOB_ID") != nil { return true }
    guard let job = slurm.option("jobid") else { return false }
    return !job.hasSameBytes(as: "unset")
  }

  /// A step is traced when its job is. An srun inside of a traced job sees the
  /// options of its sbatch or salloc as given, through the environment.
  private func checkStep() throws(RequestError) {
    guard options.enable || options.probeFile != nil else { return }
    let inherited = slurm.environment("SLURM_SPANK_" + TraceRequest.jobControlVariable)
    if let inherited {
      guard let probeFile = options.probeFile else { return }
      let asked = try TraceRequest(probeFile: probeFile, directory: try workingDirectory())
      if asked.probeFile.hasSameBytes(as: inherited) { return }
    }
    throw RequestError(
      "tracing is decided for the whole job and cannot be asked for by a step",
      options.probeFile ?? RequestOptions.enableOption,
      "give " + RequestOptions.enableOption + " and " + RequestOptions.probeFileOption
        + " to sbatch or salloc")
  }

  private func workingDirectory() throws(RequestError) -> String {
    guard let path = getcwd(nil, 0) else {
      throw RequestError(
        "the working directory is not there", String(cString: strerror(clibc_errno())),
        "submit from a directory that exists")
    }
    defer { free(path) }
    return try utf8(path, "the working directory's path")
  }

  private func utf8(_ text: UnsafePointer<CChar>, _ what: String) throws(RequestError) -> String {
    guard let string = String(validatingCString: text) else {
      throw RequestError(what + " is not UTF-8", String(cString: text), "use a UTF-8 name")
    }
    return string
  }

  private func checkFile(_ path: String) throws(RequestError) {
    let remedy = "give the path of a probe file that datacrumbs_probes built"
    // Not blocking: the open of a FIFO would wait for its writer.
    let file = clibc_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    guard file >= 0 else {
      throw RequestError(
        "cannot read the probe file (" + String(cString: strerror(clibc_errno())) + ")", path,
        remedy)
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, clibc_is_regular_file(&status) else {
      throw RequestError("the probe file is not a regular file", path, remedy)
    }
  }

  private func verify(_ path: String) throws(RequestError) {
    let settings = settings()
    let program = ProgramRun(
      path: settings.programs + "/datacrumbs_probes", arguments: ["verify", path],
      limit: settings.verifyLimit)
    let remedy = "ask your site's administrator; nothing was submitted"
    switch program.run() {
    case .ended(code: 0, _): return
    case .ended(_, let message) where !message.isEmpty:
      throw RequestError("the probe file is refused", message, "nothing was submitted")
    case .ended(let code, _):
      throw RequestError(
        "the probe file's verification ended with exit code \(code)", program.path, remedy)
    case .timedOut:
      throw RequestError(
        "the probe file's verification took longer than \(settings.verifyLimit) s", path, remedy)
    case .notStarted(let reason):
      throw RequestError("cannot verify the probe file (" + reason + ")", program.path, remedy)
    }
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
