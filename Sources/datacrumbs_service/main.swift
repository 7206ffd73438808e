import Glibc
import NodeService
import TraceRequest

let usage = """
  usage: datacrumbs_service start --job ID --uid UID --probe-file PATH
                                  [--work-dir DIR] [--marker PATH] [--cgroup NAME]
                                  [--scheduler SLURM|FLUX|NONE]
         datacrumbs_service start --job ID --refused REASON
         datacrumbs_service stop --job ID
         datacrumbs_service await --job ID
         datacrumbs_service reap
         datacrumbs_service doctor [--plugin PATH]
         datacrumbs_service status [--job ID] [--json]
         datacrumbs_service prolog|epilog [--scheduler SLURM|FLUX] [--marker PATH]

  Starts and stops the tracer of a job on this node. Slurm's prolog and epilog call it
  as root.

    start     start the job's tracer; return when it is ready
                --probe-file  the signed probe file, absolute; read with the user's rights
                --work-dir    the job's working directory; the user's home by default
                --marker      the object that exports datacrumbs_mark_task
                --cgroup      trace the user's processes in this cgroup too: a name in its path, or
                              the path as /proc/PID/cgroup has it
                --scheduler   whose job it is: SLURM (the default), FLUX or NONE
                --refused     start nothing; note in the job's status why
    stop      stop the job's tracer; return when it is gone
    await     wait for the ready file of a tracer that does not notify systemd; for its unit
    prolog    start the tracer of the job whose prolog this is, where its user asked for
              one; the job is in the environment. Always 0 inside of a job: no node is
              drained, and the job's status says what went wrong
    epilog    stop it
    reap      end the tracers of Slurm's jobs that are not on this node any more, where an
              epilog never ran; nothing where Slurm does not answer
    doctor    look at all that tracing needs here, and say what to do
                --plugin      compare this plugin with the installed Slurm, not the registered one
    status    the traced jobs of this node; --json: one JSON object a line

  Settings: \(Configuration.path)
  What happened: journalctl DATACRUMBS_JOB_ID=ID

  """

func run(_ words: [String]) throws(ServiceError) {
  let rest = words.dropFirst()
  switch words.first {
  case "start":
    let arguments = try Arguments(
      rest,
      options: [
        "job", "uid", "probe-file", "work-dir", "marker", "cgroup", "refused", "scheduler",
      ])
    let job = try arguments.job()
    let scheduler = try arguments.scheduler()
    let service = try nodeService("start")
    limitMemory()
    if let reason = arguments["refused"] {
      return try service.refuse(job, reason: reason, scheduler: scheduler)
    }
    guard let uid = UInt32(try arguments.required("uid")) else {
      throw Arguments.usage("not a user id: \(try arguments.required("uid"))")
    }
    try service.start(
      StartRequest(
        job: job, uid: uid, probeFile: try arguments.required("probe-file"),
        workDirectory: arguments["work-dir"], marker: arguments["marker"],
        cgroup: arguments["cgroup"], scheduler: scheduler))
  case "stop":
    let job = try Arguments(rest, options: ["job"]).job()
    try nodeService("stop").stop(job)
  case "await":
    let job = try Arguments(rest, options: ["job"]).job()
    let configuration = (try? Configuration(path: Configuration.path)) ?? Configuration()
    try ReadyFile(job: job).wait(
      tracer: getenv("MAINPID").flatMap { Int32(String(cString: $0)) },
      until: Deadline(seconds: configuration.startLimit))
  case "prolog", "epilog":
    let arguments = try Arguments(rest, options: ["scheduler", "marker"])
    let job = try ScheduledJob(scheduler: arguments["scheduler"]) { name in
      getenv(name).map { String(cString: $0) }
    }
    // From here on the answer is 0: anything else would drain the node.
    do throws(ServiceError) {
      let service = try nodeService(words[0])
      if words[0] == "prolog" {
        limitMemory()
        try service.prolog(job, marker: arguments["marker"])
      } else {
        try service.stop(job.id)
      }
    } catch {
      error.print(program: "datacrumbs_service")
    }
  case "reap":
    _ = try Arguments(rest, options: [])
    let outcome = try Reaper(service: try nodeService("reap")).reap(limit: 30)
    for job in outcome.ended { print("ended the tracer of job \(job)") }
    if let first = outcome.failed.first {
      let others = outcome.failed.count == 1 ? "" : ", and \(outcome.failed.count - 1) more"
      throw ServiceError(
        "a tracer is still there: job \(first.job)\(others): \(first.reason.message)",
        exitStatus: first.reason.exitStatus)
    }
  case "doctor":
    let arguments = try Arguments(rest, options: ["plugin"])
    let findings = Doctor().findings(plugin: arguments["plugin"])
    for finding in findings {
      print(finding.text)
    }
    if findings.contains(where: { $0.verdict == .bad }) { exit(ExitStatus.unavailable.rawValue) }
  case "status":
    let arguments = try Arguments(rest, options: ["job"], flags: ["json"])
    let job = arguments["job"] == nil ? nil : try arguments.job()
    let reports = try NodeService(configurationFile: Configuration.path).report(job)
    if let job, reports.isEmpty {
      throw ServiceError("no such traced job on this node: \(job)", exitStatus: .noInput)
    }
    let isJSON = arguments.has("json")
    print(isJSON ? StatusText.lines(reports) : StatusText.table(reports), terminator: "")
  case "--help", "-h", "help": print(usage, terminator: "")
  case "--version": print("datacrumbs_service 0.1.0")
  case let word?: throw Arguments.usage("unknown command: \(word)")
  case nil: throw Arguments.usage("no command")
  }
}

/// What a user's file can make this process take of the node's memory at most. The largest document
/// that is read takes a third of it.
func limitMemory() {
  var limit = rlimit(rlim_cur: 1 << 30, rlim_max: 1 << 30)
  setrlimit(__rlimit_resource_t(UInt32(RLIMIT_AS.rawValue)), &limit)
}

/// What only root may do fails early, and says so.
func nodeService(_ command: String) throws(ServiceError) -> NodeService {
  guard geteuid() == 0 else {
    throw ServiceError(
      "not permitted: \(command): run it as root", exitStatus: .notPermitted)
  }
  return NodeService(configurationFile: Configuration.path)
}

do throws(ServiceError) {
  try run(Array(CommandLine.arguments.dropFirst()))
} catch {
  error.print(program: "datacrumbs_service")
  exit(error.exitStatus.rawValue)
}
