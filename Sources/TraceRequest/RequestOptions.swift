import CLibc

/// The options and environment variables that ask for a trace, before they
/// are checked.
public struct RequestOptions: Sendable {
  /// `--datacrumbs-enable` was given.
  public var enable = false
  /// The argument of `--datacrumbs-probe-file`, the last where it was given
  /// more than once.
  public var probeFile: String?

  /// The name of the option that turns tracing on.
  public static let enableOption = "--datacrumbs-enable"
  /// The name of the option that names the probe file.
  public static let probeFileOption = "--datacrumbs-probe-file"
  /// The variable that stands for `--datacrumbs-enable` where it is not given.
  public static let enableVariable = "DATACRUMBS_ENABLE"
  /// The variable that stands for `--datacrumbs-probe-file` where it is not given.
  public static let probeFileVariable = "DATACRUMBS_PROBE_FILE"

  /// No option given.
  public init() {}

  /// The request, or nil where none was made.
  ///
  /// - Parameters:
  ///   - environment: the value of a variable by its name; it stands in for
  ///     an option that was not given.
  ///   - directory: what a relative path starts from, an absolute path; asked for where
  ///     a request is made.
  /// - Throws: where the options contradict each other or cannot be understood.
  public func request(
    environment: (String) -> String?, directory: () throws(RequestError) -> String
  ) throws(RequestError) -> TraceRequest? {
    guard try isEnabled(environment: environment) else {
      guard let probeFile else { return nil }
      throw RequestError(
        "a probe file without " + Self.enableOption, probeFile,
        "add " + Self.enableOption + " to trace the job, or leave the probe file out")
    }
    guard let path = probeFile ?? environment(Self.probeFileVariable) else {
      throw RequestError(
        "no probe file to trace with", Self.enableOption,
        "name one with " + Self.probeFileOption + "=PATH")
    }
    return try TraceRequest(probeFile: path, directory: try directory())
  }

  /// Checks the options of an srun that starts a step. A step is traced when its job is: what the
  /// step inherited from its job through the environment is left alone, what is new is refused.
  public func checkStep(
    environment: (String) -> String?, directory: () throws(RequestError) -> String
  ) throws(RequestError) {
    guard enable || probeFile != nil else { return }
    if let inherited = environment("SLURM_SPANK_" + TraceRequest.jobControlVariable) {
      guard let probeFile else { return }
      let asked = try TraceRequest(probeFile: probeFile, directory: try directory())
      if asked.probeFile.hasSameBytes(as: inherited) { return }
    }
    throw RequestError(
      "tracing is decided for the whole job and cannot be asked for by a step",
      probeFile ?? Self.enableOption,
      "give " + Self.enableOption + " and " + Self.probeFileOption + " to sbatch or salloc")
  }

  private func isEnabled(environment: (String) -> String?) throws(RequestError) -> Bool {
    if enable { return true }
    guard let value = environment(Self.enableVariable) else { return false }
    switch value.lowercased() {
    case "1", "yes", "true": return true
    case "", "0", "no", "false": return false
    default:
      throw RequestError(
        "unknown value of " + Self.enableVariable, value, "set it to yes or no, or unset it")
    }
  }
}
