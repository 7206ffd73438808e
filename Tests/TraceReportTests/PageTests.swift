import Foundation
import Testing
import TraceRequest

@testable import TraceReport

private let attack = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"

/// A reader of HTML that shares no code with ours: it prints what a browser would act on.
private let otherReader = """
  import sys
  from html.parser import HTMLParser
  class Reader(HTMLParser):
      def __init__(self):
          super().__init__()
          self.open, self.bad, self.tags, self.text = [], [], {}, ""
      def handle_starttag(self, tag, attributes):
          self.tags[tag] = self.tags.get(tag, 0) + 1
          for name, value in attributes:
              if name.startswith("on") or name in ("src", "href", "srcset", "action", "style"):
                  self.bad.append((tag, name))
          if tag not in ("meta", "line", "rect", "path"):
              self.open.append(tag)
      def handle_startendtag(self, tag, attributes):
          self.handle_starttag(tag, attributes)
          if self.open and self.open[-1] == tag:
              self.open.pop()
      def handle_endtag(self, tag):
          if not self.open or self.open.pop() != tag:
              self.bad.append(("unbalanced", tag))
      def handle_data(self, data):
          self.text += data
  reader = Reader()
  reader.feed(open(sys.argv[1], encoding="utf-8").read())
  reader.close()
  print("bad", reader.bad + reader.open)
  print("script", reader.tags.get("script"), "img", reader.tags.get("img"))
  print("svg", reader.tags.get("svg"), "table", reader.tags.get("table"))
  print("http" in reader.text or "url(" in reader.text or "@import" in reader.text)
  """

@discardableResult
private func run(_ program: String, _ arguments: [String]) throws -> (code: Int32, text: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [program] + arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = FileHandle.nullDevice
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: data, as: UTF8.self))
}

/// A job of two nodes whose every name is an attack.
private func hostileTrace() throws -> TestTrace {
  let trace = TestTrace()
  let text = String(decoding: JSON.string(attack + "\"'&\u{202e}").text, as: UTF8.self)
    .dropFirst().dropLast()
  for node in ["c1", "c2"] {
    let head = TestTrace.head(node: "\(node)\(text)").replacing("\"alice\"", with: "\"\(text)\"")
      .replacing("\"42\"", with: "\"\(text)\"")
      .replacing(
        "\"not_attached\":[]",
        with: "\"not_attached\":[{\"cat\":\"\(text)\",\"name\":\"\(text)\",\"reason\":\"\(text)\"}]"
      )
    var calls = ""
    for index in 0..<3000 {
      calls += TestTrace.call(
        ["read", "write", String(text), "close"][index % 4], ts: "\(index * 1000)",
        dur: "\(index % 700).5", pid: index % 5,
        args: "\"ret\":\(1 << (index % 21)),\"fname\":\"/\(text)\(index % 30)\"")
    }
    calls +=
      #"{"name":"process_name","ph":"M","pid":1,"tid":1,"args":{"name":"\#(text)","task":0}}"#
      + "\n"
    trace.write(
      "\(node).pfw.gz",
      members: [
        head, calls, TestTrace.end(events: 3000, lost: 5).replacing("ring_full", with: text),
      ])
  }
  return trace
}

@Suite("The page shows a trace, whatever is in it")
struct PageTests {
  @Test("nothing out of a trace becomes a tag, an attribute or a script, and nothing is fetched")
  func escaping() throws {
    let trace = try hostileTrace()
    let summary = try trace.summary()
    #expect(summary.job.contains("<script>"))
    let results = TestTrace()
    let page = results.newFile("page.html")
    try Output.write(summary.html, to: page)
    let (code, text) = try run("python3", ["-c", otherReader, page])
    #expect(code == 0)
    #expect(text == "bad []\nscript 2 img None\nsvg 5 table 5\nFalse\n")
  }

  @Test("the script's data is JSON and says what the pictures say")
  func data() throws {
    let page = String(decoding: try hostileTrace().summary().html, as: UTF8.self)
    let begin = try #require(page.range(of: "<script type=\"application/json\" id=\"data\">"))
    let end = try #require(page.range(of: "</script>", range: begin.upperBound..<page.endIndex))
    let data = try JSON(reading: Array(page[begin.upperBound..<end.lowerBound].utf8))
    guard case .array(let charts) = data else {
      Issue.record("no array")
      return
    }
    #expect(charts.count == 4)
    guard case .array(let rows)? = charts[2]["rows"] else {
      Issue.record("no rows")
      return
    }
    #expect(rows.count == 2)
  }

  @Test("a trace of one call, and one of none, still make a page")
  func small() throws {
    for calls in ["", TestTrace.call("close"), TestTrace.call("read", args: #""ret":0"#)] {
      let trace = TestTrace()
      trace.write("c1.pfw.gz", members: [TestTrace.head() + calls + TestTrace.end()])
      let page = String(decoding: try trace.summary().html, as: UTF8.self)
      #expect(page.contains("Job 42: I/O trace"))
      #expect(!page.contains("nan") && !page.contains("inf "))
    }
  }

  @Test("hundreds of nodes share the heat map's rows")
  func manyNodes() throws {
    let trace = TestTrace()
    for node in 0..<300 {
      trace.write(
        "n\(node).pfw.gz",
        members: [TestTrace.head(node: "n\(node)") + TestTrace.call() + TestTrace.end(events: 1)])
    }
    let summary = try trace.summary()
    let heat = try #require(HeatMap.draw(summary.nodes, start: summary.start))
    guard case .array(let rows)? = heat.data["rows"] else {
      Issue.record("no rows")
      return
    }
    #expect(rows.count == 75)
  }

  static let browser = ["chromium", "chromium-browser", "google-chrome"].first {
    (try? run("sh", ["-c", "command -v \($0)"]).code) == 0
  }

  /// Debian's chromium is 400 MB: no build asks for it. `make setup-browser` installs it. Where
  /// DATACRUMBS_SCREENSHOTS names a folder the pictures are left there, to be looked at.
  @Test(
    "a browser shows it in light and in dark, runs our script and no other",
    .enabled(if: browser != nil, "SKIPPED: no chromium here; make setup-browser installs it"))
  func inABrowser() throws {
    let browser = try #require(Self.browser)
    let results = TestTrace()
    let page = results.newFile("page.html")
    try Output.write(try hostileTrace().summary().html, to: page)
    let profile = results.path + "/profile"
    defer { try? FileManager.default.removeItem(atPath: profile) }
    let common = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
      "--user-data-dir=\(profile)", "--window-size=1200,3400",
    ]
    let (code, document) = try run(browser, common + ["--dump-dom", "file://" + page])
    #expect(code == 0)
    #expect(!document.contains("<title>owned"))
    // Our script makes the pictures reachable by the keyboard.
    #expect(document.components(separatedBy: "tabindex=\"0\"").count - 1 == 4 + 5)

    var pictures: [Data] = []
    let folder = ProcessInfo.processInfo.environment["DATACRUMBS_SCREENSHOTS"]
    for (scheme, value) in [("dark", 0), ("light", 1)] {
      let picture = folder.map { $0 + "/report-\(scheme).png" } ?? results.newFile("\(scheme).png")
      try run(
        browser,
        common + [
          "--blink-settings=preferredColorScheme=\(value)", "--screenshot=\(picture)",
          "file://" + page,
        ])
      let data = try Data(contentsOf: URL(fileURLWithPath: picture))
      #expect(data.starts(with: [0x89, 0x50, 0x4e, 0x47]))
      // An empty page of that size is about 20 kB.
      #expect(data.count > 100_000)
      pictures.append(data)
    }
    #expect(pictures[0] != pictures[1])
  }
}

@Suite("Axes have round numbers")
struct AxisTests {
  @Test(
    "whatever the largest value is",
    arguments: [
      (1, [0, 0.5, 1]), (7, [0, 2, 4, 6, 8]), (16, [0, 5, 10, 15, 20]), (0, [0, 0.5, 1]),
    ] as [(Double, [Double])])
  func ticks(largest: Double, ticks: [Double]) {
    #expect(Axis(largest: largest).ticks == ticks)
  }

  @Test("sizes are round in their unit")
  func bytes() {
    let mebi = 1024.0 * 1024
    #expect(Axis.bytes(largest: 7 * mebi).ticks == [0, 2 * mebi, 4 * mebi, 6 * mebi, 8 * mebi])
  }
}
