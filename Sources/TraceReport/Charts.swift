import TraceRequest

/// What a picture needs of all nodes' timelines, on common intervals.
struct TimeGrid {
  /// Nanoseconds.
  let width: Int64
  /// The first interval's begin, in nanoseconds from the trace's first call.
  let begin: Int64
  /// Rows as the nodes come, all of the same length.
  let rows: [[Timeline.Interval]]

  /// - Parameter limit: how many intervals there may be.
  init(_ timelines: [Timeline], start: Int64, limit: Int) {
    var timelines = timelines.filter { !$0.isEmpty }
    let isAll = timelines.count
    guard isAll > 0 else {
      (width, begin, rows) = (1, 0, [])
      return
    }
    func coarsen() { for index in timelines.indices { timelines[index].coarsen() } }
    let bits = timelines.map(\.widthBits).max() ?? 20
    for index in timelines.indices {
      while timelines[index].widthBits < bits { timelines[index].coarsen() }
    }
    func range() -> (Int64, Int64) {
      (
        timelines.map(\.first).min() ?? 0,
        timelines.map { $0.first + Int64($0.intervals.count) }.max() ?? 0
      )
    }
    var (low, high) = range()
    while high - low > Int64(limit) {
      coarsen()
      (low, high) = range()
    }
    width = timelines[0].width
    begin = low * width - start
    rows = timelines.map { timeline in
      Array(repeating: Timeline.Interval(), count: Int(timeline.first - low))
        + timeline.intervals
        + Array(
          repeating: Timeline.Interval(),
          count: Int(high - timeline.first) - timeline.intervals.count)
    }
  }

  /// All rows as one.
  var total: [Timeline.Interval] {
    guard var sum = rows.first else { return [] }
    for row in rows.dropFirst() {
      for index in row.indices { sum[index] += row[index] }
    }
    return sum
  }

  /// When an interval is, in words.
  func label(_ index: Int) -> String {
    let from = max(0, begin + Int64(index) * width)
    return "\(Units.duration(from)) to \(Units.duration(begin + Int64(index + 1) * width))"
  }
}

/// A picture, and what its tooltip says.
struct Chart {
  let svg: Markup
  /// For the script: the columns' labels and, for each, what it holds.
  let data: JSON
}

/// Sizes and places that all pictures share, in the units of their view box.
enum Frame {
  static let width = 960.0
  static let left = 84.0
  static let right = 944.0
  static let top = 12.0

  static var plotWidth: Double { right - left }
}

/// Rates over time: one line for each kind of call.
enum RateChart {
  struct Series {
    let name: String
    let style: String
    let values: [Double]
  }

  static func draw(
    title: String, grid: TimeGrid, series: [Series], axis: Axis, format: (Double) -> String
  ) -> Chart {
    let height = 220.0
    let bottom = height - 28
    let count = grid.rows.first?.count ?? 0
    let step = Frame.plotWidth / Double(max(1, count))
    func y(_ value: Double) -> Double { bottom - (bottom - Frame.top) * value / axis.top }

    var body: Markup = ""
    for tick in axis.ticks {
      body += """
        <line class="grid" x1="\(Frame.left)" x2="\(Frame.right)" y1="\(y(tick))" y2="\(y(tick))"/>\
        <text class="tick" text-anchor="end" x="\(Frame.left - 8)" y="\(y(tick) + 4)">\
        \(format(tick))</text>
        """
    }
    body += timeTicks(grid, count: count, y: height - 8)
    for series in series where count > 0 {
      var line = ""
      for (index, value) in series.values.enumerated() {
        let x = Units.fixed(Frame.left + Double(index) * step, places: 1)
        let end = Units.fixed(Frame.left + Double(index + 1) * step, places: 1)
        let level = Units.fixed(y(value), places: 1)
        line += index == 0 ? "M\(x) \(level)H\(end)" : "V\(level)H\(end)"
      }
      let base = Units.fixed(bottom, places: 1)
      let first = Units.fixed(Frame.left, places: 1)
      body += """
        <path class="area \(series.style)" d="\(line)V\(base)H\(first)Z"/>\
        <path class="line \(series.style)" d="\(line)"/>
        """
    }
    let peaks = series.map { "\($0.name) at most \(format($0.values.max() ?? 0))" }
    let svg: Markup = """
      <svg role="img" data-chart="columns" viewBox="0 0 \(Frame.width) \(height)" \
      aria-label="\(title): \(peaks.joined(separator: ", "))">\
      \(body)<line class="cursor" y1="\(Frame.top)" y2="\(bottom)" x1="0" x2="0"/></svg>
      """
    let columns = (0..<count).map { index in
      JSON.array(
        [.string(grid.label(index))]
          + series.map { .string("\($0.name): \(format($0.values[index]))") })
    }
    return Chart(svg: svg, data: .array(columns))
  }

  /// The labels of a time axis.
  static func timeTicks(_ grid: TimeGrid, count: Int, y: Double) -> Markup {
    let span = Double(grid.width) * Double(count)
    let axis = Axis(largest: span / 1e9, parts: 8, isRounded: false)
    var body: Markup = ""
    for tick in axis.ticks {
      // The first interval begins a little before the first call.
      let position = (tick * 1e9 - Double(grid.begin)) / span
      guard position >= 0, position <= 0.97 else { continue }
      let x = Frame.left + position * Frame.plotWidth
      body += """
        <text class="tick" text-anchor="\(position < 0.03 ? "start" : "middle")" \
        x="\(x)" y="\(y)">\(tick == 0 ? "0" : Units.duration(Int64(tick * 1e9)))</text>
        """
    }
    return body
  }
}

/// How many transfers had which size.
enum SizeChart {
  static func draw(_ sizes: Tally.Sizes) -> Chart {
    let height = 240.0
    let bottom = height - 44
    let used = sizes.reads.indices.filter { sizes.reads[$0] + sizes.writes[$0] > 0 }
    let (low, high) = (used.first ?? 0, used.last ?? 0)
    let count = high - low + 1
    let step = min(96, Frame.plotWidth / Double(count))
    let largest = used.map { max(sizes.reads[$0], sizes.writes[$0]) }.max() ?? 0
    let axis = Axis(largest: Double(largest))
    func y(_ value: Int64) -> Double {
      bottom - (bottom - Frame.top) * Double(value) / axis.top
    }

    var body: Markup = ""
    for tick in axis.ticks {
      let level = y(Int64(tick))
      body += """
        <line class="grid" x1="\(Frame.left)" x2="\(Frame.right)" y1="\(level)" y2="\(level)"/>\
        <text class="tick" text-anchor="end" x="\(Frame.left - 8)" y="\(level + 4)">\
        \(Units.count(tick))</text>
        """
    }
    var columns: [JSON] = []
    for index in low...high {
      let x = Frame.left + Double(index - low) * step
      let thickness = min(22, step * 0.38)
      let middle = x + step / 2
      body += bar(middle - thickness - 1, y(sizes.reads[index]), thickness, bottom, "read")
      body += bar(middle + 1, y(sizes.writes[index]), thickness, bottom, "write")
      if count <= 14 || (index - low) % 2 == 0 {
        body += """
          <text class="tick" text-anchor="middle" x="\(middle)" y="\(bottom + 16)">\
          \(label(index))</text>
          """
      }
      columns.append(
        .array([
          .string(range(index)), .string("reads: \(Units.grouped(sizes.reads[index]))"),
          .string("writes: \(Units.grouped(sizes.writes[index]))"),
        ]))
    }
    body += """
      <text class="tick" text-anchor="middle" x="\(Frame.left + step * Double(count) / 2)" \
      y="\(height - 6)">bytes moved by one call, up to</text>
      """
    let end = Frame.left + step * Double(count)
    let svg: Markup = """
      <svg role="img" data-chart="columns" data-end="\(end)" \
      viewBox="0 0 \(Frame.width) \(height)" \
      aria-label="Transfer sizes: \(Units.grouped(sizes.reads.reduce(0, &+))) reads and \
      \(Units.grouped(sizes.writes.reduce(0, &+))) writes, by the bytes they moved">\
      \(body)<line class="cursor" y1="\(Frame.top)" y2="\(bottom)" x1="0" x2="0"/></svg>
      """
    return Chart(svg: svg, data: .array(columns))
  }

  private static func bar(
    _ x: Double, _ y: Double, _ width: Double, _ bottom: Double, _ style: String
  ) -> Markup {
    // Something is never drawn as nothing.
    let height = bottom - y > 0 ? max(1, bottom - y) : 0
    return """
      <rect class="bar \(style)" x="\(x)" y="\(bottom - height)" width="\(width)" \
      height="\(height)" rx="\(min(3, height / 2))"/>
      """
  }

  private static func label(_ index: Int) -> String {
    index == 0 ? "0" : size(1 << Int64(index - 1))
  }

  private static func range(_ index: Int) -> String {
    switch index {
    case 0: "nothing moved"
    case 1, 2: size(1 << Int64(index - 1))
    default: "more than \(label(index - 1)), up to \(label(index))"
    }
  }

  /// A power of two without decimals.
  private static func size(_ value: Int64) -> String {
    var unit = 0
    var scaled = value
    while scaled >= 1024 {
      scaled /= 1024
      unit += 1
    }
    return "\(scaled) " + ["B", "KiB", "MiB", "GiB", "TiB"][min(unit, 4)]
  }
}

/// Where the time went.
enum FunctionChart {
  static func draw(_ functions: [Summary.Function]) -> Markup {
    let shown = functions.prefix(15)
    let row = 26.0
    let height = row * Double(shown.count) + 8
    let largest = max(1, Double(shown.first?.counters.time ?? 0))
    let (left, right) = (220.0, 800.0)
    var body: Markup = ""
    for (index, function) in shown.enumerated() {
      let y = 4 + Double(index) * row
      let width = max(1, (right - left) * Double(function.counters.time) / largest)
      var name = function.name
      if name.unicodeScalars.count > 28 {
        name = String(String.UnicodeScalarView(name.unicodeScalars.prefix(27))) + "…"
      }
      body += """
        <text class="name" text-anchor="end" x="\(left - 10)" y="\(y + 17)">\(name)</text>\
        <rect class="bar \(style(function.direction))" x="\(left)" y="\(y + 4)" \
        width="\(width)" height="\(row - 8)" rx="3"/>\
        <text class="value" x="\(left + width + 8)" y="\(y + 17)">\
        \(Units.duration(function.counters.time)), \(Units.grouped(function.counters.calls)) calls\
        </text>
        """
    }
    return """
      <svg role="img" viewBox="0 0 \(Frame.width) \(height)" \
      aria-label="Time by function; the table of functions has the numbers">\(body)</svg>
      """
  }

  static func style(_ direction: Direction) -> String {
    switch direction {
    case .read: "read"
    case .write: "write"
    case .other: "other"
    }
  }
}

/// What each node did when.
enum HeatMap {
  /// Shades of the scale.
  static let shades = 7
  private static let rowLimit = 96

  static func draw(_ nodes: [Summary.Node], start: Int64) -> Chart? {
    let busy = nodes.filter { !$0.timeline.isEmpty }
    guard !busy.isEmpty else { return nil }
    let grid = TimeGrid(busy.map(\.timeline), start: start, limit: 128)
    // Where no call moves bytes, calls are what there is to see.
    let hasBytes = grid.total.contains { $0.readBytes &+ $0.writtenBytes > 0 }
    let (names, rows) = grouped(busy.map(\.name), grid, hasBytes: hasBytes)
    let seconds = Double(grid.width) / 1e9
    let largest = rows.joined().max() ?? 0
    let count = rows.first?.count ?? 0
    let rowHeight = max(6, min(26, 480 / Double(rows.count)))
    let step = Frame.plotWidth / Double(max(1, count))
    let bottom = Frame.top + rowHeight * Double(rows.count)

    var paths = Array(repeating: "", count: shades + 1)
    var body: Markup = ""
    var cells: [JSON] = []
    for (row, values) in rows.enumerated() {
      let y = Frame.top + Double(row) * rowHeight
      var index = 0
      while index < values.count {
        let shade = self.shade(values[index], of: largest)
        var end = index + 1
        while end < values.count, self.shade(values[end], of: largest) == shade { end += 1 }
        if shade > 0 {
          let x = Units.fixed(Frame.left + Double(index) * step, places: 1)
          let width = Units.fixed(Double(end - index) * step, places: 1)
          let tall = Units.fixed(rowHeight - 1, places: 1)
          paths[shade] += "M\(x) \(Units.fixed(y, places: 1))h\(width)v\(tall)h-\(width)z"
        }
        index = end
      }
      if rowHeight >= 12 || row % Int((14 / rowHeight).rounded(.up)) == 0 {
        body += """
          <text class="tick" text-anchor="end" x="\(Frame.left - 8)" \
          y="\(y + rowHeight / 2 + 4)">\(shortened(names[row]))</text>
          """
      }
      cells.append(
        .array(
          values.map { value in
            .string(
              hasBytes
                ? Units.bytes(Int64(min(9e18, value / seconds))) + "/s"
                : Units.count(value / seconds) + " calls/s")
          }))
    }
    for shade in 1...shades where !paths[shade].isEmpty {
      body += "<path class=\"heat q\(shade)\" d=\"\(paths[shade])\"/>"
    }
    body += RateChart.timeTicks(grid, count: count, y: bottom + 20)
    let what = hasBytes ? "bytes read and written" : "calls"
    let svg: Markup = """
      <svg role="img" data-chart="heat" data-top="\(Frame.top)" \
      data-bottom="\(bottom)" viewBox="0 0 \(Frame.width) \(bottom + 28)" \
      aria-label="Heat map of \(what) by node and time">\(body)</svg>
      """
    let scale =
      hasBytes
      ? Units.bytes(Int64(min(9e18, largest / seconds))) + "/s"
      : Units.count(largest / seconds) + " calls/s"
    return Chart(
      svg: svg,
      data: .object([
        .init("rows", .array(names.map { .string(Summary.printable($0)) })),
        .init("columns", .array((0..<count).map { .string(grid.label($0)) })),
        .init("cells", .array(cells)), .init("largest", .string(scale)),
      ]))
  }

  /// A row for each node; of very many, a row for each few that follow each other.
  private static func grouped(
    _ names: [String], _ grid: TimeGrid, hasBytes: Bool
  ) -> (names: [String], rows: [[Double]]) {
    let size = (names.count + rowLimit - 1) / rowLimit
    var groupNames: [String] = []
    var rows: [[Double]] = []
    for first in stride(from: 0, to: names.count, by: size) {
      let last = min(first + size, names.count) - 1
      groupNames.append(first == last ? names[first] : "\(names[first])…\(names[last])")
      var row = Array(repeating: 0.0, count: grid.rows[first].count)
      for node in first...last {
        for (index, interval) in grid.rows[node].enumerated() {
          row[index] +=
            hasBytes
            ? Double(interval.readBytes &+ interval.writtenBytes)
            : Double(interval.reads &+ interval.writes &+ interval.others)
        }
      }
      // A node's mean, so that groups of different sizes compare.
      rows.append(row.map { $0 / Double(last - first + 1) })
    }
    return (groupNames, rows)
  }

  private static func shade(_ value: Double, of largest: Double) -> Int {
    guard value > 0, largest > 0 else { return 0 }
    // By the root: most of the time is far below the busiest moment.
    return max(1, min(shades, Int(((value / largest).squareRoot() * Double(shades)).rounded(.up))))
  }

  private static func shortened(_ name: String) -> String {
    let scalars = Summary.printable(name).unicodeScalars
    guard scalars.count > 11 else { return String(scalars) }
    return "…" + String(String.UnicodeScalarView(scalars.suffix(10)))
  }
}
