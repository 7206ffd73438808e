import Glibc
import Testing
import TraceRequest

@testable import TraceReport

@Suite("A summary counts what the trace says")
struct SummaryTests {
  @Test("calls, errors, bytes and times by function, file, node and process")
  func counts() throws {
    let trace = TestTrace()
    trace.write(
      "c1.pfw.gz",
      members: [
        TestTrace.head(node: "c1"),
        TestTrace.call("read", dur: "2.000", args: #""ret":100,"fname":"/a""#)
          + TestTrace.call("read", dur: "4.000", args: #""ret":-5,"errno":"EIO","fname":"/a""#)
          + TestTrace.call("write", dur: "1.000", pid: 8, args: #""ret":50,"fname":"/b""#),
        TestTrace.call("close", args: #""incomplete":true"#) + TestTrace.end(events: 4),
      ])
    trace.write(
      "c2.pfw.gz",
      members: [
        TestTrace.head(node: "c2")
          + TestTrace.call("read", dur: "6.000", args: #""ret":7,"fname":"/a""#)
          + TestTrace.end(events: 1)
      ])
    let summary = try trace.summary()
    #expect(summary.events == 5)
    #expect(summary.job == "42")
    #expect(summary.user == "alice")
    #expect(summary.warnings.isEmpty)

    let read = try #require(summary.functions.first { $0.name == "read" })
    #expect(read.category == "posix")
    #expect(read.counters.calls == 3)
    #expect(read.counters.errors == 1)
    #expect(read.counters.readBytes == 107)
    #expect(read.counters.time == 12_000)
    #expect(read.mean == 4000)
    #expect(read.shortest == 2000)
    #expect(read.longest == 6000)
    #expect(read.p50 <= 4000 + 64 && read.p50 >= 4000 - 64)
    #expect(read.p99 <= 6000)
    let close = try #require(summary.functions.first { $0.name == "close" })
    #expect(close.counters.incomplete == 1)
    #expect(close.counters.time == 0)

    #expect(summary.files.map { String(decoding: $0.path, as: UTF8.self) } == ["/a", "/b"])
    #expect(summary.files.map(\.counters.calls) == [3, 1])
    #expect(summary.nodes.map(\.name) == ["c1", "c2"])
    #expect(summary.nodes.map(\.counters.calls) == [4, 1])
    // Process 7 of c1 and process 7 of c2 are two.
    #expect(summary.processCount == 3)
    #expect(summary.slowest.map(\.duration) == [6000, 4000, 2000, 1000])
  }

  @Test("the same, however many workers read it")
  func workers() throws {
    let trace = TestTrace()
    for node in 0..<3 {
      let lines = (0..<30_000).map { index in
        TestTrace.call(
          ["read", "write", "close"][index % 3], ts: "\(index * 13)", dur: "\(index % 977).25",
          pid: index % 40, args: #""ret":\#(index),"fname":"/f\#(index % 501)""#)
      }
      let members = stride(from: 0, to: lines.count, by: 1000).map {
        lines[$0..<min($0 + 1000, lines.count)].joined()
      }
      trace.write(
        "n\(node).pfw.gz",
        members: [TestTrace.head(node: "n\(node)")] + members + [TestTrace.end(events: 30_000)])
    }
    let one = try trace.summary(limit: 30, workers: 1)
    let four = try trace.summary(limit: 30, workers: 4)
    #expect(one.events == 90_000)
    #expect(one.json == four.json)
  }

  @Test("lost events cannot be overlooked, in text and in JSON")
  func lost() throws {
    let trace = TestTrace()
    trace.write(
      "c1.pfw.gz",
      members: [TestTrace.head() + TestTrace.call() + TestTrace.end(events: 1, lost: 1234)])
    let summary = try trace.summary()
    #expect(summary.lostEvents == 1234)
    #expect(summary.text(isColored: false).contains("LOST EVENTS: 1,234 calls"))
    let json = try JSON(reading: summary.json)
    #expect(json["lost_events"]?.integer == 1234)
    #expect(json["lost"]?["ring_full"]?.integer == 1234)
  }

  @Test(
    "a file that was cut off is read as far as it goes, and that is said",
    arguments: TestTrace.Packer.allCases)
  func truncated(packer: TestTrace.Packer) throws {
    let trace = TestTrace()
    let calls = (0..<2000).map { TestTrace.call(ts: "\($0)", dur: "\($0 * 31 % 997)") }.joined()
    trace.write(
      "c1.pfw.gz", members: [TestTrace.head() + calls, calls + TestTrace.end(events: 4000)],
      by: packer, cutBy: 400)
    let summary = try trace.summary()
    #expect((2000..<4000).contains(summary.events))
    #expect(summary.warnings.count == 1)
    #expect(summary.warnings.first?.text.contains("in the middle of a block") == true)
  }

  @Test("a file whose tracer was killed between two blocks is read whole, and that is said")
  func killed() throws {
    let trace = TestTrace()
    trace.write("c1.pfw.gz", members: [TestTrace.head(), TestTrace.call()])
    let summary = try trace.summary()
    #expect(summary.events == 1)
    #expect(summary.warnings.first?.text.contains("tracer ended before") == true)
  }

  @Test(
    "damage in the middle keeps what lies before it", arguments: TestTrace.Packer.allCases)
  func damaged(packer: TestTrace.Packer) throws {
    let trace = TestTrace()
    let calls = (0..<500).map { TestTrace.call(ts: "\($0)") }.joined()
    trace.write(
      "c1.pfw.gz",
      bytes: packer.pack(TestTrace.head() + calls) + Array("\u{1f}garbage garbage".utf8))
    let summary = try trace.summary()
    #expect(summary.events == 500)
    #expect(summary.warnings.first?.text.contains("damaged at byte") == true)
  }

  @Test("a damaged member costs its own events alone, wherever in it the damage is")
  func damagedMember() throws {
    let members = [
      TestTrace.Packer.ours.pack(TestTrace.head() + TestTrace.call()),
      TestTrace.Packer.ours.pack(TestTrace.call() + TestTrace.call()),
      TestTrace.Packer.ours.pack(TestTrace.call() + TestTrace.end(events: 4)),
    ]
    for position in stride(from: 20, to: members[1].count, by: 5) {
      let trace = TestTrace()
      var damaged = members[1]
      damaged[position] ^= 1
      trace.write("c1.pfw.gz", bytes: members[0] + damaged + members[2])
      let summary = try trace.summary()
      #expect(summary.events == 2)
      #expect(
        summary.warnings.first?.text.contains("damaged at byte \(members[0].count)") == true)
    }
  }

  @Test("members of ours and of others in one file are all read")
  func mixedMembers() throws {
    let trace = TestTrace()
    let calls = (0..<1000).map { TestTrace.call(ts: "\($0)") }.joined()
    trace.write(
      "c1.pfw.gz",
      bytes: TestTrace.Packer.ours.pack(TestTrace.head() + calls)
        + TestTrace.Packer.another.pack(calls) + TestTrace.Packer.ours.pack(calls)
        + TestTrace.Packer.another.pack(TestTrace.end(events: 3000)))
    let summary = try trace.summary()
    #expect(summary.events == 3000)
    #expect(summary.warnings.isEmpty)
  }

  @Test("functions that could not be traced are named with their reason")
  func notAttached() throws {
    let trace = TestTrace()
    let head = TestTrace.head().replacing(
      "\"not_attached\":[]",
      with:
        "\"not_attached\":[{\"cat\":\"posix\",\"name\":\"bdflush\",\"reason\":\"no such call\"}]")
    trace.write("c1.pfw.gz", members: [head + TestTrace.call() + TestTrace.end(events: 1)])
    let text = try trace.summary().text(isColored: false)
    #expect(text.contains("warning: posix/bdflush: not traced on c1: no such call"))
  }

  @Test("a path by its hash is the path, wherever the trace says which")
  func hashes() throws {
    let trace = TestTrace()
    trace.write(
      "c1.pfw.gz",
      members: [
        TestTrace.head() + TestTrace.call(args: #""ret":1,"fhash":"ab12""#),
        #"{"name":"FH","ph":"M","pid":1,"tid":1,"args":{"name":"/data/x","value":"ab12"}}"# + "\n"
          + TestTrace.call(args: #""ret":1,"fname":"/data/x""#) + TestTrace.end(events: 2),
      ])
    let summary = try trace.summary()
    #expect(summary.files.map { String(decoding: $0.path, as: UTF8.self) } == ["/data/x"])
    #expect(summary.files.first?.counters.calls == 2)
  }

  @Test("a plain file of another tracer is read too")
  func plain() throws {
    let trace = TestTrace()
    trace.write("x.pfw", bytes: Array(("[\n" + TestTrace.call().dropLast() + ",\n]").utf8))
    let summary = try trace.summary()
    #expect(summary.events == 1)
    #expect(summary.nodes.map(\.name) == ["x"])
  }

  @Test("names in a trace cannot steer the terminal")
  func hostileNames() throws {
    let trace = TestTrace()
    trace.write(
      "c1.pfw.gz",
      members: [
        TestTrace.head()
          + TestTrace.call(
            #"re\u001b[2Jad"#, args: #""ret":1,"fname":"/a\n\u001b]0;x\u0007\u202eb\udcff""#)
          + TestTrace.end(events: 1)
      ])
    let text = try trace.summary().text(isColored: false)
    #expect(!text.unicodeScalars.contains { $0.value < 32 && $0 != "\n" })
    #expect(!text.unicodeScalars.contains("\u{202e}"))
    #expect(text.contains(#"/a\x0a\x1b]0;x\x07\u{202e}b\xff"#))
  }

  @Test("numbers that no kernel gives do not end the report")
  func hostileNumbers() throws {
    let trace = TestTrace()
    let lines = [Int64.max, Int64.min, 1 << 41].flatMap { value in
      (0..<4).map { _ in
        TestTrace.call(
          "write", ts: "4611686018427387.9", dur: "4611686018427387.9",
          args: "\"ret\":\(value),\"size\":\(value)")
          + TestTrace.call("fread", ts: "-4611686018427387.9", args: "\"ret\":\(value)")
      }
    }
    trace.write("c1.pfw.gz", members: [TestTrace.head() + lines.joined() + TestTrace.end()])
    #expect(try trace.summary().events == 24)
  }

  @Test("a name that no file has, a folder without traces, a file that is none: said as such")
  func errors() throws {
    #expect(throws: ReportError.self) { try TraceFolder("/nonexistent/trace") }
    let trace = TestTrace()
    #expect {
      try TraceFolder(trace.path)
    } throws: {
      ($0 as? ReportError)?.exitStatus == .noInput
    }
    trace.write("c1.pfw.gz", bytes: Array("hello\n".utf8))
    #expect {
      try trace.summary()
    } throws: {
      ($0 as? ReportError)?.exitStatus == .badData
    }
  }
}
