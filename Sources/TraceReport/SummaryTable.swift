/// A summary as text for a terminal.
extension Summary {
  /// The tables, each line ended by a newline. Control characters of the trace's names are shown
  /// as escapes: a file's name must not steer the terminal.
  ///
  /// - Parameter isColored: whether losses and warnings stand out by colour.
  public func text(isColored: Bool) -> String {
    var text = ""
    text += overview()
    text += alarms(isColored)
    text += functionTable()
    text += fileTable()
    text += nodeTable()
    text += processTable()
    text += slowTable()
    return text
  }

  private func overview() -> String {
    var facts: [String] = []
    if !job.isEmpty { facts.append("job " + Self.printable(job)) }
    if !user.isEmpty { facts.append("user " + Self.printable(user)) }
    facts.append(nodes.count == 1 ? "1 node" : "\(Units.grouped(Int64(nodes.count))) nodes")
    facts.append(
      processCount == 1 ? "1 process" : "\(Units.grouped(Int64(processCount))) processes")
    var text = facts.joined(separator: ", ") + "\n"
    text += "\(Units.grouped(total.calls)) calls in \(Units.duration(span))"
    if total.errors > 0 { text += ", \(Units.grouped(total.errors)) with an error" }
    if total.incomplete > 0 { text += ", \(Units.grouped(total.incomplete)) never returned" }
    text += "\nread \(Units.bytes(total.readBytes)), written \(Units.bytes(total.writtenBytes)), "
    text += "time in calls \(Units.duration(total.time))\n"
    return text
  }

  private func alarms(_ isColored: Bool) -> String {
    let red = isColored ? "\u{1b}[1;31m" : ""
    let yellow = isColored ? "\u{1b}[33m" : ""
    let plain = isColored ? "\u{1b}[0m" : ""
    var text = ""
    if lostEvents > 0 {
      let reasons = lost.map { "\(Units.grouped($0.count)) \(Self.printable($0.reason))" }
      text += "\n\(red)LOST EVENTS: \(Units.grouped(lostEvents)) calls are not in this trace "
      text += "(\(reasons.joined(separator: ", "))). All numbers below are too low.\(plain)\n"
    }
    if !warnings.isEmpty { text += "\n" }
    for warning in warnings.prefix(20) {
      text += "\(yellow)warning: \(Self.printable(warning.subject)): "
      text += "\(Self.printable(warning.text))\(plain)\n"
    }
    if warnings.count > 20 {
      text += "\(yellow)warning: and \(warnings.count - 20) more; --json has all\(plain)\n"
    }
    return text
  }

  private func functionTable() -> String {
    var table = TextTable([
      .left("category"), .left("function"), .right("calls"), .right("errors"), .right("bytes"),
      .right("time"), .right("mean"), .right("p50"), .right("p95"), .right("p99"), .right("max"),
    ])
    for function in functions.prefix(50) {
      let counters = function.counters
      table.add([
        Self.printable(function.category), Self.printable(function.name),
        Units.grouped(counters.calls), Self.orDash(counters.errors),
        function.direction == .other ? "-" : Units.bytes(counters.bytes),
        Units.duration(counters.time), Units.duration(function.mean), Units.duration(function.p50),
        Units.duration(function.p95), Units.duration(function.p99),
        Units.duration(function.longest),
      ])
    }
    return Self.titled("FUNCTIONS", shown: min(50, functions.count), of: functions.count, table)
  }

  private func fileTable() -> String {
    guard !files.isEmpty else { return "" }
    var table = TextTable([
      .right("calls"), .right("errors"), .right("read"), .right("written"), .right("time"),
      .left("file"),
    ])
    for file in files {
      table.add(Self.columns(file.counters) + [Self.printable(Self.text(ofPath: file.path))])
    }
    if fileCount > files.count {
      table.add(Self.columns(otherFiles) + ["(all other files)"])
    }
    return Self.titled("FILES", shown: files.count, of: fileCount, table)
  }

  private func nodeTable() -> String {
    var table = TextTable([
      .left("node"), .right("calls"), .right("errors"), .right("read"), .right("written"),
      .right("time"),
    ])
    let shown = nodes.sorted { ($1.counters.time, $0.name) < ($0.counters.time, $1.name) }
      .prefix(50)
    for node in shown { table.add([Self.printable(node.name)] + Self.columns(node.counters)) }
    return Self.titled("NODES", shown: shown.count, of: nodes.count, table)
  }

  private func processTable() -> String {
    guard !processes.isEmpty else { return "" }
    var table = TextTable([
      .left("node"), .right("task"), .right("pid"), .right("calls"), .right("errors"),
      .right("read"), .right("written"), .right("time"), .left("program"),
    ])
    for process in processes {
      table.add(
        [
          Self.printable(process.node), process.task.map(String.init) ?? "-", "\(process.pid)",
        ] + Self.columns(process.counters) + [Self.printable(Self.text(ofPath: process.name))])
    }
    return Self.titled("PROCESSES", shown: processes.count, of: processCount, table)
  }

  private func slowTable() -> String {
    guard !slowest.isEmpty else { return "" }
    var table = TextTable([
      .right("duration"), .right("at"), .left("node"), .right("pid"), .left("function"),
      .right("returned"), .left("file"),
    ])
    for call in slowest {
      table.add([
        Units.duration(call.duration), Units.duration(call.start), Self.printable(call.node),
        "\(call.pid)", Self.printable(call.function), call.result.map(String.init) ?? "-",
        call.path.map { Self.printable(Self.text(ofPath: $0)) } ?? "-",
      ])
    }
    return Self.titled("SLOWEST CALLS", shown: slowest.count, of: slowest.count, table)
  }

  private static func columns(_ counters: Counters) -> [String] {
    [
      Units.grouped(counters.calls), orDash(counters.errors), Units.bytes(counters.readBytes),
      Units.bytes(counters.writtenBytes), Units.duration(counters.time),
    ]
  }

  private static func orDash(_ count: Int64) -> String { count == 0 ? "-" : Units.grouped(count) }

  private static func titled(
    _ title: String, shown: Int, of all: Int, _ table: TextTable
  ) -> String {
    let extent = shown < all ? " (\(shown) of \(Units.grouped(Int64(all))), by time)" : ""
    return "\n\(title)\(extent)\n\(table.text)"
  }

  /// A path as text: what is not UTF-8 in it as `\xNN`.
  static func text(ofPath path: [UInt8]) -> String {
    if let text = String(validating: path, as: UTF8.self) { return text }
    var text = ""
    var rest = path[...]
    while let byte = rest.first {
      if let (scalar, length) = firstScalar(rest) {
        text.unicodeScalars.append(scalar)
        rest = rest.dropFirst(length)
      } else {
        text += "\\x" + hex(byte)
        rest = rest.dropFirst()
      }
    }
    return text
  }

  private static func firstScalar(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int)? {
    for length in 1...4 where length <= bytes.count {
      if let text = String(validating: bytes.prefix(length), as: UTF8.self),
        let scalar = text.unicodeScalars.first
      {
        return (scalar, length)
      }
    }
    return nil
  }

  private static func hex(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return byte < 16 ? "0" + digits : digits
  }

  /// Text without anything that moves a terminal's cursor or changes the direction of writing.
  static func printable(_ text: String) -> String {
    var output = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control:
        output += scalar.value < 256 ? "\\x" + hex(UInt8(scalar.value)) : "?"
      case .format, .lineSeparator, .paragraphSeparator:
        output += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: output.unicodeScalars.append(scalar)
      }
    }
    return output
  }
}

/// Columns that line up.
struct TextTable {
  enum Column {
    case left(String)
    case right(String)
  }

  private let columns: [Column]
  private var rows: [[String]] = []

  init(_ columns: [Column]) { self.columns = columns }

  mutating func add(_ row: [String]) { rows.append(row) }

  var text: String {
    let titles = columns.map { column in
      switch column {
      case .left(let title), .right(let title): title
      }
    }
    let all = [titles] + rows
    let widths = columns.indices.map { index in all.map { $0[index].count }.max() ?? 0 }
    var text = ""
    for row in all {
      var line = ""
      for index in columns.indices {
        let space = String(repeating: " ", count: widths[index] - row[index].count)
        if index > 0 { line += "  " }
        switch columns[index] {
        case .left: line += row[index] + space
        case .right: line += space + row[index]
        }
      }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text
  }
}
