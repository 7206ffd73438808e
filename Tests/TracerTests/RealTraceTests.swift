import Foundation
import Testing

/// Each test runs the tracer on a real child process in this kernel.
@Suite(
  .serialized,
  .enabled(if: TracedRun.canTrace, "real traces need root, eBPF with BTF and a C compiler"))
struct RealTraceTests {
  static var files: [String: Any] {
    [
      "type": 0, "name": "posix",
      "functions": [
        "openat", "read", "write", "close", "unlinkat", "execve", "renameat2", "exit_group",
      ],
    ]
  }

  @Test func callsHaveNamePathResultAndTime() throws {
    let run = try TracedRun([Self.files])
    let path = run.folder.appendingPathComponent("of the job").path
    try run.run(["sh", "-c", "echo hello > '\(path)'; cat '\(path)' /nosuch"])
    let trace = try run.finish()

    let open = try #require(trace.named("openat").first { $0.path == path })
    #expect(open.category == "posix")
    #expect((open.result ?? -1) >= 0)
    #expect(open.start > 0 && open.duration >= 0)
    let missing = try #require(trace.named("openat").first { $0.path == "/nosuch" })
    #expect(missing.result == -Int(ENOENT))
    #expect(missing.arguments["errno"] as? String == "ENOENT")
    #expect(trace.named("write").contains { $0.result == 6 })
  }

  @Test func everythingThatTheTaskForksIsTraced() throws {
    let run = try TracedRun([Self.files])
    try run.run(["sh", "-c", "(sh -c 'cat /etc/hostname; true'; true) & cat /etc/passwd; wait"])
    let trace = try run.finish()

    let opened = trace.named("openat").filter {
      ["/etc/hostname", "/etc/passwd"].contains($0.path)
    }
    #expect(Set(opened.map(\.path)).count == 2)
    #expect(Set(opened.map(\.pid)).count == 2)
    let programs = trace.named("execve").filter { $0.result == 0 }.compactMap(\.path)
    #expect(programs.filter { $0.hasSuffix("/cat") }.count == 2)
  }

  @Test func anotherJobAndUnmarkedProcessesAreLeftAlone() throws {
    let run = try TracedRun([Self.files])
    let other = try run.start(["cat", "/etc/issue"], job: "4712")
    let unmarked = Process()
    unmarked.executableURL = URL(fileURLWithPath: "/bin/cat")
    unmarked.arguments = ["/etc/issue"]
    unmarked.standardOutput = FileHandle.nullDevice
    try unmarked.run()
    try run.run(["cat", "/etc/hostname"])
    other.waitUntilExit()
    unmarked.waitUntilExit()
    let trace = try run.finish()

    #expect(trace.events.contains { $0.path == "/etc/hostname" })
    #expect(!trace.events.contains { $0.path == "/etc/issue" })
    #expect(!trace.events.contains { $0.pid == Int(other.processIdentifier) })
  }

  @Test func anotherAccountCannotEnterTheTrace() throws {
    let run = try TracedRun([Self.files])
    try run.run(["cat", "/etc/issue"], user: "daemon")
    let trace = try run.finish()
    #expect(trace.events.isEmpty)
  }

  @Test func functionsOfALibraryAreTracedWithTheirReturn() throws {
    let libc = "/lib/x86_64-linux-gnu/libc.so.6"
    let run = try TracedRun([
      ["type": 2, "name": "libc", "functions": ["fopen", "no_such_function"], "binary_path": libc]
    ])
    try run.run([try TracedRun.fixture("calls")])
    let trace = try run.finish()

    #expect(trace.named("fopen").contains { $0.category == "libc" && ($0.result ?? 0) != 0 })
    #expect(trace.named("fopen").contains { $0.result == 0 })
    let refused = try #require(trace.head["not_attached"] as? [[String: Any]])
    #expect(refused.first?["name"] as? String == "no_such_function")
    #expect(run.notifications.contains("no_such_function"))
  }

  @Test func libraryFunctionsThatFailHaveTheirErrno() throws {
    let libc = "/lib/x86_64-linux-gnu/libc.so.6"
    let run = try TracedRun([
      [
        "type": 2, "name": "libc", "functions": ["fopen", "read", "mkdir", "close", "fclose"],
        "binary_path": libc,
      ]
    ])
    #expect(try run.run([try TracedRun.fixture("library_errors")]) == 0)
    let trace = try run.finish()
    func failures(_ name: String) -> [String] {
      trace.named(name).compactMap { event in
        (event.arguments["errno"] as? String).map { "\(event.result ?? 99) \($0)" }
      }
    }
    #expect(failures("fopen") == ["0 ENOENT"])
    #expect(failures("read") == ["-1 EBADF"])
    #expect(failures("mkdir") == ["-1 ENOTDIR"])
    #expect(failures("close").isEmpty && failures("fclose").isEmpty)
    #expect(trace.named("fopen").contains { $0.result != 0 && $0.arguments["errno"] == nil })
    #expect(trace.named("close").contains { $0.result == 0 })
  }

  @Test func aStaticProgramIsTraced() throws {
    let program = try TracedRun.fixture("static_program")
    let run = try TracedRun([
      Self.files, ["type": 2, "name": "app", "functions": ["work"], "binary_path": program],
    ])
    // The shell is marked, as slurmstepd's child is; what it becomes cannot be.
    #expect(try run.run(["sh", "-c", "exec \(program)"]) == 0)
    let trace = try run.finish()
    #expect(trace.named("openat").contains { $0.path == "/etc/hostname" })
    #expect(trace.named("work").map(\.result) == [7])
  }

  @Test func aContainersProcessesAreTracedByTheNodesPids() throws {
    let run = try TracedRun([Self.files])
    let root = run.folder.appendingPathComponent("root").path
    let program = try TracedRun.fixture("static_program")
    // A root, a pid namespace and a user namespace of its own: what unprivileged containers have.
    #expect(
      try run.run([
        "sh", "-c",
        "mkdir -p \(root)/etc && cp \(program) \(root)/work && echo inside > \(root)/etc/hostname"
          + " && unshare --user --map-root-user --pid --fork chroot \(root) /work",
      ]) == 0)
    let trace = try run.finish()
    let opens = trace.named("openat").filter { $0.path == "/etc/hostname" }
    let open = try #require(opens.last)
    // Process 1 in there, and another one to the node.
    #expect(open.pid > 1)
    #expect(
      trace.lines.contains {
        $0.contains("\"process_name\"") && $0.contains("\"pid\":\(open.pid),")
          && $0.contains("\"name\":\"work\"")
      })
    let reads = trace.named("read").filter { $0.pid == open.pid && $0.result == 7 }
    #expect(reads.contains { $0.path?.hasSuffix("/root/etc/hostname") == true })
  }

  @Test func anotherProcessWithTheSamePidInheritsNothing() throws {
    let run = try TracedRun([Self.files])
    let first = try run.start(["cat", "/etc/hostname"])
    let pid = first.processIdentifier
    first.waitUntilExit()
    // The next process gets this number, unless another one is faster.
    var reused = false
    for _ in 0..<50 where !reused {
      try "\(pid - 1)".write(
        toFile: "/proc/sys/kernel/ns_last_pid", atomically: false, encoding: .utf8)
      let second = Process()
      second.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
      second.arguments = [
        "--reuid", TracedRun.user, "--regid", "65534", "--clear-groups", "cat", "/etc/issue",
      ]
      second.standardOutput = FileHandle.nullDevice
      try second.run()
      second.waitUntilExit()
      reused = second.processIdentifier == pid
    }
    #expect(reused)
    let trace = try run.finish()
    #expect(trace.named("openat").contains { $0.path == "/etc/hostname" && $0.pid == Int(pid) })
    #expect(!trace.events.contains { $0.path == "/etc/issue" })
  }

  @Test func aThreadThatExecsTakesTheMarkAlong() throws {
    let run = try TracedRun([Self.files])
    #expect(try run.run([try TracedRun.fixture("thread_exec"), "/bin/cat", "/etc/hostname"]) == 0)
    let trace = try run.finish()
    let open = try #require(trace.named("openat").first { $0.path == "/etc/hostname" })
    #expect(open.pid == open.tid)
    #expect(trace.named("execve").contains { $0.path == "/bin/cat" && $0.result == 0 })
  }

  @Test func aRenameHasBothPaths() throws {
    let run = try TracedRun([Self.files])
    try run.run(["sh", "-c", "touch old-name; mv old-name new-name"])
    let trace = try run.finish()
    let rename = try #require(trace.named("renameat2").first)
    #expect(rename.path == "old-name")
    let hash = try #require(rename.arguments["newname_hash"] as? String)
    #expect(trace.strings[hash] == "new-name")
  }

  @Test func theTracerHasTheUsersIdsAndNoCapability() throws {
    let run = try TracedRun([Self.files])
    let status = try String(
      contentsOfFile: "/proc/\(run.tracer.processIdentifier)/status", encoding: .utf8)
    func value(_ name: String) -> String? {
      status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
      #expect(value(set) == "0000000000000000", "\(set)")
    }
    #expect(value("Uid") == "65534\t65534\t65534\t65534")
    #expect(value("Gid") == "65534\t65534\t65534\t65534")
    #expect(value("NoNewPrivs") == "1")
    let file = try run.traceFile().path
    let attributes = try FileManager.default.attributesOfItem(atPath: file)
    #expect(attributes[.ownerAccountID] as? Int == 65534)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }

  @Test func aKilledTracerLeavesAReadableFile() throws {
    let run = try TracedRun([Self.files])
    try run.run(["cat", "/etc/hostname"])
    let file = try run.traceFile()
    try run.waitForTrace { $0.events.contains { $0.path == "/etc/hostname" } }
    kill(run.tracer.processIdentifier, SIGKILL)
    run.tracer.waitUntilExit()
    let trace = try Trace(reading: file)
    #expect(trace.events.contains { $0.path == "/etc/hostname" })
    #expect(trace.lines.first == "[")
    #expect(trace.end.isEmpty)
  }

  @Test func aRequeuedJobDoesNotOverwriteItsTrace() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "requeue-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    chmod(folder.path, 0o777)
    defer { try? FileManager.default.removeItem(at: folder) }
    let traces = folder.appendingPathComponent("t").path
    for _ in 0..<2 {
      let run = try TracedRun([Self.files], traceDirectory: traces)
      kill(run.tracer.processIdentifier, SIGTERM)
      run.tracer.waitUntilExit()
      #expect(run.tracer.terminationStatus == 0)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: traces).count == 2)
  }

  @Test func nothingToAttachIsAnError() throws {
    let run = try TracedRun(
      [["type": 0, "name": "posix", "functions": ["no_such_call"]]], waitsForReady: false)
    run.tracer.waitUntilExit()
    #expect(run.tracer.terminationStatus == 69)
    #expect(run.standardError().contains("no such system call"))
  }

  @Test func anUnwritableFolderIsAnError() throws {
    let run = try TracedRun([Self.files], waitsForReady: false, traceDirectory: "/proc/nothing/t")
    run.tracer.waitUntilExit()
    #expect(run.tracer.terminationStatus == 77)
    #expect(run.standardError().contains("/proc/nothing/t"))
  }

  @Test func aDescriptorIsTheFileThatItStandsFor() throws {
    let run = try TracedRun([
      ["type": 0, "name": "posix", "functions": ["read", "write", "close", "dup2"]]
    ])
    let path = run.folder.appendingPathComponent("by descriptor").path
    try run.run(["sh", "-c", "echo one > '\(path)'; cat '\(path)' | cat"])
    let trace = try run.finish()
    #expect(trace.named("write").contains { $0.path == path && $0.result == 4 })
    #expect(trace.named("read").contains { $0.path == path && $0.result == 4 })
    #expect(trace.named("close").contains { $0.path == path })
    #expect(trace.named("read").contains { $0.path?.hasPrefix("pipe:[") == true })
    #expect(trace.definitions == Set(trace.strings.keys).count)
  }

  @Test func aFileThatTakesAnothersPlaceHasItsOwnName() throws {
    let run = try TracedRun([["type": 0, "name": "posix", "functions": ["write"]]])
    try run.run([try TracedRun.fixture("files"), run.folder.path])
    let trace = try run.finish()
    // 200 files, each opened as the same descriptor, written and removed.
    let paths = Set(trace.named("write").compactMap(\.path))
    #expect(paths == Set((0..<200).map { "\(run.folder.path)/file-\($0)" }))
  }

  @Test func argumentsAreCapturedAsTheProbeFileAsks() throws {
    let program = try TracedRun.fixture("arguments")
    let run = try TracedRun([
      [
        "type": 2, "name": "app", "binary_path": program, "functions": ["copy_file"],
        "function_arguments": [
          "copy_file": [
            [
              "index": 0, "num_bytes": 8, "is_pointer": true, "label": "from",
              "c_type": "const char *",
            ],
            ["index": 1, "num_bytes": 4, "is_pointer": false, "label": "count", "c_type": "int"],
            ["index": 3, "num_bytes": 8, "is_pointer": false, "label": "size", "c_type": "size_t"],
          ]
        ],
      ]
    ])
    try run.run([program])
    let trace = try run.finish()
    let call = try #require(trace.named("copy_file").first)
    #expect(call.path == "/some/where")
    #expect(call.arguments["count"] as? Int == -7)
    #expect(call.arguments["size"] as? Int == 1 << 40)
    #expect(call.result == 42)
    #expect(call.arguments.count == 5)
  }

  @Test func processesHaveTheirNameAndTask() throws {
    let run = try TracedRun([Self.files])
    let program = try run.start(
      [try TracedRun.fixture("stack"), "wait"], environment: ["SLURM_PROCID": "3"])
    defer {
      kill(program.processIdentifier, SIGKILL)
      program.waitUntilExit()
    }
    try run.waitForTrace { $0.processes.values.contains("stack") }
    let trace = try run.finish()
    #expect(trace.processes[Int(program.processIdentifier)] == "stack")
    #expect(
      trace.lines.contains { $0.contains("\"name\":\"stack\"") && $0.contains("\"task\":3") })
  }

  @Test func everyThreadIsTracedUnderItsProcess() throws {
    let run = try TracedRun([["type": 0, "name": "posix", "functions": ["openat", "getppid"]]])
    let child = try run.start([try TracedRun.fixture("threads")])
    child.waitUntilExit()
    let trace = try run.finish()
    let calls = trace.named("getppid")
    // 8 threads, each 100 calls; process 1 of them is the program itself.
    #expect(calls.count == 800)
    #expect(Set(calls.map(\.tid)).count == 8)
    #expect(Set(calls.map(\.pid)).count == 1)
  }

  @Test func aThreadsExecKeepsTheMark() throws {
    let run = try TracedRun([["type": 0, "name": "posix", "functions": ["execve", "getppid"]]])
    #expect(try run.run([try TracedRun.fixture("threads"), "exec"]) == 0)
    let trace = try run.finish()
    let calls = trace.named("getppid")
    #expect(calls.count == 100)
    // The thread took over the process's number with its program.
    #expect(calls.allSatisfy { $0.tid == $0.pid })
    #expect(trace.named("execve").contains { $0.result == 0 && $0.path == "/proc/self/exe" })
  }

  @Test func tasksWhosePidsShareASlotAreTracedApart() throws {
    let run = try TracedRun([["type": 0, "name": "posix", "functions": ["getppid"]]])
    let program = try TracedRun.fixture("crowd")
    let chooses = "--inh-caps=+checkpoint_restore --ambient-caps=+checkpoint_restore"
    #expect(try run.run([program], privileges: chooses.split(separator: " ").map(String.init)) == 0)
    let trace = try run.finish()
    let calls = Dictionary(grouping: trace.named("getppid"), by: \.pid).mapValues(\.count)
    #expect(calls.values.sorted() == [100, 200])
    let pids = calls.keys.sorted()
    #expect(pids.count == 2 && pids[1] - pids[0] == 16384)
  }

  @Test func recordsOfManyThreadsAreWholeAndInOrder() throws {
    let program = try TracedRun.fixture("crush")
    let threads = 16
    let rounds = 1500
    let run = try TracedRun(
      [
        ["type": 0, "name": "posix", "functions": ["read", "openat"]],
        [
          "type": 2, "name": "app", "functions": ["crush_function"], "binary_path": program,
          "function_arguments": [
            "crush_function": [
              ["index": 0, "label": "i", "c_type": "long", "num_bytes": 8, "is_pointer": false]
            ]
          ],
        ],
      ], summary: ["time_unit": "ns"])
    #expect(try run.run([program, "\(threads)", "\(rounds)"]) == 0)
    let trace = try run.finish()
    let isWhole = (trace.end["lost"] as? [String: Int])?.values.allSatisfy { $0 == 0 }
    try #require(isWhole == true)
    let reads = Dictionary(
      grouping: trace.named("read").filter { $0.path == "/dev/zero" }, by: \.tid)
    let functions = Dictionary(grouping: trace.named("crush_function"), by: \.tid)
    #expect(reads.count == threads && functions.count == threads)
    for (thread, calls) in reads {
      let calls = calls.sorted { $0.start < $1.start }
      #expect(calls.map(\.result) == (0..<rounds).map { 1 + $0 % 500 })
      #expect(calls.allSatisfy { $0.arguments["count"] as? Int == $0.result })
      let others = (functions[thread] ?? []).sorted { $0.start < $1.start }
      #expect(others.map { $0.arguments["i"] as? Int } == Array(0..<rounds))
      #expect(others.map(\.result) == (0..<rounds).map { 3 * $0 + 1 })
      // One after the other, as the thread made them.
      for (read, function) in zip(calls, others) {
        #expect(read.start + read.duration <= function.start)
      }
    }
    let opens = Dictionary(
      grouping: trace.named("openat").filter { $0.path?.hasPrefix("/crush/") == true }, by: \.tid)
    #expect(opens.count == threads)
    for calls in opens.values {
      let names = calls.sorted { $0.start < $1.start }.compactMap(\.path)
      let number = names.first?.dropFirst("/crush/".count).prefix { $0 != "-" } ?? ""
      #expect(names == stride(from: 0, to: rounds, by: 16).map { "/crush/\(number)-\($0)" })
    }
  }

  @Test func nestedAndRecursiveCallsComeOutRight() throws {
    let program = try TracedRun.fixture("stack")
    let run = try TracedRun(
      [
        ["type": 2, "name": "app", "functions": ["recurse", "leaf"], "binary_path": program]
      ], summary: ["time_unit": "ns"])
    try run.run([program, "recurse"])
    let trace = try run.finish()
    let levels = trace.named("recurse").sorted { $0.start < $1.start }
    #expect(levels.map { $0.result } == Array(1...20).reversed())
    for (outer, inner) in zip(levels, levels.dropFirst()) {
      #expect(inner.start > outer.start)
      #expect(inner.start + inner.duration <= outer.start + outer.duration)
    }
    #expect(trace.named("leaf").count == 1)
    #expect(trace.end["incomplete"] as? Int == 0)
  }

  @Test func callsThatLongjmpLeavesAreIncomplete() throws {
    let program = try TracedRun.fixture("stack")
    let run = try TracedRun([
      ["type": 2, "name": "app", "functions": ["outer", "jumper"], "binary_path": program]
    ])
    try run.run([program, "longjmp"])
    let trace = try run.finish()
    // outer calls jumper ten times; none of them returns, outer does.
    #expect(trace.named("outer").map { $0.result } == [10])
    let jumpers = trace.named("jumper")
    #expect(jumpers.count == 10)
    #expect(jumpers.allSatisfy { $0.arguments["incomplete"] as? Bool == true })
    #expect(trace.end["incomplete"] as? Int == 10)
  }

  @Test func callsInFlightAtExitAndAtTheEndAreIncomplete() throws {
    let program = try TracedRun.fixture("stack")
    let run = try TracedRun([
      ["type": 2, "name": "app", "functions": ["leave", "wait_for_ever"], "binary_path": program],
      ["type": 0, "name": "posix", "functions": ["pause", "exit_group"]],
    ])
    try run.run([program, "exit"])
    let waiting = try run.start([program, "wait"])
    defer {
      kill(waiting.processIdentifier, SIGKILL)
      waiting.waitUntilExit()
    }
    // The program's parent in /proc tells that it sits in pause.
    let deadline = Date().addingTimeInterval(10)
    while !TracedRun.isWaiting(in: "pause", waiting.processIdentifier) {
      try #require(Date() < deadline)
      usleep(10_000)
    }
    let trace = try run.finish()
    for name in ["leave", "wait_for_ever", "pause", "exit_group"] {
      #expect(
        trace.named(name).contains { $0.arguments["incomplete"] as? Bool == true }, "\(name)")
    }
  }

  @Test func aSignalHandlersCallsAreTraced() throws {
    let program = try TracedRun.fixture("stack")
    let run = try TracedRun([
      ["type": 2, "name": "app", "functions": ["interrupted", "leaf"], "binary_path": program]
    ])
    try run.run([program, "signal"])
    let trace = try run.finish()
    #expect(trace.named("interrupted").map { $0.result } == [5])
    #expect(trace.named("leaf").map { $0.result } == [7])
    #expect(trace.end["incomplete"] as? Int == 0)
  }

  @Test func aProgramThatGainsPrivilegesIsLeftAlone() throws {
    let run = try TracedRun([Self.files])
    let program = run.folder.appendingPathComponent("setuid-cat").path
    try FileManager.default.copyItem(atPath: "/bin/cat", toPath: program)
    chown(program, 0, 0)
    chmod(program, 0o4755)
    try run.run(["sh", "-c", "\(program) /etc/issue; cat /etc/hostname"])
    let trace = try run.finish()
    #expect(trace.events.contains { $0.path == "/etc/hostname" })
    #expect(!trace.events.contains { $0.path == "/etc/issue" })
    #expect(trace.end["privileged_programs"] as? Int == 1)
  }

  @Test func staticProbesAreEventsWithTheirArguments() throws {
    let program = try TracedRun.fixture("static_probe")
    let run = try TracedRun([
      [
        "type": 3, "name": "app", "functions": ["step", "no_such_probe"], "provider": "app",
        "binary_path": program,
      ]
    ])
    try run.run([program])
    let trace = try run.finish()
    let steps = trace.named("step")
    #expect(steps.map { $0.arguments["arg0"] as? Int } == Array(-5..<5))
    #expect(steps.map { $0.arguments["arg1"] as? Int } == (0..<10).map { $0 << 33 })
    #expect(steps.allSatisfy { $0.duration == 0 && $0.arguments["arg2"] == nil })
    let refused = try #require(trace.head["not_attached"] as? [[String: Any]])
    #expect(refused.map { $0["name"] as? String } == ["no_such_probe"])
  }

  @Test func staticProbesOfAUsersOwnFileAreListedAsNotTraced() throws {
    let program = NSTemporaryDirectory() + "static-\(UUID().uuidString)"
    try FileManager.default.copyItem(
      atPath: try TracedRun.fixture("static_probe"), toPath: program)
    defer { try? FileManager.default.removeItem(atPath: program) }
    chown(program, 65534, 0)
    let run = try TracedRun([
      Self.files,
      [
        "type": 3, "name": "app", "functions": ["step"], "provider": "app", "binary_path": program,
      ],
    ])
    try run.run([program])
    try run.run(["cat", "/etc/hostname"])
    let trace = try run.finish()
    #expect(trace.named("step").isEmpty)
    #expect(trace.named("openat").contains { $0.path == "/etc/hostname" })
    let refused = try #require(trace.head["not_attached"] as? [[String: Any]])
    #expect(
      refused.map { $0["reason"] as? String }
        == ["\(program): static probes are traced in files of root's only"])
  }

  @Test func functionsThatNoReturnProbeSurvivesAreListedAsNotTraced() throws {
    let program = try TracedRun.fixture("entry")
    let gone = try TracedRun.fixture("go_like")
    let run = try TracedRun([
      ["type": 2, "name": "app", "functions": ["begin", "work"], "binary_path": program],
      ["type": 2, "name": "go", "functions": ["work"], "binary_path": gone],
    ])
    // It ends with the number of its arguments, which a return probe where it begins would overwrite.
    #expect(try run.run([program, "a", "b"]) == 3)
    #expect(try run.run([gone]) == 0)
    let trace = try run.finish()
    #expect(trace.events.map(\.name) == ["work"])
    let refused = try #require(trace.head["not_attached"] as? [[String: Any]])
    #expect(refused.map { $0["name"] as? String } == ["begin", "work"])
    let reasons = refused.compactMap { $0["reason"] as? String }
    #expect(reasons.first?.hasPrefix("\(program): the program begins there") == true)
    #expect(reasons.last?.hasPrefix("\(gone): a Go program moves its stacks") == true)
  }

  @Test func whatAUserHasNamedNeitherSteersATerminalNorIsAMessageToSystemd() throws {
    let path = NSTemporaryDirectory() + "named\u{1B}[2J\nMAINPID=1\u{9B}31m"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    chmod(path, 0o777)
    let run = try TracedRun([Self.files], traceDirectory: path)
    try run.end()
    #expect(run.notifications.contains("/named\\x1b[2J\\x0aMAINPID=1\\xc2\\x9b31m/"))
    for text in [run.notifications, run.standardError()] {
      #expect(!text.contains("\nMAINPID=1"))
      #expect(!text.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x9B })
    }
  }

  @Test func profileModeSumsWhatTraceModeLists() throws {
    let run = try TracedRun(
      [["type": 0, "name": "posix", "functions": ["getppid", "read", "openat"]]],
      summary: ["mode": "profile", "profile_interval_ms": "200"])
    try run.run([try TracedRun.fixture("threads")])
    try run.run(["dd", "if=/dev/zero", "of=/dev/null", "bs=512", "count=1000"])
    let trace = try run.finish()
    #expect(trace.events.isEmpty)

    let threads = trace.profiles.filter { $0.name == "getppid" }
    #expect(threads.reduce(0) { $0 + $1.value("count") } == 800)
    #expect(Set(threads.map(\.pid)).count == 1)
    let reads = trace.profiles.filter { $0.name == "read" && $0.value("bytes") >= 512_000 }
    let read = try #require(reads.first)
    #expect(read.value("count") >= 1000)
    #expect(read.value("min") <= read.value("max"))
    #expect(read.value("time") >= read.value("count") * read.value("min"))
    let buckets = read.arguments.filter { $0.key.hasPrefix("ns_") }
    #expect(buckets.values.reduce(0.0) { $0 + (($1 as? Double) ?? 0) } == read.value("count"))
    #expect(trace.profiles.contains { $0.name == "openat" && $0.value("errors") > 0 })
  }

  @Test func inclusionPathsKeepOnlyCallsBelowThem() throws {
    let wanted = "/tmp/datacrumbs-included-\(getpid())"
    let run = try TracedRun([Self.files], summary: ["inclusion_paths": "/nowhere:\(wanted)"])
    try FileManager.default.createDirectory(
      atPath: wanted, withIntermediateDirectories: true)
    chmod(wanted, 0o777)
    defer { try? FileManager.default.removeItem(atPath: wanted) }
    try run.run([
      "sh", "-c",
      "cd \(wanted) && echo one > relative; cat relative /etc/hostname; "
        + "cat \(wanted)/missing; echo > \(wanted)-not; rm -f \(wanted)-not",
    ])
    let trace = try run.finish()
    #expect(trace.named("read").contains { $0.path == wanted + "/relative" && $0.result == 4 })
    #expect(trace.named("openat").contains { $0.path == wanted + "/missing" })
    #expect(!trace.named("openat").filter { ($0.result ?? -1) >= 0 }.isEmpty)
    #expect(
      trace.events.allSatisfy { $0.path?.hasPrefix(wanted + "/") ?? false },
      "\(trace.events.compactMap(\.path))")
  }

  @Test func inclusionPathsHoldInProfileModeAndForFunctions() throws {
    let wanted = "/tmp/datacrumbs-included-\(getpid())"
    try FileManager.default.createDirectory(atPath: wanted, withIntermediateDirectories: true)
    chmod(wanted, 0o777)
    defer { try? FileManager.default.removeItem(atPath: wanted) }
    let copy = ["sh", "-c", "head -c 5000 /dev/zero > \(wanted)/f; cat \(wanted)/f /etc/hostname"]

    let profiled = try TracedRun(
      [["type": 0, "name": "posix", "functions": ["read", "getppid", "openat"]]],
      summary: ["mode": "profile", "inclusion_paths": "\(wanted)/"])
    try profiled.run(copy)
    let sums = try profiled.finish().profiles
    let reads = sums.filter { $0.name == "read" }
    #expect(reads.reduce(0) { $0 + $1.value("bytes") } == 5000)
    #expect(!sums.contains { $0.name == "getppid" })

    let libc = "/lib/x86_64-linux-gnu/libc.so.6"
    let asked = [["index": 0, "label": "pathname", "c_type": "const char *", "is_pointer": true]]
    let run = try TracedRun(
      [
        [
          "type": 2, "name": "libc", "functions": ["fopen", "malloc"], "binary_path": libc,
          "function_arguments": ["fopen": asked],
        ]
      ], summary: ["inclusion_paths": "/etc/hostname"])
    try run.run([try TracedRun.fixture("calls")])
    let trace = try run.finish()
    #expect(trace.events.map(\.path) == ["/etc/hostname"])
    #expect(trace.named("fopen").count == 1)
  }

  @Test(arguments: ["relative", "/a/../b", "/" + String(repeating: "x", count: 600)])
  func anInclusionPathThatCannotBeComparedIsRefused(path: String) throws {
    let run = try TracedRun(
      [Self.files], summary: ["inclusion_paths": path], waitsForReady: false)
    run.tracer.waitUntilExit()
    #expect(run.tracer.terminationStatus == 65)
    #expect(run.standardError().contains("inclusion path"))
  }

  @Test func timesAreWholeMicrosecondsOrNanosecondsAsAsked() throws {
    for (unit, time) in [
      ("", /"ts":[0-9]+,"dur":[0-9]+}$/), ("ns", /"ts":[0-9]+\.[0-9]{3},"dur":[0-9]+\.[0-9]{3}}$/),
    ] {
      let run = try TracedRun([Self.files], summary: unit.isEmpty ? [:] : ["time_unit": unit])
      try run.run(["cat", "/etc/hostname"])
      let trace = try run.finish()
      let calls = trace.lines.filter { $0.contains("\"ph\":\"X\"") }
      #expect(calls.count == trace.events.count && !calls.isEmpty)
      #expect(calls.allSatisfy { $0.firstMatch(of: time) != nil })
      #expect(trace.head["time_unit"] as? String == (unit.isEmpty ? "us" : unit))
    }
  }

  @Test func everyEventNamesItsNode() throws {
    let run = try TracedRun([Self.files])
    try run.run(["cat", "/etc/hostname"])
    let trace = try run.finish()
    let node = try #require(trace.head["node"] as? String)
    #expect(trace.events.allSatisfy { $0.arguments["hhash"] as? String == node })
    #expect(trace.lines.filter { $0.contains("\"name\":\"HH\"") }.count == 1)
  }

  @Test func anUnknownTimeUnitIsRefused() throws {
    let run = try TracedRun([Self.files], summary: ["time_unit": "ms"], waitsForReady: false)
    run.tracer.waitUntilExit()
    #expect(run.tracer.terminationStatus == 65)
    #expect(run.standardError().contains("time_unit"))
  }

  @Test func anUnknownModeIsRefused() throws {
    let run = try TracedRun([Self.files], summary: ["mode": "guess"], waitsForReady: false)
    run.tracer.waitUntilExit()
    #expect(run.tracer.terminationStatus == 65)
    #expect(run.standardError().contains("guess"))
  }

  @Test func aFullDiskCostsEventsAndNotTheJob() throws {
    let disk = "/tmp/datacrumbs-small-disk-\(getpid())"
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    defer { rmdir(disk) }
    try #require(mount("none", disk, "tmpfs", 0, "size=64k,mode=777") == 0)
    defer { umount2(disk, 2) }
    let run = try TracedRun([Self.files], traceDirectory: disk + "/t")
    let status = try run.run(["dd", "if=/dev/zero", "of=/dev/null", "bs=512", "count=200000"])
    #expect(status == 0)
    kill(run.tracer.processIdentifier, SIGTERM)
    run.tracer.waitUntilExit()
    let said = run.standardError()
    #expect(said.contains("No space left on device"))
    #expect(said.contains("not_written"))
    let names = try FileManager.default.contentsOfDirectory(atPath: disk + "/t")
    let trace = try Trace(
      reading: URL(fileURLWithPath: disk + "/t/" + (try #require(names.first))))
    #expect(!trace.events.isEmpty)
    #expect(trace.lines.allSatisfy { $0 == "[" || $0 == "]" || $0.hasSuffix("}") })
  }

  @Test func aFloodIsCountedAndHoldsTheMemoryLimit() throws {
    let run = try TracedRun([
      ["type": 0, "name": "posix", "functions": ["read", "write", "getppid"]]
    ])
    let flood = try run.start([
      "dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=500000",
    ])
    flood.waitUntilExit()
    #expect(flood.terminationStatus == 0)
    let peak = try run.peakMemory()
    #expect(peak < 128 << 10, "\(peak) KiB")
    kill(run.tracer.processIdentifier, SIGTERM)
    run.tracer.waitUntilExit()
    let file = try run.traceFile().path
    func count(_ script: String) throws -> Int {
      try #require(Int(try TracedRun.output(of: "gzip -dc '\(file)' | \(script)")))
    }
    let written = try count("grep -c '\"ph\":\"X\"'")
    let lost = try count(
      "grep -oE '\"(ring_full|slow_writer)\":[0-9]+' | awk -F: '{ sum += $2 } END { print sum }'")
    #expect(written + lost >= 1_000_000)
    #expect(try count("grep -o '\"events\":[0-9]*' | cut -d: -f2") == written)
  }
}
