import Glibc
import Synchronization
import TraceRequest

/// Makes one file of all nodes' files: the form that Perfetto opens, with all nodes on one clock.
public struct Merge: Sendable {
  /// Calls in the merged file.
  public let events: Int64
  /// What was missing in the files.
  public let warnings: [Summary.Warning]

  /// Merges a trace.
  ///
  /// - Parameters:
  ///   - folder: the trace.
  ///   - path: the file to make. It must not lie among the trace's own files, where the next
  ///     report would count everything twice.
  ///   - progress: where to show how far it is; nil for nowhere.
  public init(
    _ folder: TraceFolder, into path: String, progress: Progress? = nil
  ) throws(ReportError) {
    try self.init(folder, into: path, workers: Threads.count, progress: progress)
  }

  init(
    _ folder: TraceFolder, into path: String, workers: Int, progress: Progress?
  ) throws(ReportError) {
    guard path.hasSuffix(".pfw.gz") else {
      throw ReportError(
        .usage, "a merged trace has a name that ends in .pfw.gz: \(path): name it so")
    }
    for file in folder.files where Self.folder(of: file) == Self.folder(of: path) {
      throw ReportError(
        .usage,
        "the merged file would lie among the files that it is made of: \(path): "
          + "name another folder")
    }
    let heads = try TraceHead.read(folder)
    let (nodes, sources) = TraceSource.sources(heads)
    let origin = heads.compactMap(\.origin).min() ?? 0
    let output = try GzipStream(OutputFile(path))
    let numbers = MergedPids(nodes: nodes.count)
    try output.write(Self.head(heads, nodes, origin, numbers.perNode))

    progress?.begin(total: heads.reduce(0) { $0 + $1.size })
    let mergers = (0..<workers).map { _ in
      Merger(sources: sources, origin: origin, numbers: numbers, output: output)
    }
    let outcomes = try TraceReader(paths: folder.files, progress: progress).read(mergers)
    for merger in mergers { try merger.flush() }
    for merger in mergers.dropFirst() { mergers[0].add(merger) }
    let all = mergers[0]
    events = all.events
    var warnings: [Summary.Warning] = []
    for index in heads.indices {
      if let damage = outcomes[index].damage {
        warnings.append(
          .init(subject: heads[index].path, text: "\(damage): a part of it is missing"))
      } else if heads[index].origin == nil, heads.count > 1 {
        warnings.append(
          .init(subject: heads[index].path, text: "no clock_realtime_ns: its times may not fit"))
      } else if heads[index].origin != nil, all.tails[index] == nil {
        warnings.append(
          .init(
            subject: heads[index].path, text: "the tracer ended before it finished the file"))
      }
    }
    if all.unreadableLines > 0 {
      warnings.append(
        .init(
          subject: "\(all.unreadableLines) lines", text: "they are not trace events and left out"))
    }
    self.warnings = warnings
    try all.writeNames(nodes)
    try output.write(all.tail(isPartial: !warnings.isEmpty))
    try output.finish()
  }

  private static func folder(of file: String) -> String {
    let parent = file.lastIndex(of: "/").map { String(file[...$0]) } ?? "."
    guard let resolved = realpath(parent, nil) else { return parent }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func head(
    _ heads: [TraceHead], _ nodes: [String], _ origin: Int64, _ perNode: Int64
  ) -> [UInt8] {
    func number(_ value: Int64) -> JSON { .number(String(value)) }
    var missing: [NotAttached] = []
    for head in heads {
      for function in head.notAttached where !missing.contains(function) {
        missing.append(function)
      }
    }
    var arguments: [JSON.Member] = [
      .init("format", number(2)),
      .init("node", .string(nodes.joined(separator: ","))),
      .init("job", .string(heads.first { !$0.job.isEmpty }?.job ?? "")),
      .init("user", .string(heads.first { !$0.user.isEmpty }?.user ?? "")),
    ]
    if origin != 0 { arguments.append(.init("clock_realtime_ns", number(origin))) }
    if perNode > 0, nodes.count > 1 {
      arguments += [
        .init("nodes", .array(nodes.map { .string($0) })),
        .init("pids_per_node", number(perNode)),
      ]
    }
    arguments.append(
      .init(
        "not_attached",
        .array(
          missing.map {
            .object([
              .init("cat", .string($0.category)), .init("name", .string($0.function)),
              .init("reason", .string($0.reason)),
            ])
          })))
    return Array("[\n".utf8) + Merger.metadata("trace", pid: 0, .object(arguments))
  }
}

/// Gives every process of every node a number of its own, as one machine would.
final class MergedPids: Sendable {
  // Linux has at most 4,194,304 pids (PID_MAX_LIMIT), and a reader may keep one in 31 bits.
  private static let stride: Int64 = 10_000_000
  private static let most: Int64 = 1 << 31 - 1

  /// How many numbers each node has: node n's pid p is n times this plus p. 0 where there are too
  /// many nodes for that: then numbers are given in the order in which processes come.
  let perNode: Int64

  private struct Key: Hashable {
    let node: Int
    let pid: Int64
  }

  private let given = Mutex<[Key: Int64]>([:])
  private let firstGiven: Int64

  init(nodes: Int) {
    perNode = Int64(nodes) * Self.stride < Self.most ? Self.stride : 0
    firstGiven = perNode > 0 ? Int64(nodes) * perNode : 1
  }

  /// The number of a process or thread.
  func number(node: Int, pid: Int64) -> Int64 {
    if perNode > 0, pid >= 0, pid < perNode { return Int64(node) * perNode + pid }
    let first = firstGiven
    return given.withLock { given in
      let key = Key(node: node, pid: pid)
      if let number = given[key] { return number }
      let number = first + Int64(given.count)
      given[key] = number
      return number
    }
  }
}

/// One worker of a merge: rewrites lines and packs them.
final class Merger: LineConsumer {
  private static let pieceSize = 1 << 20

  private let sources: [TraceSource]
  private let origin: Int64
  private let numbers: MergedPids
  private let output: GzipStream
  private let deflater = Deflater()
  private var text: [UInt8] = []
  private let processKeys = ByteTable()
  private var processNames: [Tally.ProcessName] = []
  private(set) var tails: [Int: TraceTail] = [:]
  private(set) var events: Int64 = 0
  private(set) var unreadableLines: Int64 = 0

  init(sources: [TraceSource], origin: Int64, numbers: MergedPids, output: GzipStream) {
    self.sources = sources
    self.origin = origin
    self.numbers = numbers
    self.output = output
    text.reserveCapacity(Self.pieceSize + 8192)
  }

  func consume(_ lines: UnsafeRawBufferPointer, file: Int) throws(ReportError) {
    guard var reader = LineReader(lines) else { return }
    var line = TraceLine()
    while let kind = reader.next(&line) {
      if kind == .unreadable { unreadableLines += 1 }
      guard kind == .event else { continue }
      if line.phase == UInt8(ascii: "M") {
        if isOurs(line, reader.lineBytes, file) { continue }
        if line.pid == 0 {
          // Strings, for instance: they belong to no process.
          text.append(contentsOf: reader.lineBytes.buffer)
          text.append(0x0a)
          continue
        }
      }
      rewrite(line, reader.lineBytes, file)
      if text.count >= Self.pieceSize { try flush() }
    }
  }

  /// Writes what has been gathered.
  func flush() throws(ReportError) {
    guard !text.isEmpty else { return }
    try output.write(text, deflater)
    text.removeAll(keepingCapacity: true)
  }

  /// Lines about files and processes are written anew at the end.
  private func isOurs(_ line: TraceLine, _ bytes: Bytes, _ file: Int) -> Bool {
    guard let name = line.name?.bytes else { return false }
    if name.equals("trace") { return true }
    if name.equals("end") {
      guard let tail = TraceTail(bytes) else { return false }
      tails[file] = tail
      return true
    }
    if name.equals("process_name"), let text = line.program ?? line.argumentName {
      let (node, pid) = sources[file].process(line.pid)
      let process = processNumber(node, pid)
      var next = Tally.ProcessName(task: line.task)
      text.decoded(into: &next.name)
      processNames[process].rename(next)
      return true
    }
    return name.equals("process_sort_index")
  }

  private func processNumber(_ node: Int, _ pid: Int64) -> Int {
    var key = (UInt64(truncatingIfNeeded: node), pid)
    let number = withUnsafeBytes(of: &key) { processKeys.number(of: Bytes($0)) }
    if number == processNames.count { processNames.append(Tally.ProcessName()) }
    return number
  }

  private func rewrite(_ line: TraceLine, _ bytes: Bytes, _ file: Int) {
    let source = sources[file]
    let (node, pid) = source.process(line.pid)
    var at = 0
    func copy(to end: Int) {
      text.append(contentsOf: UnsafeBufferPointer(start: bytes.start + at, count: end - at))
      at = end
    }
    let nowhere = bytes.count..<bytes.count
    var start = line.startText ?? nowhere
    var pidText = line.pidText ?? nowhere
    var tidText = line.tidText ?? nowhere
    // In the order in which they stand in the line, which is nearly always this one.
    while true {
      let next = min(start.lowerBound, pidText.lowerBound, tidText.lowerBound)
      copy(to: next)
      if next == bytes.count { break }
      if start.lowerBound == next {
        if line.phase == UInt8(ascii: "M") {
          copy(to: start.upperBound)
        } else {
          putMicroseconds(
            source.time(line.start) &- origin,
            hasFraction: Bytes(bytes.start + start.lowerBound, start.count).contains(
              UInt8(ascii: ".")))
        }
        at = start.upperBound
        start = nowhere
      } else if pidText.lowerBound == next {
        put(numbers.number(node: node, pid: pid))
        at = pidText.upperBound
        pidText = nowhere
      } else {
        put(numbers.number(node: node, pid: source.process(line.tid).pid))
        at = tidText.upperBound
        tidText = nowhere
      }
    }
    text.append(0x0a)
    if line.phase == UInt8(ascii: "X") {
      events += 1
      _ = processNumber(node, pid)
    }
  }

  private func put(_ value: Int64) {
    if value < 0 { text.append(UInt8(ascii: "-")) }
    var magnitude = value.magnitude
    let start = text.count
    repeat {
      let (quotient, digit) = magnitude.quotientAndRemainder(dividingBy: 10)
      text.append(UInt8(ascii: "0") + UInt8(digit))
      magnitude = quotient
    } while magnitude > 0
    text[start...].reverse()
  }

  /// As precise as it was: whole microseconds stay whole, and rounded down as they were.
  private func putMicroseconds(_ nanoseconds: Int64, hasFraction: Bool) {
    guard hasFraction else { return put(nanoseconds.roundedDown(by: 1000)) }
    if nanoseconds < 0 { text.append(UInt8(ascii: "-")) }
    let (whole, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
    put(Int64(whole))
    text.append(UInt8(ascii: "."))
    for divisor: UInt64 in [100, 10, 1] {
      text.append(UInt8(ascii: "0") + UInt8(rest / divisor % 10))
    }
  }

  // MARK: - The end

  /// Adds what another worker knows of processes and files.
  func add(_ other: Merger) {
    for number in other.processNames.indices {
      let mine = processKeys.number(of: other.processKeys[number])
      if mine == processNames.count {
        processNames.append(other.processNames[number])
      } else {
        processNames[mine].rename(other.processNames[number])
      }
    }
    tails.merge(other.tails) { mine, _ in mine }
    events += other.events
    unreadableLines += other.unreadableLines
  }

  /// Writes which process is whose: `c1 task 3: dd (15827)`.
  func writeNames(_ nodes: [String]) throws(ReportError) {
    for number in processNames.indices {
      let (node, pid) = Tally.process(processKeys[number])
      let process = processNames[number]
      var name = nodes[node]
      if let task = process.task { name += " task \(task)" }
      let program = Summary.text(ofPath: process.name)
      if !program.isEmpty { name += ": " + program }
      let merged = numbers.number(node: node, pid: pid)
      var arguments: [JSON.Member] = [
        .init("name", .string("\(name) (\(pid))")), .init("program", .string(program)),
      ]
      if let task = process.task { arguments.append(.init("task", .number(String(task)))) }
      text += Self.metadata("process_name", pid: merged, .object(arguments))
      text += Self.metadata(
        "process_sort_index", pid: merged,
        .object([.init("sort_index", .number(String(node)))]))
      if text.count >= Self.pieceSize { try flush() }
    }
    try flush()
  }

  /// The last lines of the merged file.
  func tail(isPartial: Bool) -> [UInt8] {
    var lost: [String: Int64] = [:]
    for tail in tails.values {
      for entry in tail.lost { lost[entry.reason, default: 0] &+= entry.count }
    }
    let arguments: [JSON.Member] = [
      .init("events", .number(String(events))),
      .init(
        "lost",
        .object(lost.sorted { $0.key < $1.key }.map { .init($0.key, .number(String($0.value))) })),
      .init("partial", .bool(isPartial)),
    ]
    return Self.metadata("end", pid: 0, .object(arguments)) + Array("]\n".utf8)
  }

  static func metadata(_ name: String, pid: Int64, _ arguments: JSON) -> [UInt8] {
    let event: JSON = .object([
      .init("name", .string(name)), .init("cat", .string("datacrumbs")),
      .init("ph", .string("M")), .init("ts", .number("0")), .init("pid", .number(String(pid))),
      .init("tid", .number(String(pid))), .init("args", arguments),
    ])
    return event.text + [0x0a]
  }
}

extension Int64 {
  /// The quotient, rounded towards the past.
  fileprivate func roundedDown(by divisor: Int64) -> Int64 {
    let (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
    return rest < 0 ? quotient - 1 : quotient
  }
}
