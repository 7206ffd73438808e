import Foundation
import Testing

@testable import Tracer

@Suite struct CgroupSelectorTests {
  @Test func aNameIsFoundAnywhereInAPathAndAPathOnlyAtItsBeginning() throws {
    func selects(_ setting: String, _ path: String) throws -> Bool {
      try CgroupSelector(setting).selects(Array(path.utf8))
    }
    #expect(try selects("job_7", "/slurm/uid_1000/job_7"))
    #expect(try selects("job_7", "/system.slice/slurmstepd.scope/job_7/step_0/user/task_0"))
    #expect(try !selects("job_7", "/slurm/uid_1000/job_77/step_0"))
    #expect(try !selects("job_7", "/slurm/uid_1000/xjob_7"))
    #expect(try !selects("job_7", "/"))
    #expect(try selects("/a/b", "/a/b"))
    #expect(try selects("/a/b/", "/a/b/c"))
    #expect(try !selects("/a/b", "/a/bc"))
    #expect(try !selects("/a/b", "/x/a/b"))
  }

  @Test(arguments: ["", "/", "a/b", "/" + String(repeating: "x", count: 1024)])
  func whatIsNoCgroupIsRefused(setting: String) {
    #expect(throws: TracerError.self) { try CgroupSelector(setting) }
  }
}

/// The tasks of a cgroup are traced without anybody marking them.
@Suite(
  .serialized,
  .enabled(if: TracedRun.canTrace, "real traces need root, eBPF with BTF and a C compiler"))
struct CgroupTests {
  /// A cgroup of the test's own, in each hierarchy that there is: version 2, and one of version 1.
  static var hierarchies: [String] {
    ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/freezer", "/sys/fs/cgroup"].filter {
      access($0 + "/cgroup.procs", W_OK) == 0
    }
  }
  private static var files: [String: Any] {
    ["type": 0, "name": "posix", "functions": ["openat", "read", "execve"]]
  }

  /// .../datacrumbs-PID/job_ID, removed with this.
  private final class Group {
    let folder: String
    let path: String

    init(_ hierarchy: String, job: String = "4711") throws {
      folder = hierarchy + "/datacrumbs-\(getpid())-\(UInt32.random(in: 0 ... .max))"
      path = folder + "/job_" + job
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
      // The last task of a cgroup leaves it a moment after its parent has heard of its end.
      while rmdir(path) != 0, errno == EBUSY { usleep(1000) }
      rmdir(folder)
    }

    /// Runs a shell script in it, as a scheduler does: moved as root, then the user's.
    func start(_ script: String, user: String = TracedRun.user) throws -> Process {
      let program = Process()
      program.executableURL = URL(fileURLWithPath: "/bin/sh")
      program.arguments = [
        "-c",
        "echo $$ > \(path)/cgroup.procs && exec setpriv --reuid \(user) --regid 65534"
          + " --clear-groups sh -c \"$0\"", script,
      ]
      program.standardOutput = FileHandle.nullDevice
      try program.run()
      return program
    }

    func run(_ script: String, user: String = TracedRun.user) throws {
      let program = try start(script, user: user)
      program.waitUntilExit()
      #expect(program.terminationStatus == 0)
    }
  }

  @Test(arguments: hierarchies)
  func whatComesIntoTheJobsCgroupIsTraced(hierarchy: String) throws {
    let run = try TracedRun([Self.files], settings: ["DATACRUMBS_CGROUP": "job_4711"])
    let job = try Group(hierarchy)
    let other = try Group(hierarchy, job: "47110")
    try job.run("(cat /etc/hostname; true) | cat")
    try other.run("cat /etc/issue")
    try job.run("cat /etc/shells", user: "daemon")
    let trace = try run.finish()

    let reads = trace.named("read").filter { $0.path == "/etc/hostname" }
    #expect(reads.contains { ($0.result ?? 0) > 0 })
    let programs = trace.named("execve").filter { $0.result == 0 }.compactMap(\.path)
    #expect(programs.filter { $0.hasSuffix("/cat") }.count == 2)
    #expect(!trace.events.contains { ["/etc/issue", "/etc/shells"].contains($0.path) })
    #expect(trace.processes.values.contains("cat"))
    #expect(trace.end["privileged_programs"] as? Int == 0)
  }

  @Test(arguments: hierarchies)
  func whatRunsInTheJobsCgroupAlreadyIsTraced(hierarchy: String) throws {
    let job = try Group(hierarchy)
    let folder = "/tmp/datacrumbs-cgroup-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    chmod(folder, 0o777)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    mkfifo(folder + "/go", 0o666)
    chmod(folder + "/go", 0o666)
    // The shell waits in openat while the tracer starts.
    let program = try job.start("echo > \(folder)/ready; read go < \(folder)/go; cat /etc/hostname")
    while access(folder + "/ready", F_OK) != 0 { usleep(10_000) }
    // By its path as well, as a site without Slurm would.
    let text = try String(
      contentsOfFile: "/proc/\(program.processIdentifier)/cgroup", encoding: .utf8)
    let place = try #require(
      text.split(separator: "\n").first { $0.hasSuffix("/job_4711") }?
        .split(separator: ":", maxSplits: 2).last)
    let run = try TracedRun(
      [Self.files], settings: ["DATACRUMBS_CGROUP": String(place), "DATACRUMBS_MARKER": "/nosuch"])
    #expect(
      (try run.state()["not_attached"] as? [[String: Any]])?.first?["name"] as? String
        == "datacrumbs_mark_task")
    try "go\n".write(toFile: folder + "/go", atomically: false, encoding: .utf8)
    program.waitUntilExit()
    let trace = try run.finish()

    #expect(trace.named("openat").contains { $0.path == "/etc/hostname" })
    // The call that was under way when the tracer came is in no trace: its beginning was not seen.
    #expect(!trace.named("openat").contains { $0.path == folder + "/go" })
    #expect(trace.processes[Int(program.processIdentifier)] != nil)
    #expect(trace.end["incomplete"] as? Int == 0)
  }

  @Test func everyThreadOfARunningProcessIsTraced() throws {
    let hierarchy = try #require(Self.hierarchies.first)
    let job = try Group(hierarchy)
    let program = try job.start("exec \(try TracedRun.fixture("waiting_threads"))")
    while (try? FileManager.default.contentsOfDirectory(
      atPath: "/proc/\(program.processIdentifier)/task"
    ).count) != 9 {
      usleep(10_000)
    }
    let run = try TracedRun(
      [["type": 0, "name": "posix", "functions": ["getppid"]]],
      settings: ["DATACRUMBS_CGROUP": "job_4711"])
    kill(program.processIdentifier, SIGUSR1)
    program.waitUntilExit()
    let trace = try run.finish()
    #expect(trace.named("getppid").count == 800)
    #expect(Set(trace.named("getppid").map(\.tid)).count == 8)
  }
}

extension String {
  /// Writes to what is there, a FIFO for instance.
  fileprivate func write(toFile path: String, atomically: Bool, encoding: Encoding) throws {
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.write(contentsOf: Data(utf8))
    try file.close()
  }
}
