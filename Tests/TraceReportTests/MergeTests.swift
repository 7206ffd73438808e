import Foundation
import Testing
import TraceRequest

@testable import TraceReport

/// Another reader, which shares no code with ours: it prints what it finds, sorted.
private let otherReader = """
  import gzip, json, sys
  events, names, other = [], {}, {}
  for line in gzip.open(sys.argv[1], "rt", encoding="utf-8", errors="surrogateescape"):
      line = line.strip()
      if line in ("[", "]"):
          continue
      e = json.loads(line)
      if e["ph"] == "X":
          events.append(e)
      elif e["name"] == "process_name":
          assert e["pid"] not in names
          names[e["pid"]] = e["args"]["name"]
      else:
          other[e["name"]] = e["args"]
  assert set(names) == {e["pid"] for e in events}
  for e in sorted(events, key=lambda e: (e["ts"], e["pid"])):
      print(e["name"], "%.3f" % e["ts"], e["dur"], names[e["pid"]], e["pid"] - e["tid"])
  print(other["end"]["events"], json.dumps(other["end"]["lost"], sort_keys=True))
  """

private func run(_ program: String, _ arguments: [String]) throws -> (code: Int32, text: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [program] + arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: data, as: UTF8.self))
}

@Suite("A merged trace is one machine's trace")
struct MergeTests {
  private func twoNodes() -> TestTrace {
    let trace = TestTrace()
    let name =
      #"{"name":"process_name","ph":"M","pid":7,"tid":7,"args":{"name":"dd","task":3}}"# + "\n"
    trace.write(
      "c1.pfw.gz",
      members: [
        TestTrace.head(node: "c1", origin: 1_790_000_000_000_002_500) + name
          + TestTrace.call("read", ts: "1.000", dur: "0.25", args: #""ret":1,"fname":"/é\udcff""#)
          + TestTrace.end(events: 1, lost: 2)
      ])
    trace.write(
      "c2.pfw.gz",
      members: [
        TestTrace.head(node: "c2", origin: 1_790_000_000_000_000_000)
          + TestTrace.call("write", ts: "1.000") + TestTrace.call("close", ts: "9.000", pid: 8)
          + #"{"tid":8,"pid":8,"ph":"X","ts":1e1,"dur":1,"name":"\u0066sync"}"# + "\n"
          + TestTrace.end(events: 2, lost: 1)
      ])
    return trace
  }

  @Test("one gzip member however long it is, and whole microseconds stay whole")
  func oneMember() throws {
    let trace = TestTrace()
    for (node, origin) in [("c1", 1_790_000_000_000_002_500), ("c2", 1_790_000_000_000_000_900)] {
      let calls = (0..<30_000).map { TestTrace.call(ts: "\($0 * 7)", dur: "3", pid: 5) }.joined()
      trace.write(
        "\(node).pfw.gz",
        members: [
          TestTrace.head(node: node, origin: origin) + calls + TestTrace.end(events: 30_000)
        ])
    }
    let results = TestTrace()
    let out = results.newFile("all.pfw.gz")
    _ = try Merge(TraceFolder(trace.path), into: out)
    let reader = """
      import json, sys, zlib
      unpacker = zlib.decompressobj(31)
      text = unpacker.decompress(open(sys.argv[1], "rb").read()) + unpacker.flush()
      assert unpacker.eof and not unpacker.unused_data
      events = [json.loads(line) for line in text.splitlines() if b'"X"' in line]
      assert all(type(e["ts"]) is int and type(e["dur"]) is int for e in events)
      print(len(text) > 3 << 20, len(events), sorted(e["ts"] for e in events)[:4])
      """
    let (code, output) = try run("python3", ["-c", reader, out])
    #expect(code == 0)
    #expect(output == "True 60000 [0, 1, 7, 8]\n")
  }

  @Test("on one clock, each process its own number and name, for any reader of JSON")
  func otherReaders() throws {
    let trace = twoNodes()
    let results = TestTrace()
    let out = results.newFile("all.pfw.gz")
    let merge = try Merge(TraceFolder(trace.path), into: out)
    #expect(merge.events == 4)
    #expect(merge.warnings.isEmpty)
    let (code, text) = try run("python3", ["-c", otherReader, out])
    #expect(code == 0)
    #expect(
      text == """
        write 1.000 2.0 c2 (7) 0
        read 3.500 0.25 c1 task 3: dd (7) 0
        close 9.000 2.0 c2 (8) 0
        fsync 10.000 1 c2 (8) 0
        4 {"ring_full": 3}

        """)
  }

  @Test("read back it says what the nodes' files say")
  func summary() throws {
    let trace = twoNodes()
    let results = TestTrace()
    _ = try Merge(TraceFolder(trace.path), into: results.newFile("all.pfw.gz"))
    let before = try trace.summary()
    let after = try results.summary()
    #expect(before.processes.contains { $0.task == 3 })
    #expect(
      String(decoding: after.json, as: UTF8.self) == String(decoding: before.json, as: UTF8.self))
  }

  @Test("a thousand nodes still have processes of their own")
  func manyNodes() {
    let numbers = MergedPids(nodes: 1000)
    var seen: Set<Int64> = []
    for node in 0..<1000 {
      for pid in [Int64(1), 4_194_304, -1, Int64.max] {
        let number = numbers.number(node: node, pid: pid)
        #expect(number == numbers.number(node: node, pid: pid))
        #expect(number > 0 && number < 1 << 31)
        seen.insert(number)
      }
    }
    #expect(seen.count == 4000)
  }

  @Test("a pid that no Linux has collides with none")
  func strangePids() {
    let numbers = MergedPids(nodes: 2)
    let all = [
      numbers.number(node: 0, pid: 5), numbers.number(node: 1, pid: 5),
      numbers.number(node: 0, pid: 10_000_005), numbers.number(node: 1, pid: -3),
    ]
    #expect(Set(all).count == 4)
  }

  @Test("it is never made among the files it is made of, and a failure leaves nothing behind")
  func places() throws {
    let trace = twoNodes()
    let folder = try TraceFolder(trace.path)
    #expect {
      try Merge(folder, into: trace.path + "/all.pfw.gz")
    } throws: {
      ($0 as? ReportError)?.exitStatus == .usage
    }
    #expect {
      try Merge(folder, into: "/nonexistent/all.pfw.gz")
    } throws: {
      ($0 as? ReportError)?.exitStatus == .noInput
    }
    let results = TestTrace()
    trace.write("c3.pfw.gz", bytes: [])
    unlink(trace.path + "/c2.pfw.gz")
    #expect {
      try Merge(folder, into: results.path + "/all.pfw.gz")
    } throws: {
      ($0 as? ReportError)?.exitStatus == .noInput
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: results.path).isEmpty)
  }

  @Test("of a file that was cut off it has what there is, and says that a part is missing")
  func truncated() throws {
    let trace = TestTrace()
    let calls = (0..<2000).map { TestTrace.call(ts: "\($0)", dur: "\($0 * 31 % 997)") }.joined()
    trace.write(
      "c1.pfw.gz", members: [TestTrace.head() + calls, calls + TestTrace.end(events: 4000)],
      cutBy: 400)
    let results = TestTrace()
    let merge = try Merge(TraceFolder(trace.path), into: results.newFile("all.pfw.gz"))
    #expect(merge.events >= 2000)
    #expect(merge.warnings.first?.text.contains("in the middle of a block") == true)
    let warnings = try results.summary().warnings
    #expect(warnings.first?.text.contains("a part was missing") == true)
  }

  @Test("lines that are no events are left out, and that is said")
  func unreadable() throws {
    let trace = TestTrace()
    trace.write(
      "c1.pfw.gz",
      members: [TestTrace.head() + "oops\n" + TestTrace.call() + TestTrace.end(events: 1)])
    let results = TestTrace()
    let merge = try Merge(TraceFolder(trace.path), into: results.newFile("all.pfw.gz"))
    #expect(merge.events == 1)
    #expect(merge.warnings.map(\.subject) == ["1 lines"])
    #expect(try results.summary().events == 1)
  }
}
