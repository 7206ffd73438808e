import CTracerBPF
import Foundation
import Testing

@testable import Tracer

/// What a user does to have other users' tasks traced, or their tracers held up, does not succeed.
@Suite(
  .serialized,
  .enabled(if: TracedRun.canTrace, "real traces need root, eBPF with BTF and a C compiler"))
struct HostileTasksTests {
  private static var files: [String: Any] {
    ["type": 0, "name": "posix", "functions": ["openat", "read"]]
  }

  /// Reads /etc/issue, unmarked and as root, under a number: in a process that is forked and never execs.
  private func readIssue(as pid: Int32) throws {
    let script = """
      import os, sys
      for _ in range(50):
          open('/proc/sys/kernel/ns_last_pid', 'w').write(str(\(pid) - 1))
          child = os.fork()
          if child == 0:
              if os.getpid() == \(pid):
                  open('/etc/issue').read()
              os._exit(0)
          os.waitpid(child, 0)
          if child == \(pid):
              sys.exit(0)
      sys.exit(1)
      """
    let python = Process()
    python.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    python.arguments = ["-c", script]
    try python.run()
    python.waitUntilExit()
    #expect(python.terminationStatus == 0, "no process got the number \(pid)")
  }

  @Test func theNumberOfAThreadWhoseExecKilledItsProcessIsNobodysMark() throws {
    let run = try TracedRun([Self.files])
    let file = run.folder.appendingPathComponent("number").path
    try run.run([try TracedRun.fixture("doomed_exec"), file])
    let thread = try #require(Int32(try String(contentsOfFile: file, encoding: .utf8)))
    try readIssue(as: thread)
    let trace = try run.finish()
    #expect(trace.named("openat").contains { $0.tid == Int(thread) && $0.path == "./doomed" })
    #expect(!trace.events.contains { $0.path == "/etc/issue" })
  }

  /// A process whose thread has a given id, which opens /etc/issue and runs a program.
  private func borrow(_ id: Int32, _ program: String...) throws -> [String] {
    [try TracedRun.fixture("borrowed_pid"), String(id), "65534", "/etc/issue"] + program
  }

  @Test func aThreadOfTheSameUserThatGetsSuchANumberStaysUnmarkedThroughExec() throws {
    let run = try TracedRun([Self.files])
    let file = run.folder.appendingPathComponent("number").path
    try run.run([try TracedRun.fixture("doomed_exec"), file])
    let thread = try #require(Int32(try String(contentsOfFile: file, encoding: .utf8)))
    let arguments = try borrow(thread, "/bin/cat", "/etc/shells")
    let unmarked = Process()
    unmarked.executableURL = URL(fileURLWithPath: arguments[0])
    unmarked.arguments = Array(arguments.dropFirst())
    unmarked.standardOutput = FileHandle.nullDevice
    try unmarked.run()
    unmarked.waitUntilExit()
    #expect(unmarked.terminationStatus == 0)
    let trace = try run.finish()
    #expect(!trace.events.contains { ["/etc/issue", "/etc/shells"].contains($0.path) })
  }

  @Test func theSumsOfAThreadAreNotThoseOfAnotherProcessThatHadItsNumber() throws {
    let run = try TracedRun(
      [["type": 0, "name": "posix", "functions": ["openat"]]],
      summary: ["mode": "profile", "profile_interval_ms": "60000"])
    let first = try run.start(["cat", "/etc/hostname"])
    first.waitUntilExit()
    // Marked as the user's, with the one right that setting an id takes.
    let second = try run.start(
      try borrow(first.processIdentifier, "/nosuch"),
      privileges: ["--inh-caps", "+sys_admin", "--ambient-caps", "+sys_admin"])
    second.waitUntilExit()
    // It had the id, and did all but run /nosuch.
    #expect(second.terminationStatus == 1)
    let trace = try run.finish()
    #expect(trace.profiles.contains { $0.pid == Int(first.processIdentifier) })
    let sums = trace.profiles.filter { $0.pid == Int(second.processIdentifier) }
    #expect(sums.map { $0.value("count") }.reduce(0, +) >= 1)
  }

  @Test func aProcessOfAContainerWithoutRootIsMarkedByItsCgroup() throws {
    let hierarchy = try #require(CgroupTests.hierarchies.first)
    let folder = hierarchy + "/datacrumbs-\(getpid())-\(UInt32.random(in: 0 ... .max))/job_4712"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer {
      while rmdir(folder) != 0, errno == EBUSY { usleep(1000) }
      rmdir((folder as NSString).deletingLastPathComponent)
    }
    let run = try TracedRun([Self.files], settings: ["DATACRUMBS_CGROUP": "job_4712"])
    let program = Process()
    program.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
    // Its own root there, with every capability.
    program.arguments = [
      "--reuid", TracedRun.user, "--regid", "65534", "--clear-groups", "unshare", "--user",
      "--map-root-user", "sh", "-c", "read line; read line < /etc/issue",
    ]
    let input = Pipe()
    program.standardInput = input
    try program.run()
    while (try? String(
      contentsOfFile: "/proc/\(program.processIdentifier)/comm", encoding: .utf8)) != "sh\n"
    { usleep(10_000) }
    let procs = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/cgroup.procs"))
    try procs.write(contentsOf: Data("\(program.processIdentifier)\n".utf8))
    try procs.close()
    try input.fileHandleForWriting.write(contentsOf: Data("go\n".utf8))
    try input.fileHandleForWriting.close()
    program.waitUntilExit()
    #expect(program.terminationStatus == 0)
    let trace = try run.finish()
    #expect(trace.named("openat").contains { $0.path == "/etc/issue" })
  }

  @Test func aTaskThatHasEndedIsNotMarkedByItsCgroup() throws {
    let hierarchy = try #require(CgroupTests.hierarchies.first)
    let folder = hierarchy + "/datacrumbs-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(
      atPath: folder + "/job_4712", withIntermediateDirectories: true)
    defer {
      while rmdir(folder + "/job_4712") != 0, errno == EBUSY { usleep(1000) }
      rmdir(folder)
    }
    for isBefore in [true, false] {
      let program = Process()
      program.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
      program.arguments = [
        "--reuid", TracedRun.user, "--regid", "65534", "--clear-groups",
        try TracedRun.fixture("headless"),
      ]
      try program.run()
      let pid = program.processIdentifier
      while (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8))?
        .contains(") Z ") != true
      { usleep(10_000) }
      func enter() throws {
        let procs = try FileHandle(
          forWritingTo: URL(fileURLWithPath: folder + "/job_4712/cgroup.procs"))
        try procs.write(contentsOf: Data("\(pid)\n".utf8))
        try procs.close()
      }
      if isBefore { try enter() }
      let run = try TracedRun([Self.files], settings: ["DATACRUMBS_CGROUP": "job_4712"])
      if !isBefore { try enter() }
      kill(pid, SIGKILL)
      program.waitUntilExit()
      try readIssue(as: pid)
      let trace = try run.finish()
      #expect(!trace.events.contains { $0.path == "/etc/issue" })
      #expect(trace.end["marked_tasks"] as? Int == 0)
    }
  }

  @Test(
    .enabled(
      if: datacrumbs_has_uprobe_multi(DC_UPROBE_SESSION) != 0, "uprobe sessions need Linux 6.13"))
  func theReturnAddressesOfOthersAreLeftAlone() throws {
    let program = try TracedRun.fixture("return_address")
    for (settings, others) in [([:], 0), (["DATACRUMBS_USER_HOOK": "multi"], 1)] {
      let run = try TracedRun(
        [["type": 2, "name": "app", "binary_path": program, "functions": ["look_back"]]],
        settings: settings)
      // 1: the kernel's own address stands there, which a program that moves its stack does not survive.
      #expect(try run.run([program]) == 1)
      let other = Process()
      other.executableURL = URL(fileURLWithPath: program)
      try other.run()
      other.waitUntilExit()
      #expect(other.terminationStatus == others)
      #expect(try run.finish().named("look_back").count == 1)
    }
  }

  @Test func nobodyElsesMarksReachATrace() throws {
    let run = try TracedRun([Self.files])
    try run.run(["cat", "/etc/issue"], user: "daemon")
    let trace = try run.finish()
    #expect(trace.events.isEmpty)
    #expect(trace.processes.isEmpty)
    #expect(trace.end["marked_tasks"] as? Int == 0)
  }

  @Test func jobsWhoseNumbersDifferOnlyAboveTheLower32BitsAreTwo() throws {
    let run = try TracedRun([Self.files])
    let other = try #require(UInt64(run.job)) + (1 << 32)
    try run.run(["cat", "/etc/issue"], job: String(other))
    try run.run(["cat", "/etc/hostname"])
    let trace = try run.finish()
    #expect(trace.events.contains { $0.path == "/etc/hostname" })
    #expect(!trace.events.contains { $0.path == "/etc/issue" })
  }

  @Test func whoMarksHerselfAgainAndAgainIsNamedOnce() throws {
    let run = try TracedRun([Self.files])
    // Python's own mark, from the library's constructor, is the first.
    try run.run([
      "python3", "-c",
      """
      import ctypes, os
      mark = ctypes.CDLL(os.environ['LD_PRELOAD']).datacrumbs_mark_task
      for _ in range(1000): mark(ctypes.c_uint64(int(os.environ['DATACRUMBS_RUN_ID'])))
      """,
    ])
    let trace = try run.finish()
    let names = trace.lines.filter { $0.contains("\"process_name\"") && $0.contains("python3") }
    #expect(names.count <= 2)
  }

  @Test func aProcessWithCapabilitiesIsNotMarkedByItsCgroup() throws {
    let hierarchy = try #require(CgroupTests.hierarchies.first)
    let folder = hierarchy + "/datacrumbs-\(getpid())-\(UInt32.random(in: 0 ... .max))/job_4712"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer {
      while rmdir(folder) != 0, errno == EBUSY { usleep(1000) }
      rmdir((folder as NSString).deletingLastPathComponent)
    }
    let run = try TracedRun([Self.files], settings: ["DATACRUMBS_CGROUP": "job_4712"])
    let program = Process()
    program.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
    program.arguments = [
      "--reuid", TracedRun.user, "--regid", "65534", "--clear-groups", "--inh-caps", "+net_raw",
      "--ambient-caps", "+net_raw", "sh", "-c", "read line; read line < /etc/issue",
    ]
    let input = Pipe()
    program.standardInput = input
    try program.run()
    while (try? String(
      contentsOfFile: "/proc/\(program.processIdentifier)/comm", encoding: .utf8)) != "sh\n"
    { usleep(10_000) }
    let procs = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/cgroup.procs"))
    try procs.write(contentsOf: Data("\(program.processIdentifier)\n".utf8))
    try procs.close()
    try input.fileHandleForWriting.write(contentsOf: Data("go\n".utf8))
    try input.fileHandleForWriting.close()
    program.waitUntilExit()
    let trace = try run.finish()
    #expect(!trace.events.contains { $0.path == "/etc/issue" })
  }

  @Test func aPageThatNeverComesHoldsUpNobody() throws {
    let setting = "/proc/sys/vm/unprivileged_userfaultfd"
    let before = try String(contentsOfFile: setting, encoding: .utf8)
    try "1".write(toFile: setting, atomically: false, encoding: .utf8)
    defer { try? before.write(toFile: setting, atomically: false, encoding: .utf8) }
    let program = try TracedRun.fixture("missing_page")
    let run = try TracedRun([
      [
        "type": 2, "name": "app", "binary_path": program, "functions": ["take"],
        "function_arguments": [
          "take": [
            [
              "index": 0, "num_bytes": 8, "is_pointer": true, "label": "path",
              "c_type": "const char *",
            ]
          ]
        ],
      ]
    ])
    let stuck = try run.start([program])
    let deadline = Date().addingTimeInterval(10)
    while !TracedRun.isWaiting(in: "pause", stuck.processIdentifier) {
      try #require(Date() < deadline)
      usleep(10_000)
    }
    // Another job's tracer, of another file, comes and goes.
    let arguments = try TracedRun.fixture("arguments")
    let other = try TracedRun([
      ["type": 2, "name": "app", "binary_path": arguments, "functions": ["copy_file"]]
    ])
    try other.run([arguments])
    #expect(try other.finish().named("copy_file").count == 1)
    kill(stuck.processIdentifier, SIGKILL)
    stuck.waitUntilExit()
    let trace = try run.finish()
    #expect(trace.named("take").count == 1)
    #expect(trace.end["unreadable_strings"] as? Int == 1)
  }
}
