import TraceRequest

/// A summary as one HTML page that needs nothing else: no network, no font, no library.
extension Summary {
  /// The page's source, in UTF-8.
  public var html: [UInt8] {
    // A script that a trace might smuggle in cannot know this.
    let nonce = String(UInt64.random(in: .min ... .max), radix: 36)
    let page = Page(summary: self)
    let title = job.isEmpty ? "I/O trace" : "Job \(job): I/O trace"
    let document: Markup = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
      style-src 'unsafe-inline'; script-src 'nonce-\(nonce)'">
      <title>\(title)</title>
      <style>\(Page.style)</style>
      </head>
      <body>
      <main>
      \(page.header(title))
      \(page.alarms())
      \(page.pictures())
      \(page.tables())
      </main>
      <div id="tip" role="status" aria-live="polite" hidden></div>
      <script type="application/json" id="data">\(page.data())</script>
      <script nonce="\(nonce)">\(Page.script)</script>
      </body>
      </html>

      """
    return Array(document.source.utf8)
  }
}

/// The parts of the page.
struct Page {
  private let summary: Summary
  private let bytes: Chart
  private let calls: Chart
  private let sizes: Chart
  private let heat: Chart?

  init(summary: Summary) {
    self.summary = summary
    let grid = TimeGrid(
      summary.nodes.map(\.timeline), start: summary.start, limit: Timeline.limit)
    let total = grid.total
    let seconds = Double(grid.width) / 1e9
    func rates(_ value: (Timeline.Interval) -> Int64) -> [Double] {
      total.map { Double(value($0)) / seconds }
    }
    let byteSeries = [
      RateChart.Series(name: "read", style: "read", values: rates(\.readBytes)),
      RateChart.Series(name: "written", style: "write", values: rates(\.writtenBytes)),
    ]
    bytes = RateChart.draw(
      title: "Bytes a second", grid: grid, series: byteSeries,
      axis: .bytes(largest: byteSeries.flatMap(\.values).max() ?? 0),
      format: { Units.bytes(Int64(min(9e18, $0))) + "/s" })
    let callSeries = [
      RateChart.Series(name: "reads", style: "read", values: rates(\.reads)),
      RateChart.Series(name: "writes", style: "write", values: rates(\.writes)),
      RateChart.Series(name: "other calls", style: "other", values: rates(\.others)),
    ]
    calls = RateChart.draw(
      title: "Calls a second", grid: grid, series: callSeries,
      axis: Axis(largest: callSeries.flatMap(\.values).max() ?? 0),
      format: { Units.count($0) + "/s" })
    sizes = SizeChart.draw(summary.sizes)
    heat = HeatMap.draw(summary.nodes, start: summary.start)
  }

  func header(_ title: String) -> Markup {
    let total = summary.total
    var tiles: [(String, String)] = [
      ("calls", Units.grouped(total.calls)), ("from first to last", Units.duration(summary.span)),
      ("read", Units.bytes(total.readBytes)), ("written", Units.bytes(total.writtenBytes)),
      ("time in calls", Units.duration(total.time)),
      ("calls with an error", Units.grouped(total.errors)),
      (summary.nodes.count == 1 ? "node" : "nodes", Units.grouped(Int64(summary.nodes.count))),
      (
        summary.processCount == 1 ? "process" : "processes",
        Units.grouped(Int64(summary.processCount))
      ),
    ]
    if total.incomplete > 0 {
      tiles.append(("calls that never returned", Units.grouped(total.incomplete)))
    }
    var facts: [String] = []
    if !summary.user.isEmpty { facts.append("user \(summary.user)") }
    if summary.hasTimeOfDay { facts.append("first call \(Calendar.utc(summary.start))") }
    return """
      <header><h1>\(title)</h1><p class="facts">\(facts.joined(separator: ", "))</p>
      <dl class="tiles">\(.joined(tiles.map {
        "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>"
      }))</dl></header>
      """
  }

  func alarms() -> Markup {
    var all: Markup = ""
    if summary.lostEvents > 0 {
      let reasons = summary.lost.map { "\(Units.grouped($0.count)) \($0.reason)" }
      all += """
        <p class="alarm" role="alert"><strong>\(Units.grouped(summary.lostEvents)) lost events.\
        </strong> That many calls happened and are not in this trace \
        (\(reasons.joined(separator: ", "))). All numbers below are too low.</p>
        """
    }
    if !summary.warnings.isEmpty {
      let items = summary.warnings.prefix(100).map { warning -> Markup in
        "<li><b>\(warning.subject)</b>: \(warning.text)</li>"
      }
      let more: Markup =
        summary.warnings.count > 100 ? "<li>and \(summary.warnings.count - 100) more</li>" : ""
      all += """
        <details class="warning" \(summary.warnings.count <= 5 ? "open" : "")>\
        <summary>\(summary.warnings.count) \
        \(summary.warnings.count == 1 ? "warning" : "warnings")</summary>\
        <ul>\(.joined(items))\(more)</ul></details>
        """
    }
    return all
  }

  func pictures() -> Markup {
    let total = summary.total
    let moved = legend([
      ("read", "read \(Units.bytes(total.readBytes))"),
      ("write", "written \(Units.bytes(total.writtenBytes))"),
    ])
    let kinds = legend([("read", "reads"), ("write", "writes"), ("other", "other calls")])
    let directions = legend([("read", "reads"), ("write", "writes")])
    var all: Markup = """
      <section><h2>Bytes over time</h2>\(moved)\(bytes.svg)</section>
      <section><h2>Calls over time</h2>\(kinds)\(calls.svg)</section>
      """
    if let heat, let largest = heat.data["largest"]?.string {
      let shades = (1...HeatMap.shades).map { shade -> Markup in
        "<span class=\"swatch q\(shade)\"></span>"
      }
      all += """
        <section><h2>Nodes over time</h2><p class="legend scale"><span>0</span>\
        \(.joined(shades))<span>\(largest)</span></p>\(heat.svg)</section>
        """
    }
    all += """
      <section><h2>Transfer sizes</h2>\(directions)\(sizes.svg)</section>
      <section><h2>Time by function</h2>\(kinds)\(FunctionChart.draw(summary.functions))</section>
      """
    return all
  }

  private func legend(_ entries: [(style: String, name: String)]) -> Markup {
    let items = entries.map { entry -> Markup in
      "<span><span class=\"swatch \(entry.style)\"></span>\(entry.name)</span>"
    }
    return "<p class=\"legend\">\(.joined(items))</p>"
  }

  func data() -> Markup {
    var charts: [JSON] = [bytes.data, calls.data]
    if let heat { charts.append(heat.data) }
    charts.append(sizes.data)
    return Markup.data(JSON.array(charts).text)
  }

  // MARK: - Tables

  func tables() -> Markup {
    .joined([functionTable(), fileTable(), nodeTable(), processTable(), slowTable()])
  }

  /// A column's title; numbers stand to the right.
  private typealias Column = (title: String, isNumber: Bool)

  private func table(
    _ title: String, _ note: String, _ columns: [Column], _ rows: [[String]]
  ) -> Markup {
    guard !rows.isEmpty else { return "" }
    let head = columns.map { column -> Markup in
      "<th scope=\"col\" class=\"\(column.isNumber ? "number" : "text")\">\(column.title)</th>"
    }
    let body = rows.map { row -> Markup in
      let cells = zip(columns, row).map { column, cell -> Markup in
        "<td class=\"\(column.isNumber ? "number" : "text")\">\(cell)</td>"
      }
      return "<tr>\(.joined(cells))</tr>\n"
    }
    return """
      <section><h2>\(title)</h2><div class="scroll" tabindex="0" role="region" \
      aria-label="\(title)"><table><caption>\(note)</caption><thead><tr>\(.joined(head))</tr>\
      </thead><tbody>
      \(.joined(body))</tbody></table></div></section>

      """
  }

  private func extent(_ shown: Int, _ all: Int) -> String {
    shown < all
      ? "\(shown) of \(Units.grouped(Int64(all))), those with the most time first"
      : "those with the most time first"
  }

  private static let counted: [Column] = [
    ("calls", true), ("errors", true), ("read", true), ("written", true), ("time", true),
  ]

  private func counted(_ counters: Counters) -> [String] {
    [
      Units.grouped(counters.calls), Units.grouped(counters.errors),
      Units.bytes(counters.readBytes), Units.bytes(counters.writtenBytes),
      Units.duration(counters.time),
    ]
  }

  private func functionTable() -> Markup {
    let shown = summary.functions.prefix(200)
    return table(
      "Functions", extent(shown.count, summary.functions.count),
      [
        ("category", false), ("function", false), ("calls", true), ("errors", true),
        ("bytes", true), ("time", true), ("mean", true), ("p50", true), ("p95", true),
        ("p99", true), ("max", true),
      ],
      shown.map { function in
        [
          function.category, function.name, Units.grouped(function.counters.calls),
          Units.grouped(function.counters.errors),
          function.direction == .other ? "–" : Units.bytes(function.counters.bytes),
        ]
          + [
            function.counters.time, function.mean, function.p50, function.p95, function.p99,
            function.longest,
          ].map(Units.duration)
      })
  }

  private func fileTable() -> Markup {
    table(
      "Files", extent(summary.files.count, summary.fileCount), [("file", false)] + Self.counted,
      summary.files.map { [Summary.text(ofPath: $0.path)] + counted($0.counters) })
  }

  private func nodeTable() -> Markup {
    let sorted = summary.nodes.sorted {
      ($1.counters.time, $0.name) < ($0.counters.time, $1.name)
    }.prefix(500)
    return table(
      "Nodes", extent(sorted.count, summary.nodes.count), [("node", false)] + Self.counted,
      sorted.map { [$0.name] + counted($0.counters) })
  }

  private func processTable() -> Markup {
    table(
      "Processes", extent(summary.processes.count, summary.processCount),
      [("node", false), ("task", true), ("pid", true), ("program", false)] + Self.counted,
      summary.processes.map {
        [
          $0.node, $0.task.map(String.init) ?? "–", String($0.pid),
          Summary.text(ofPath: $0.name),
        ] + counted($0.counters)
      })
  }

  private func slowTable() -> Markup {
    table(
      "Slowest calls", "at: time since the first call",
      [
        ("duration", true), ("at", true), ("node", false), ("pid", true), ("function", false),
        ("returned", true), ("file", false),
      ],
      summary.slowest.map {
        [
          Units.duration($0.duration), Units.duration($0.start), $0.node, String($0.pid),
          $0.function, $0.result.map(String.init) ?? "–",
          $0.path.map(Summary.text(ofPath:)) ?? "–",
        ]
      })
  }
}
