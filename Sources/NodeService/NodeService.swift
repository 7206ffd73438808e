import Glibc
import ProbeDocument
import TraceRequest

/// What a door asks for: trace that job, for that user, by that probe file.
public struct StartRequest: Sendable {
  let job: RunID
  let uid: UInt32
  let probeFile: String
  let workDirectory: String?
  let marker: String?
  let cgroup: String?
  let scheduler: ScheduledJob.Scheduler?

  /// - Parameters:
  ///   - probeFile: absolute.
  ///   - workDirectory: the job's; the user's home where nil.
  ///   - marker: the object that exports `datacrumbs_mark_task`.
  ///   - cgroup: whose processes are the job's too: a name in a cgroup's path, `job_7`, or a path
  ///     from the hierarchy's root.
  ///   - scheduler: whose job it is; nil for one of no scheduler.
  public init(
    job: RunID, uid: UInt32, probeFile: String, workDirectory: String?, marker: String?,
    cgroup: String? = nil, scheduler: ScheduledJob.Scheduler?
  ) {
    self.job = job
    self.uid = uid
    self.probeFile = probeFile
    self.workDirectory = workDirectory
    self.marker = marker
    self.cgroup = cgroup
    self.scheduler = scheduler
  }
}

/// A probe file that was found to be signed, for that user, and in force.
public struct SealedProbes: Sendable {
  let canonical: [UInt8]

  /// - Parameter canonical: the bytes that were verified.
  public init(canonical: [UInt8]) {
    self.canonical = canonical
  }
}

/// Starts and stops the tracer of one job on this node. All that it knows is in
/// the run directory, so that a call that was killed at any line leaves what the
/// next call understands.
public struct NodeService {
  /// Where the plugin, the unit and the tracer look too.
  public static let runDirectory = "/run/datacrumbs"
  /// Bytes of a probe file as the user gives it.
  static let packedLimit = Gzip.packedLimit

  typealias Verify = ([UInt8], UInt32, String) throws(ServiceError) -> SealedProbes

  private let configuration: Configuration
  private let mistake: ServiceError?
  private let runPath: String
  private let steps: StepProcesses
  private let connect: (Deadline) throws(ServiceError) -> any Units
  private let verify: Verify

  /// This node's systemd, keys and run directory.
  ///
  /// With a configuration that cannot be used nothing is started, and the job's
  /// status says so; what runs can still be stopped, within the default limits.
  public init(configurationFile path: String) {
    let configuration: Configuration
    var mistake: ServiceError?
    do throws(ServiceError) {
      configuration = try Configuration(path: path)
    } catch {
      configuration = Configuration()
      mistake = error
    }
    let cluster = configuration.cluster
    self.init(
      configuration: configuration, mistake: mistake, runPath: Self.runDirectory,
      connect: { (deadline) throws(ServiceError) in try SystemdUnits(until: deadline) },
      verify: { (bytes, uid, path) throws(ServiceError) in
        try verifyProbes(bytes, uid: uid, path: path, cluster: cluster)
      })
  }

  init(
    configuration: Configuration, mistake: ServiceError? = nil, runPath: String,
    steps: StepProcesses = StepProcesses(),
    connect: @escaping (Deadline) throws(ServiceError) -> any Units, verify: @escaping Verify
  ) {
    self.configuration = configuration
    self.mistake = mistake
    self.runPath = runPath
    self.steps = steps
    self.connect = connect
    self.verify = verify
  }

  // MARK: start

  /// Makes a job traced; returns when its tracer is ready. For a job that is traced
  /// already nothing happens. When it throws, the job's status says why.
  public func start(_ request: StartRequest) throws(ServiceError) {
    try withJob(request.job, limit: startLimit) { (run, job) throws(ServiceError) in
      if isTraced(request.job, job) { return }
      try failing(request.job, job, request.scheduler) { () throws(ServiceError) in
        if let mistake { throw mistake }
        try write(.starting, "the tracer is being started", request.scheduler, to: job)
        let user = try seal(request, run, job)
        let units = try startUnit(request.job)
        try write(.tracing, "the tracer is ready", request.scheduler, to: job)
        journal(.info, job: request.job, user: user, "traced: \(request.probeFile)")
        lookForLeftovers(besides: request.job, units)
      }
    }
  }

  /// Notes that a job cannot be traced, for a reason that the door has found.
  public func refuse(
    _ id: RunID, reason: String, scheduler: ScheduledJob.Scheduler?
  ) throws(ServiceError) {
    try withJob(id, limit: startLimit) { (run, job) throws(ServiceError) in
      if isTraced(id, job) { return }
      try failing(id, job, scheduler) { () throws(ServiceError) in
        throw ServiceError(reason, exitStatus: .badData)
      }
    }
  }

  private var startLimit: Int { configuration.readLimit + configuration.startLimit }

  /// A second door of the same site, or slurmd after a restart, asks again.
  private func isTraced(_ id: RunID, _ job: borrowing Directory) -> Bool {
    guard job.read(Self.status).flatMap(JobStatus.init)?.state == .tracing else { return false }
    let deadline = Deadline(seconds: configuration.startLimit)
    // Where systemd does not answer, starting will say so.
    guard let state = try? connect(deadline).state(id.unit, until: deadline) else { return false }
    return state.active == "active"
  }

  private func seal(
    _ request: StartRequest, _ run: borrowing Directory, _ job: borrowing Directory
  ) throws(ServiceError) -> String {
    guard request.probeFile.hasPrefix("/") else {
      throw ServiceError(
        "not an absolute path: \(request.probeFile)", exitStatus: .usage)
    }
    // Replaced where the bytes were not UTF-8; the trace would go elsewhere.
    if let directory = request.workDirectory, directory.unicodeScalars.contains("\u{FFFD}") {
      throw ServiceError(
        "not UTF-8: the working directory \(directory): use a name in UTF-8",
        exitStatus: .badData)
    }
    let file = try UserFile.read(
      request.probeFile, uid: request.uid, limit: Self.packedLimit,
      until: Deadline(seconds: configuration.readLimit))
    let probes = try verify(file.bytes, request.uid, request.probeFile)
    try job.write(Self.probes, probes.canonical, mode: 0o400)

    let directory = configuration.traceDirectory.path(
      workDirectory: request.workDirectory ?? file.home, job: request.job, user: file.user,
      node: Self.nodeName)
    var environment = EnvironmentFile()
    try environment.set("DATACRUMBS_PROBE_FILE", to: job.path + "/" + Self.probes)
    try environment.set("DATACRUMBS_PROBE_FILE_ORIGIN", to: request.probeFile)
    try environment.set("DATACRUMBS_USER", to: file.user)
    try environment.set("DATACRUMBS_SERVICE_RUN_ID", to: request.job.description)
    try environment.set("DATACRUMBS_LOG_DIR", to: configuration.logDirectory)
    try environment.set("DATACRUMBS_TRACE_DIR", to: directory)
    if let marker = request.marker { try environment.set("DATACRUMBS_MARKER", to: marker) }
    if let cgroup = request.cgroup { try environment.set("DATACRUMBS_CGROUP", to: cgroup) }
    try environment.set("DATACRUMBS_MEMORY_LIMIT", to: String(configuration.memoryLimit))
    try environment.set("DATACRUMBS_STATE_FILE", to: job.path + "/" + Self.tracer)
    try run.write(request.job.environmentFile, environment.text, mode: 0o400)
    return file.user
  }

  /// Has the reaper look, where another job has files here and no process. It
  /// runs beside us: this job waits for nobody else's leftovers.
  private func lookForLeftovers(besides id: RunID, _ units: any Units) {
    guard let others = try? jobs(of: .slurm).filter({ $0.description != id.description }),
      !others.isEmpty
    else { return }
    let here = steps.jobs()
    guard !others.allSatisfy({ here.contains($0.description) }) else { return }
    try? units.begin("datacrumbs_reap.service", until: Deadline(seconds: 1))
  }

  private func startUnit(_ id: RunID) throws(ServiceError) -> any Units {
    let deadline = Deadline(seconds: configuration.startLimit)
    let units = try connect(deadline)
    do {
      try units.start(id.unit, until: deadline)
      return units
    } catch {
      // What hangs at its start would hang at a polite stop as well.
      try? units.kill(id.unit, until: Deadline(seconds: Self.killLimit))
      throw error
    }
  }

  /// Runs `body`; when it throws, leaves the reason where the user's job, the
  /// admin and the next call look for it, and nothing else.
  private func failing(
    _ id: RunID, _ job: borrowing Directory, _ scheduler: ScheduledJob.Scheduler?,
    _ body: () throws(ServiceError) -> Void
  ) throws(ServiceError) {
    do throws(ServiceError) {
      try body()
    } catch {
      journal(.error, job: id, user: nil, "not traced: " + error.message)
      try? job.remove(Self.probes)
      try? Directory.open(runPath, create: false)?.remove(id.environmentFile)
      try? write(.failed, error.message, scheduler, to: job)
      throw error
    }
  }

  /// The prolog of a job: starts its tracer where the user asked for one. A
  /// request that cannot be honoured becomes the job's status.
  public func prolog(_ job: ScheduledJob, marker: String?) throws(ServiceError) {
    let request: TraceRequest?
    do throws(ServiceError) {
      request = try job.request(limit: configuration.readLimit)
    } catch {
      return try refuse(job.id, reason: error.message, scheduler: job.scheduler)
    }
    guard let request else { return }
    try start(
      StartRequest(
        job: job.id, uid: job.uid, probeFile: request.probeFile,
        workDirectory: job.workDirectory, marker: marker, cgroup: job.cgroup,
        scheduler: job.scheduler))
  }

  // MARK: stop

  /// Ends a job's tracing; returns when its tracer is gone and so are its files.
  /// For a job that was never started nothing happens.
  public func stop(_ id: RunID) throws(ServiceError) {
    guard let run = try Directory.open(runPath, create: false),
      run.has(id.description) || run.has(id.environmentFile)
    else { return }
    try withJob(id, limit: startLimit + configuration.stopLimit) {
      (run, job) throws(ServiceError) in
      do throws(ServiceError) {
        try stopUnit(id)
      } catch {
        // The files stay: they tell the next stop that there is something to end.
        journal(.error, job: id, user: nil, error.message)
        throw error
      }
      try run.remove(id.environmentFile)
      try run.remove("." + id.environmentFile + ".new")
      for name in try job.names() { try job.remove(name) }
      try run.remove(id.description)
      journal(.info, job: id, user: nil, "the tracer is gone")
    }
  }

  private func stopUnit(_ id: RunID) throws(ServiceError) {
    let deadline = Deadline(seconds: configuration.stopLimit)
    let units = try connect(deadline)
    do throws(ServiceError) {
      try units.stop(id.unit, until: deadline)
    } catch {
      journal(.warning, job: id, user: nil, error.message + "; it is killed")
      try units.kill(id.unit, until: Deadline(seconds: Self.killLimit))
    }
  }

  // MARK: status

  /// One job as its files and systemd tell.
  public struct Report: Sendable {
    /// The job.
    public let job: RunID
    /// What its status file says; nil where there is none.
    public let status: JobStatus?
    /// What systemd says; nil where it does not know the unit.
    public let unit: UnitState?
  }

  /// Every job that has files on this node, or the one asked for.
  public func report(_ only: RunID?) throws(ServiceError) -> [Report] {
    guard let run = try Directory.open(runPath, owner: 0, create: false) else { return [] }
    let asked = try jobs(in: run).filter {
      only?.description == nil || only?.description == $0.description
    }
    if asked.isEmpty { return [] }
    let deadline = Deadline(seconds: configuration.readLimit)
    let units = try connect(deadline)
    var reports: [Report] = []
    for id in asked {
      var status: JobStatus?
      if let job = try run.subdirectory(id.description, create: false) {
        status = job.read(Self.status).flatMap(JobStatus.init)
        if let tracer = job.read(Self.tracer) { status?.take(tracer: tracer) }
      }
      reports.append(
        Report(
          job: id, status: status,
          unit: try units.state(id.unit, until: deadline)))
    }
    return reports
  }

  /// The jobs of a scheduler that have files here.
  func jobs(of scheduler: ScheduledJob.Scheduler) throws(ServiceError) -> [RunID] {
    guard let run = try Directory.open(runPath, create: false) else { return [] }
    var found: [RunID] = []
    for id in try jobs(in: run) {
      let text = try run.subdirectory(id.description, create: false)?.read(Self.status)
      if text.flatMap(JobStatus.init)?.scheduler == scheduler { found.append(id) }
    }
    return found
  }

  private func jobs(in run: borrowing Directory) throws(ServiceError) -> [RunID] {
    var jobs: [String: RunID] = [:]
    for name in try run.names() {
      if let id = RunID(environmentFile: name) ?? RunID(name) { jobs[id.description] = id }
    }
    return jobs.values.sorted {
      ($0.description.count, $0.description) < ($1.description.count, $1.description)
    }
  }

  // MARK: files

  private static let status = "status"
  /// What the tracer says of itself while it runs.
  private static let tracer = "tracer"
  private static let probes = "probes.json"
  /// Seconds that the kernel gets to end killed processes.
  private static let killLimit = 5

  private static var nodeName: String {
    var name = utsname()
    uname(&name)
    return withUnsafeBytes(of: name.nodename) {
      String(decoding: $0.prefix { $0 != 0 && $0 != UInt8(ascii: ".") }, as: UTF8.self)
    }
  }

  private func write(
    _ state: JobStatus.State, _ reason: String, _ scheduler: ScheduledJob.Scheduler?,
    to job: borrowing Directory
  ) throws(ServiceError) {
    let status = JobStatus(
      state, reason, onFailure: configuration.onFailure, scheduler: scheduler)
    try job.write(Self.status, status.json.text + [UInt8(ascii: "\n")], mode: 0o644)
  }

  /// Calls `body` with the run directory and the job's own, which is made where
  /// it is missing and locked against other calls for the same job.
  private func withJob(
    _ id: RunID, limit: Int,
    _ body: (borrowing Directory, borrowing Directory) throws(ServiceError) -> Void
  ) throws(ServiceError) {
    guard let run = try Directory.open(runPath, create: true) else {
      throw ServiceError("no such folder: \(runPath): make its parent")
    }
    let deadline = Deadline(seconds: limit)
    while true {
      guard let job = try run.subdirectory(id.description, create: true) else { continue }
      try job.lock(until: deadline)
      // A stop may have removed it while we waited.
      if job.isStill(id.description, of: run) {
        try body(run, job)
        return
      }
    }
  }
}
