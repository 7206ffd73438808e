import Foundation
import Testing

/// What the tracer does, and says, when its trace cannot be written or its memory is little.
@Suite(
  .serialized,
  .enabled(if: TracedRun.canTrace, "real traces need root, eBPF with BTF and a C compiler"))
struct TroubleTests {
  static var reads: [String: Any] {
    ["type": 0, "name": "posix", "functions": ["read", "write", "openat"]]
  }
  static let flood = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=400000"]

  /// A file system of its own for the trace.
  final class Disk {
    let path: String

    init(_ name: String, mount: (String) throws -> Void) throws {
      path = "/tmp/datacrumbs-\(name)-\(getpid())"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try mount(path)
    }

    deinit {
      umount2(path, 2)
      rmdir(path)
    }

    static func run(_ command: String) throws {
      _ = try TracedRun.output(of: command + " >&2")
    }
  }

  private func isDegraded(_ state: [String: Any], _ reason: String) -> Bool {
    state["state"] as? String == "degraded"
      && (state["reason"] as? String ?? "").contains(reason)
  }

  private func lost(_ state: [String: Any], _ reason: String) -> Int {
    let counts = state["counts"] as? [String: Any]
    return (counts?["lost"] as? [String: Any])?[reason] as? Int ?? 0
  }

  @Test func aDiskThatStallsCostsEventsAndTheJobDoesNotWait() throws {
    let disk = try Disk("frozen-disk") { path in
      try Disk.run(
        "truncate -s 64M \(path).image && mkfs.ext4 -q \(path).image"
          + " && mount -o loop \(path).image \(path) && chmod 777 \(path); rm -f \(path).image")
    }
    let run = try TracedRun(
      [Self.reads], traceDirectory: disk.path + "/t", settings: ["DATACRUMBS_MEMORY_LIMIT": "64"])
    let free = Date()
    #expect(try run.run(Self.flood) == 0)
    let usual = Date().timeIntervalSince(free)
    try Disk.run("fsfreeze -f \(disk.path)")
    var isFrozen = true
    defer { if isFrozen { try? Disk.run("fsfreeze -u \(disk.path)") } }

    let began = Date()
    // It takes more than one to fill all that the tracer has.
    #expect(try run.run(Self.flood) == 0)
    #expect(Date().timeIntervalSince(began) < 2 * usual + 2)
    try run.waitForState("degraded") {
      isDegraded($0, "the disk has not taken the trace") && lost($0, "slow_writer") > 0
    }
    #expect(try run.state()["reason"] as? String != nil)
    // It waits for the disk, and burns nothing.
    let before = try run.processorTime()
    usleep(1_000_000)
    #expect(try run.processorTime() - before < 0.2)

    try Disk.run("fsfreeze -u \(disk.path)")
    isFrozen = false
    try run.waitForState("tracing again") {
      $0["state"] as? String == "tracing" && lost($0, "slow_writer") > 0
    }
    kill(run.tracer.processIdentifier, SIGTERM)
    run.tracer.waitUntilExit()
    #expect(run.tracer.terminationStatus == 0)
    #expect(run.standardError().contains("slow_writer"))
    let names = try FileManager.default.contentsOfDirectory(atPath: disk.path + "/t")
    let file = disk.path + "/t/" + (try #require(names.first))
    let end = try TracedRun.output(of: "gzip -dc '\(file)' | tail -n 2 | head -n 1")
    #expect(end.contains("\"name\":\"end\""))
    #expect(!end.contains("\"slow_writer\":0"))
  }

  @Test func aDiskThatStallsAtTheEndIsNotWaitedForForEver() throws {
    let disk = try Disk("dead-disk") { path in
      try Disk.run(
        "truncate -s 64M \(path).image && mkfs.ext4 -q \(path).image"
          + " && mount -o loop \(path).image \(path) && chmod 777 \(path); rm -f \(path).image")
    }
    let run = try TracedRun([Self.reads], traceDirectory: disk.path + "/t")
    try Disk.run("fsfreeze -f \(disk.path)")
    var isFrozen = true
    defer { if isFrozen { try? Disk.run("fsfreeze -u \(disk.path)") } }
    try run.run(["cat", "/etc/hostname"])
    let began = Date()
    kill(run.tracer.processIdentifier, SIGTERM)
    try run.waitForNotification("the disk has taken nothing for 10 s")
    #expect((9...20).contains(Date().timeIntervalSince(began)))
    // The kernel lets the thread that writes go as soon as the file system does.
    try Disk.run("fsfreeze -u \(disk.path)")
    isFrozen = false
    run.tracer.waitUntilExit()
    #expect(run.tracer.terminationStatus == 69)
  }

  @Test func aFullDiskIsToldWhileTheJobRunsAndForgivenOnceThereIsSpace() throws {
    let disk = try Disk("full-disk") { path in
      try #require(mount("none", path, "tmpfs", 0, "size=128k,mode=777") == 0)
    }
    let run = try TracedRun([Self.reads], traceDirectory: disk.path + "/t")
    #expect(try run.state()["state"] as? String == "tracing")
    #expect(try run.run(Self.flood) == 0)
    try run.waitForState("degraded") {
      isDegraded($0, "No space left on device: free space there") && lost($0, "not_written") > 0
    }
    try run.waitForNotification("No space left on device")

    try #require(mount("none", disk.path, "tmpfs", UInt(MS_REMOUNT), "size=64m,mode=777") == 0)
    try run.run(["cat", "/etc/hostname"])
    try run.waitForState("tracing again") {
      $0["state"] as? String == "tracing" && lost($0, "not_written") > 0
    }
    kill(run.tracer.processIdentifier, SIGTERM)
    run.tracer.waitUntilExit()
    #expect(run.tracer.terminationStatus == 0)
    let names = try FileManager.default.contentsOfDirectory(atPath: disk.path + "/t")
    let trace = try Trace(
      reading: URL(fileURLWithPath: disk.path + "/t/" + (try #require(names.first))))
    #expect(trace.events.contains { $0.path == "/etc/hostname" })
    #expect((trace.lost("not_written") ?? 0) > 0)
  }

  @Test(arguments: ["64", "128"])
  func theMemoryLimitHoldsUnderAFlood(limit: String) throws {
    let run = try TracedRun([Self.reads], settings: ["DATACRUMBS_MEMORY_LIMIT": limit])
    let floods = try (0..<3).map { _ in try run.start(Self.flood) }
    for flood in floods {
      flood.waitUntilExit()
      #expect(flood.terminationStatus == 0)
    }
    let peak = try run.peakMemory()
    #expect(peak < (try #require(Int(limit))) << 10, "\(peak) KiB")
    try run.end()
  }

  @Test(arguments: ["63", "449", "lots", ""])
  func aMemoryLimitOutsideOfTheRangeIsRefused(limit: String) throws {
    let run = try TracedRun(
      [Self.reads], waitsForReady: false, settings: ["DATACRUMBS_MEMORY_LIMIT": limit])
    run.tracer.waitUntilExit()
    #expect(run.tracer.terminationStatus == 78)
    #expect(run.standardError().contains("from 64 to 448"))
  }

  @Test func whatCannotBeAttachedIsInTheState() throws {
    let run = try TracedRun([
      ["type": 0, "name": "posix", "functions": ["read", "no_such_call"]]
    ])
    let refused = try #require(run.state()["not_attached"] as? [[String: Any]])
    #expect(refused.map { $0["name"] as? String } == ["no_such_call"])
    #expect(refused.first?["reason"] as? String == "no such system call on this architecture")
    #expect((try run.state()["counts"] as? [String: Any])?["functions"] as? Int == 1)
  }
}
