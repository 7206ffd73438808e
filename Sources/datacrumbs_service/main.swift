import ArgumentParser
import Glibc
import NodeService
import TraceRequest

struct Service: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "datacrumbs_service",
    abstract: "Start and stop the tracer of a job on this node.",
    discussion: """
      Called as root by Slurm's prolog and epilog. Settings are in \(Configuration.path);
      what happened is in the journal: journalctl DATACRUMBS_JOB_ID=JOB.
      """,
    version: "0.1.0",
    subcommands: [Start.self, Stop.self, Status.self])
}

extension RunID: ExpressibleByArgument {
  /// A job id as it is typed.
  public init?(argument: String) {
    self.init(argument)
  }
}

extension ParsableCommand {
  /// Runs a part of the node service; an error is one line and an exit code.
  func reporting(_ body: () throws(ServiceError) -> Void) throws {
    do throws(ServiceError) {
      try body()
    } catch {
      error.print(program: "datacrumbs_service")
      throw ExitCode(error.exitCode)
    }
  }

  /// What only root may do fails early, and says so.
  func requireRoot() throws(ServiceError) {
    guard geteuid() == 0 else {
      throw ServiceError(
        "not permitted: \(Self._commandName): run it as root", exitCode: ServiceError.notPermitted)
    }
  }
}

struct Start: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Start a job's tracer; return when it is ready.")

  @Option(help: "The job's id.")
  var job: RunID

  @Option(help: "The user id of the job's owner.")
  var uid: UInt32?

  @Option(help: ArgumentHelp("The signed probe file.", valueName: "path"))
  var probeFile: String?

  @Option(help: ArgumentHelp("The job's working directory.", valueName: "path"))
  var workDir: String?

  @Option(help: ArgumentHelp("The object that exports datacrumbs_mark_task.", valueName: "path"))
  var marker: String?

  @Option(help: ArgumentHelp("Note that the job is not traced, and why.", valueName: "reason"))
  var refused: String?

  func validate() throws {
    if refused == nil, uid == nil || probeFile == nil {
      throw ValidationError("start needs --uid and --probe-file")
    }
  }

  func run() throws {
    try reporting { () throws(ServiceError) in
      try requireRoot()
      let service = NodeService(configurationFile: Configuration.path)
      if let refused { return try service.refuse(job, reason: refused) }
      guard let uid, let probeFile else { return }
      try service.start(
        StartRequest(
          job: job, uid: uid, probeFile: probeFile, workDirectory: workDir, marker: marker))
    }
  }
}

struct Stop: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stop a job's tracer; return when it is gone.")

  @Option(help: "The job's id.")
  var job: RunID

  func run() throws {
    try reporting { () throws(ServiceError) in
      try requireRoot()
      try NodeService(configurationFile: Configuration.path).stop(job)
    }
  }
}

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the traced jobs of this node, or one of them.")

  @Option(help: "One job's id.")
  var job: RunID?

  @Flag(help: "One JSON object a line.")
  var json = false

  func run() throws {
    try reporting { () throws(ServiceError) in
      let reports = try NodeService(configurationFile: Configuration.path).report(job)
      if let job, reports.isEmpty {
        throw ServiceError(
          "no such traced job on this node: \(job)", exitCode: ServiceError.noInput)
      }
      print(json ? StatusText.lines(reports) : StatusText.table(reports), terminator: "")
    }
  }
}

Service.main()
