extension TraceRequest {
  /// The job control variable that carries the probe file's path. Slurm
  /// prefixes it: SPANK_ in a job prolog and epilog, SLURM_SPANK_ in the job.
  public static let jobControlVariable = "DATACRUMBS_PROBE_FILE"

  /// The request of the job whose prolog or epilog this is, nil where it made
  /// none. The job control variable comes first: it survives a changed
  /// comment. No variable here needs a call to slurmctld.
  ///
  /// A comment with `"enable":"no"` is the site's own word (job_submit.lua, which
  /// cannot change the variable).
  ///
  /// - Parameter environment: the value of a variable of slurmd's prolog
  ///   environment by its name.
  /// - Throws: where the comment's request cannot be understood.
  public init?(prologEnvironment environment: (String) -> String?) throws(RequestError) {
    if let path = environment("SPANK_" + Self.jobControlVariable) {
      if let comment = environment("SLURM_JOB_COMMENT"), Self.switchesOff(comment) {
        throw RequestError(
          "the site does not trace this job", comment, "ask its administrators",
          exitStatus: .notPermitted)
      }
      try self.init(probeFile: path, directory: "/")
    } else if let comment = environment("SLURM_JOB_COMMENT") {
      try self.init(comment: comment)
    } else {
      return nil
    }
  }

  private static func switchesOff(_ comment: String) -> Bool {
    let request = (try? JSON(reading: Array(comment.utf8)))?[member]
    return request?["enable"]?.string.map { $0.hasSameBytes(as: "no") } ?? false
  }
}
