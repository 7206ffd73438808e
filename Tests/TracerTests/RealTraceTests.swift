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
    #expect(open.start > 0 && open.duration > 0)
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

  @Test func aRenameHasBothPaths() throws {
    let run = try TracedRun([Self.files])
    try run.run(["sh", "-c", "touch old-name; mv old-name new-name"])
    let rename = try #require(try run.finish().named("renameat2").first)
    #expect(rename.path == "old-name")
    #expect(rename.arguments["newname"] as? String == "new-name")
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
    // The tracer flushes twice a second; the file grows past its head when it has.
    let file = try run.traceFile()
    let deadline = Date().addingTimeInterval(10)
    while !(try Trace(reading: file)).events.contains(where: { $0.path == "/etc/hostname" }) {
      try #require(Date() < deadline, "nothing was flushed")
      usleep(20_000)
    }
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
}
