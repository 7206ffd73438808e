import Glibc
import Testing
import TraceRequest

@testable import NodeService

/// systemd as the tests need it.
private final class FakeUnits: Units {
  var active: Set<String> = []
  var calls: [String] = []
  var startFailure: ServiceError?
  var stopFailure: ServiceError?
  /// A unit that neither stops nor dies.
  var stuck: String?

  func start(_ unit: String, until deadline: Deadline) throws(ServiceError) {
    calls.append("start " + unit)
    if let startFailure { throw startFailure }
    active.insert(unit)
  }

  func begin(_ unit: String, until deadline: Deadline) throws(ServiceError) {
    calls.append("begin " + unit)
  }

  func stop(_ unit: String, until deadline: Deadline) throws(ServiceError) {
    calls.append("stop " + unit)
    if let stopFailure { throw stopFailure }
    if unit == stuck { throw ServiceError("it hangs") }
    active.remove(unit)
  }

  func kill(_ unit: String, until deadline: Deadline) throws(ServiceError) {
    calls.append("kill " + unit)
    if unit == stuck { throw ServiceError("it hangs") }
    active.remove(unit)
  }

  func state(_ unit: String, until deadline: Deadline) throws(ServiceError) -> UnitState? {
    active.contains(unit) ? UnitState(active: "active", text: "") : nil
  }
}

@Suite struct NodeServiceTests {
  private let folder: TemporaryFolder
  private let units = FakeUnits()
  private let seven: RunID

  init() throws {
    folder = try TemporaryFolder()
    folder.write("p.json.gz", "packed")
    seven = try #require(RunID("7"))
  }

  private var run: String { folder.path + "/run" }

  private func service(_ text: String = "", mistake: ServiceError? = nil) throws -> NodeService {
    NodeService(
      configuration: try Configuration(text: text, path: "c.conf"), mistake: mistake, runPath: run,
      steps: StepProcesses(path: folder.path + "/proc"),
      connect: { [units] _ throws(ServiceError) in units },
      verify: { (bytes, uid, path) throws(ServiceError) in
        if bytes != Array("packed".utf8) {
          throw ServiceError("forged: \(path)", exitStatus: .badData)
        }
        return SealedProbes(canonical: Array("{}".utf8))
      })
  }

  private func request(_ file: String? = nil) -> StartRequest {
    StartRequest(
      job: seven, uid: getuid(), probeFile: file ?? folder.path + "/p.json.gz",
      workDirectory: "/home/al ice/$x", marker: "/usr/lib/spank_datacrumbs.so",
      scheduler: .slurm)
  }

  private func status() throws -> JobStatus {
    try #require(folder.read("run/7/status").flatMap { JobStatus(reading: Array($0.utf8)) })
  }

  private func failure(_ body: () throws -> Void) -> ServiceError? {
    do {
      try body()
      return nil
    } catch {
      return error as? ServiceError
    }
  }

  @Test func startSealsAndStartsTheUnit() throws {
    try service().start(request())
    #expect(units.calls == ["start datacrumbs@7.service"])
    #expect(folder.read("run/7/probes.json") == "{}")
    #expect(folder.mode("run/7/probes.json") == 0o400)
    #expect(folder.mode("run/datacrumbs-7.env") == 0o400)
    #expect(folder.mode("run/7/status") == 0o644)
    #expect(folder.mode("run") == 0o755)
    #expect(folder.mode("run/7") == 0o755)
    #expect(try status().state == .tracing)
    let environment = try #require(folder.read("run/datacrumbs-7.env"))
    #expect(environment.contains("DATACRUMBS_PROBE_FILE=\"\(run)/7/probes.json\"\n"))
    #expect(environment.contains("DATACRUMBS_PROBE_FILE_ORIGIN=\"\(folder.path)/p.json.gz\"\n"))
    #expect(environment.contains("DATACRUMBS_SERVICE_RUN_ID=\"7\"\n"))
    #expect(environment.contains("DATACRUMBS_TRACE_DIR=\"/home/al ice/\\$x/datacrumbs-7\"\n"))
    #expect(environment.contains("DATACRUMBS_MARKER=\"/usr/lib/spank_datacrumbs.so\"\n"))
    #expect(folder.names("run") == ["7", "datacrumbs-7.env"])
    #expect(folder.names("run/7") == ["probes.json", "status"])
  }

  @Test func startingTwiceStartsOnce() throws {
    try service().start(request())
    try service().start(request())
    #expect(units.calls == ["start datacrumbs@7.service"])
  }

  @Test func startsAgainWhereTheTracerHasDied() throws {
    try service().start(request())
    units.active = []
    try service().start(request())
    #expect(units.calls.count == 2)
  }

  @Test func stopLeavesNothing() throws {
    try service().start(request())
    try service().stop(seven)
    #expect(units.calls.last == "stop datacrumbs@7.service")
    #expect(folder.names("run") == [])
    try service().stop(seven)
    #expect(units.calls.count == 2)
  }

  @Test func stopOfAJobThatWasNeverStartedAsksNobody() throws {
    try service().stop(seven)
    #expect(units.calls == [])
    #expect(folder.names() == ["p.json.gz"])
  }

  @Test func stopRemovesTheStatusOfAFailedStart() throws {
    _ = failure { try service().start(request("/nonexistent")) }
    #expect(folder.names("run/7") == ["status"])
    try service().stop(seven)
    #expect(folder.names("run") == [])
  }

  @Test func aTracerThatDoesNotStartIsKilledAndToldOf() throws {
    units.startFailure = ServiceError("the tracer did not start: it was not ready in time")
    let error = failure {
      try service("on_failure: fail_job").start(request())
    }
    #expect(error?.exitStatus == .unavailable)
    #expect(units.calls == ["start datacrumbs@7.service", "kill datacrumbs@7.service"])
    #expect(try status().state == .failed)
    #expect(try status().reason == "the tracer did not start: it was not ready in time")
    #expect(try status().onFailure == .failJob)
    #expect(folder.names("run") == ["7"])
    #expect(folder.names("run/7") == ["status"])
  }

  @Test func aTracerThatDoesNotStopIsKilled() throws {
    try service().start(request())
    units.stopFailure = ServiceError("the tracer did not stop")
    try service().stop(seven)
    #expect(units.calls.last == "kill datacrumbs@7.service")
    #expect(folder.names("run") == [])
  }

  @Test func whatIsNoProbeFileNeverReachesSystemd() throws {
    folder.write("bad", "forged")
    folder.write("large", "")
    truncate(folder.path + "/large", 17 << 20)
    mkfifo(folder.path + "/fifo", 0o644)
    symlink("bad", folder.path + "/link")
    let cases: [(String, String, Int32)] = [
      ("bad", "forged: ", 65),
      ("link", "forged: ", 65),
      ("missing", "No such file or directory", 66),
      ("fifo", "not a regular file: ", 66),
      ("run", "not a regular file: ", 66),
      ("large", "larger than 16 MiB: ", 65),
      (String(repeating: "x", count: 5_000), "File name too long", 66),
    ]
    for (name, reason, code) in cases {
      let error = failure {
        try service().start(request(folder.path + "/" + name))
      }
      #expect(error?.message.contains(reason) == true, "\(name): \(error?.message ?? "started")")
      #expect(error?.exitStatus.rawValue == code)
      #expect(try status().state == .failed)
      #expect(try status().reason == error?.message)
    }
    #expect(units.calls == [])
    #expect(failure { try service().start(request("p")) } != nil)
  }

  @Test func aRefusalOfTheDoorBecomesTheStatus() throws {
    let error = failure {
      try service().refuse(seven, reason: "the key `probes`\nis gone", scheduler: .slurm)
    }
    #expect(error?.exitStatus == .badData)
    #expect(try status().reason == "the key `probes`\\x0ais gone")
    #expect(units.calls == [])
  }

  @Test func aConfigurationThatCannotBeUsedStartsNothingAndStopsAnything() throws {
    try service().start(request())
    let mistaken = try service(
      mistake: ServiceError("bad configuration", exitStatus: .configuration))
    try mistaken.stop(seven)
    #expect(folder.names("run") == [])
    let error = failure { try mistaken.start(request()) }
    #expect(error?.exitStatus == .configuration)
    #expect(try status().reason == "bad configuration")
  }

  @Test func plantedThingsAreNotFollowed() throws {
    folder.write("precious", "x")
    mkdir(folder.path + "/elsewhere", 0o755)
    mkdir(run, 0o755)
    symlink(folder.path + "/elsewhere", run + "/7")
    let error = failure { try service().start(request()) }
    #expect(error?.exitStatus == .notPermitted)
    #expect(error?.message.contains("not a folder: \(run)/7") == true)
    #expect(folder.names("elsewhere") == [])

    unlink(run + "/7")
    symlink(folder.path + "/precious", run + "/datacrumbs-7.env")
    try service().start(request())
    #expect(folder.read("precious") == "x")
    #expect(folder.status("run/datacrumbs-7.env").map { $0.st_mode & S_IFMT } == S_IFREG)
  }

  @Test(arguments: [0o777, 0o1777, 0o775] as [mode_t])
  func aRunDirectoryThatOthersWriteIsNotUsed(mode: mode_t) throws {
    mkdir(run, 0o755)
    chmod(run, mode)
    let error = failure { try service().start(request()) }
    #expect(error?.exitStatus == .notPermitted)
    #expect(folder.names("run") == [])
  }

  @Test(.enabled(if: geteuid() == 0))
  func aRunDirectoryOfAnotherUserIsNotUsed() throws {
    mkdir(run, 0o755)
    chown(run, 65_534, 65_534)
    let error = failure { try service().start(request()) }
    #expect(error?.message.contains("not safe to use: \(run)") == true)
  }

  @Test(.enabled(if: geteuid() == 0))
  func theProbeFileIsReadWithTheUsersRights() throws {
    guard let nobody = getpwnam("nobody") else { return }
    let uid = nobody.pointee.pw_uid
    chmod(folder.path + "/p.json.gz", 0o600)
    let file = folder.path + "/p.json.gz"
    var error = failure {
      _ = try UserFile.read(file, uid: uid, limit: 100, until: Deadline(seconds: 10))
    }
    #expect(error?.message == "nobody cannot read the probe file: \(file): Permission denied")
    chown(file, uid, 0)
    let read = try UserFile.read(file, uid: uid, limit: 100, until: Deadline(seconds: 10))
    #expect(read.user == "nobody")
    #expect(read.bytes == Array("packed".utf8))
    error = failure {
      _ = try UserFile.read(file, uid: 3_999_999, limit: 100, until: Deadline(seconds: 10))
    }
    #expect(error?.exitStatus == .noUser)
  }

  @Test func aReadThatTakesTooLongIsGivenUp() throws {
    let error = failure {
      _ = try UserFile.read(
        folder.path + "/p.json.gz", uid: getuid(), limit: 100, until: Deadline(seconds: 0))
    }
    #expect(error?.message.contains("no answer in time") == true)
  }

  @Test func aBusyJobIsWaitedForButNotForever() throws {
    mkdir(run, 0o755)
    let descriptor = open(run, O_RDONLY | O_DIRECTORY)
    #expect(flock(descriptor, LOCK_EX) == 0)
    let error = failure {
      try Directory.open(run, create: false)?.lock(until: Deadline(seconds: 0))
    }
    #expect(error?.message.contains("busy for too long") == true)
    close(descriptor)
    try Directory.open(run, create: false)?.lock(until: Deadline(seconds: 1))
  }

  @Test func reportsEveryJobWithItsUnit() throws {
    try service().start(request())
    let all = try service().report(nil)
    #expect(all.map(\.job.description) == ["7"])
    #expect(StatusText.table(all).contains("tracing"))
    let line = StatusText.lines(all)
    let json = try JSON(reading: Array(line.utf8))
    #expect(json["state"]?.string == "tracing")
    #expect(json["unit"]?["active_state"]?.string == "active")
    #expect(try service().report(RunID("8")).isEmpty)
  }

  @Test func reportsWhatTheTracerSaysWhileItRuns() throws {
    try service().start(request())
    func state() throws -> JSON {
      try JSON(reading: Array(StatusText.lines(try service().report(nil)).utf8))
    }
    folder.write(
      "run/7/tracer",
      #"{"state":"tracing","reason":"tracing 2","counts":{"functions":2},"#
        + #""not_attached":[{"cat":"c","name":"f","reason":"r"}]}"#)
    #expect(try state()["state"]?.string == "tracing")
    #expect(try state()["reason"]?.string == "tracing 2")
    #expect(StatusText.lines(try service().report(nil)).contains(#""functions":2"#))
    guard case .array(let refused)? = try state()["not_attached"] else {
      Issue.record("no not_attached")
      return
    }
    #expect(refused.map { $0["name"]?.string } == ["f"])

    folder.write("run/7/tracer", #"{"state":"degraded","reason":"no space"}"#)
    #expect(try state()["state"]?.string == "degraded")
    #expect(try state()["reason"]?.string == "no space")
    folder.write("run/7/tracer", #"{"state":"degr"#)
    #expect(try state()["state"]?.string == "tracing")
    try service().stop(seven)
    #expect(access(run + "/7", F_OK) != 0)
  }

  @Test func tellsTheTracerItsLimitAndItsJobsCgroup() throws {
    try service("memory_limit: 64").start(request())
    let text = folder.read("run/datacrumbs-7.env") ?? ""
    #expect(text.contains("DATACRUMBS_MEMORY_LIMIT=\"64\"\n"))
    #expect(text.contains("DATACRUMBS_STATE_FILE=\"\(run)/7/tracer\"\n"))
    #expect(!text.contains("DATACRUMBS_CGROUP"))
  }

  @Test func reapsWhatBelongsToNoJobOfThisNodeAndNothingElse() throws {
    let ids = ["7", "8", "9", "10"].compactMap { RunID($0) }
    for id in ids {
      try service().start(
        StartRequest(
          job: id, uid: getuid(), probeFile: folder.path + "/p.json.gz", workDirectory: "/",
          marker: nil, scheduler: id.description == "10" ? nil : .slurm))
    }
    folder.write("squeue", "#!/bin/sh\necho '8'\n", mode: 0o755)
    mkdir(folder.path + "/proc", 0o755)
    mkdir(folder.path + "/proc/321", 0o755)
    folder.write("proc/321/cmdline", "slurmstepd: [9.batch]\0\0")
    let reaper = Reaper(
      service: try service(), squeue: Command(path: folder.path + "/squeue", arguments: []),
      steps: StepProcesses(path: folder.path + "/proc"))
    #expect(try reaper.reap(limit: 10).ended.map(\.description) == ["7"])
    #expect(units.calls.suffix(1) == ["stop datacrumbs@7.service"])
    #expect(units.calls.contains("begin datacrumbs_reap.service"))
    #expect(
      folder.names("run")
        == ["10", "8", "9", "datacrumbs-10.env", "datacrumbs-8.env", "datacrumbs-9.env"])
  }

  @Test func oneTracerThatCannotBeEndedKeepsNoOtherFromItsEnd() throws {
    for id in ["7", "8", "9"].compactMap({ RunID($0) }) {
      try service().start(
        StartRequest(
          job: id, uid: getuid(), probeFile: folder.path + "/p.json.gz", workDirectory: "/",
          marker: nil, scheduler: .slurm))
    }
    folder.write("squeue", "#!/bin/sh\n", mode: 0o755)
    units.stuck = "datacrumbs@7.service"
    let outcome = try Reaper(
      service: try service(), squeue: Command(path: folder.path + "/squeue", arguments: []),
      steps: StepProcesses(path: folder.path + "/none")
    ).reap(limit: 10)
    #expect(outcome.ended.map(\.description) == ["8", "9"])
    #expect(outcome.failed.map(\.job.description) == ["7"])
    #expect(outcome.failed.first?.reason.message == "it hangs")
    // What is left tells the next one that there is something to end.
    #expect(folder.names("run") == ["7", "datacrumbs-7.env"])
  }

  @Test func whatATracerSaysIsOneLineOfATable() throws {
    let unit = UnitState(active: "active", text: "a\u{1B}[2J\nroot\u{9B}1m\u{7F}é")
    let report = NodeService.Report(job: seven, status: nil, unit: unit)
    let line = "7    unknown  -      active  a\\x1b[2J\\x0aroot\\xc2\\x9b1m\\x7fé\n"
    #expect(StatusText.table([report]).hasSuffix("\n" + line))
    #expect(StatusText.lines([report]).contains(#""a\\x1b[2J\\x0aroot\\xc2\\x9b1m\\x7fé""#))
    #expect(ServiceError("a\nb\u{9B}").message == "a\\x0ab\\xc2\\x9b")
    var status = try #require(
      JobStatus(reading: Array(#"{"state":"tracing","reason":"a\n"}"#.utf8)))
    #expect(status.reason == "a\\x0a")
    status.take(tracer: Array(#"{"state":"degraded","reason":"\u001b[2J"}"#.utf8))
    #expect(status.reason == "\\x1b[2J")
  }

  @Test func reapsNothingWhereSlurmDoesNotAnswer() throws {
    try service().start(request())
    for script in ["exit 1", "exec sleep 60"] {
      folder.write("squeue", "#!/bin/sh\n\(script)\n", mode: 0o755)
      let reaper = Reaper(
        service: try service(), squeue: Command(path: folder.path + "/squeue", arguments: []),
        steps: StepProcesses(path: folder.path + "/none"))
      #expect(failure { _ = try reaper.reap(limit: 1) }?.exitStatus == .unavailable)
    }
    #expect(folder.names("run") == ["7", "datacrumbs-7.env"])
  }
}
