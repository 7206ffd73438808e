import Glibc

/// What a trace says, counted.
public struct Summary: Sendable {
  /// One function of one category.
  public struct Function: Sendable {
    /// The function.
    public let name: String
    /// The probe's category.
    public let category: String
    let counters: Counters
    let direction: Direction
    /// Nanoseconds.
    let shortest: Int64
    let p50: Int64
    let p95: Int64
    let p99: Int64
    let longest: Int64

    /// Nanoseconds.
    var mean: Int64 {
      let returned = counters.calls - counters.incomplete
      return returned > 0 ? counters.time / returned : 0
    }
  }

  /// One file that calls were about.
  public struct File: Sendable {
    /// The path's bytes, which need not be UTF-8.
    public let path: [UInt8]
    let counters: Counters
  }

  /// One node of the job.
  public struct Node: Sendable {
    /// The node's name.
    public let name: String
    let counters: Counters
    let timeline: Timeline
  }

  /// One process of the job.
  public struct Process: Sendable {
    /// The node's name.
    public let node: String
    /// As the kernel's initial namespace numbers it.
    public let pid: Int64
    /// The program's name, empty where the trace has none.
    public let name: [UInt8]
    /// Slurm's number of the task, nil where the trace has none.
    public let task: Int64?
    let counters: Counters
  }

  /// One of the slowest calls.
  public struct SlowCall: Sendable {
    let function: String
    let category: String
    let node: String
    let pid: Int64
    let tid: Int64
    /// Nanoseconds; the start counts from the first call of the trace.
    let duration: Int64
    let start: Int64
    let result: Int64?
    let path: [UInt8]?
  }

  /// Something that the reader must know before believing the numbers.
  public struct Warning: Sendable, Equatable {
    /// Which file, node or function.
    public let subject: String
    /// What about it.
    public let text: String
  }

  /// The job id as text; empty where the trace does not say.
  public let job: String
  /// Whose job it was; empty where the trace does not say.
  public let user: String
  /// Calls in the trace.
  public let events: Int64
  /// Calls that happened and are not in the trace, by reason.
  public let lost: [(reason: String, count: Int64)]
  /// What else is missing or doubtful.
  public let warnings: [Warning]
  /// Nanoseconds since 1970 (or since the trace's own zero) of the first call's begin.
  public let start: Int64
  /// Nanoseconds from the first call's begin to the last one's end.
  public let span: Int64
  /// Whether `start` is a time of day.
  public let hasTimeOfDay: Bool
  /// All calls.
  let total: Counters
  /// By time, longest first; and so are the next four.
  public let functions: [Function]
  /// Only the first `limit`.
  public let files: [File]
  /// How many files there are in all, and whether that is a lower bound.
  public let fileCount: Int
  /// By name.
  public let nodes: [Node]
  /// Only the first `limit`.
  public let processes: [Process]
  /// How many processes there are in all.
  public let processCount: Int
  /// Slowest first.
  public let slowest: [SlowCall]
  let otherFiles: Counters
  let sizes: Tally.Sizes

  /// Events that the trace lacks, by the tracer's own count.
  public var lostEvents: Int64 { lost.reduce(0) { $0 &+ $1.count } }

  /// Reads a trace and counts it.
  ///
  /// - Parameters:
  ///   - folder: the trace.
  ///   - limit: how many files, processes and slow calls to list, from 1 to 1,000.
  ///   - progress: where to show how far it is; nil for nowhere.
  public init(
    of folder: TraceFolder, limit: Int = 10, progress: Progress? = nil
  ) throws(ReportError) {
    var limits = Tally.Limits()
    limits.slowest = limit
    try self.init(
      of: folder, limit: limit, limits: limits, workers: Threads.count, progress: progress)
  }

  init(
    of folder: TraceFolder, limit: Int, limits: Tally.Limits, workers: Int, progress: Progress?
  ) throws(ReportError) {
    let heads = try TraceHead.read(folder)
    let (names, sources) = TraceSource.sources(heads)
    progress?.begin(total: heads.reduce(0) { $0 + $1.size })
    let tallies = (0..<workers).map { _ in
      Tally(sources: sources, nodes: names.count, limits: limits)
    }
    let outcomes = try TraceReader(paths: folder.files, progress: progress).read(tallies)
    let tally = tallies[0]
    for other in tallies.dropFirst() { tally.add(other) }
    guard tally.events > 0 || !tally.tails.isEmpty || heads.contains(where: { $0.origin != nil })
    else {
      throw ReportError(
        .badData, "no trace events: \(folder.path): a trace has a JSON object with ph \"X\" a line")
    }
    self.init(heads, names, tally, outcomes, limit)
  }

  private init(
    _ heads: [TraceHead], _ nodeNames: [String], _ tally: Tally,
    _ outcomes: [TraceReader.FileOutcome], _ limit: Int
  ) {
    job = heads.first { !$0.job.isEmpty }?.job ?? ""
    user = heads.first { !$0.user.isEmpty }?.user ?? ""
    events = tally.events
    start = tally.events > 0 ? tally.earliest : 0
    let (span, overflow) = tally.latest.subtractingReportingOverflow(tally.earliest)
    self.span = tally.events == 0 ? 0 : overflow ? Int64.max : span
    // Before 2001 no clock of a cluster is right: such times count from a file's own zero.
    hasTimeOfDay = start > 978_307_200_000_000_000
    lost = Self.lost(tally)
    warnings = Self.warnings(heads, tally, outcomes)
    sizes = tally.sizes

    var total = Counters()
    for node in tally.nodes { total += node }
    self.total = total
    nodes = nodeNames.indices.map {
      Node(name: nodeNames[$0], counters: tally.nodes[$0], timeline: tally.timelines[$0])
    }
    functions = tally.functions.indices.map { index in
      let (name, category) = tally.functionName(index)
      let function = tally.functions[index]
      let shortest = function.latency.total > 0 ? function.shortest : 0
      // The middle of a histogram's interval may lie beyond what really occurred.
      func percentile(_ share: Double) -> Int64 {
        max(shortest, min(function.longest, function.latency.percentile(share)))
      }
      return Function(
        name: name, category: category, counters: function.counters,
        direction: function.transfer.direction, shortest: shortest, p50: percentile(0.5),
        p95: percentile(0.95), p99: percentile(0.99), longest: function.longest)
    }.sorted {
      $0.counters.time != $1.counters.time
        ? $0.counters.time > $1.counters.time : ($0.category, $0.name) < ($1.category, $1.name)
    }
    (files, fileCount, otherFiles) = Self.files(tally, limit)
    (processes, processCount) = Self.processes(tally, nodeNames, limit)
    let begin = start
    slowest = tally.slowest.map { call in
      let (name, category) = tally.functionName(call.function)
      return SlowCall(
        function: name, category: category, node: nodeNames[call.node], pid: call.pid,
        tid: call.tid, duration: call.duration, start: call.start - begin, result: call.result,
        path: call.file.map(tally.path))
    }
  }

  private static func files(_ tally: Tally, _ limit: Int) -> ([File], Int, Counters) {
    // A path that came by itself and by a number is one file.
    var byPath: [[UInt8]: Counters] = [:]
    tally.files.forEach { key, counters in
      byPath[tally.path(Array(key.buffer)), default: Counters()] += counters
    }
    let sorted = byPath.sorted {
      $0.value.time != $1.value.time
        ? $0.value.time > $1.value.time : $0.key.lexicographicallyPrecedes($1.key)
    }
    var others = tally.files.others
    for entry in sorted.dropFirst(limit) { others += entry.value }
    return (
      sorted.prefix(limit).map { File(path: $0.key, counters: $0.value) },
      sorted.count + tally.files.otherNames, others
    )
  }

  private static func processes(
    _ tally: Tally, _ nodeNames: [String], _ limit: Int
  ) -> ([Process], Int) {
    var all: [Process] = []
    tally.processes.forEach { key, counters in
      let (node, pid) = Tally.process(key)
      let known = tally.processName(key)
      all.append(
        Process(
          node: nodeNames[node], pid: pid, name: known?.name ?? [], task: known?.task,
          counters: counters))
    }
    all.sort {
      $0.counters.time != $1.counters.time
        ? $0.counters.time > $1.counters.time : ($0.node, $0.pid) < ($1.node, $1.pid)
    }
    return (Array(all.prefix(limit)), all.count + tally.processes.otherNames)
  }

  private static func lost(_ tally: Tally) -> [(reason: String, count: Int64)] {
    var sums: [String: Int64] = [:]
    for tail in tally.tails.values {
      for entry in tail.lost { sums[entry.reason, default: 0] &+= entry.count }
    }
    return sums.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { (reason: $0.key, count: $0.value) }
  }

  private static func warnings(
    _ heads: [TraceHead], _ tally: Tally, _ outcomes: [TraceReader.FileOutcome]
  ) -> [Warning] {
    var warnings: [Warning] = []
    for index in heads.indices {
      let name = heads[index].path
      if let damage = outcomes[index].damage {
        warnings.append(
          Warning(subject: name, text: "\(damage): a part of it is not counted"))
      } else if tally.tails[index]?.isPartial == true {
        warnings.append(
          Warning(subject: name, text: "it was merged from files of which a part was missing"))
      } else if heads[index].origin != nil, tally.tails[index] == nil {
        warnings.append(
          Warning(
            subject: name,
            text: "the tracer ended before it finished the file: "
              + "its last calls are missing, and it is not known how many were lost"))
      }
      if outcomes[index].longLines > 0 {
        warnings.append(
          Warning(subject: name, text: "\(outcomes[index].longLines) lines are too long to be read")
        )
      }
    }
    let withOrigin = heads.filter { $0.origin != nil }.count
    if heads.count > 1, withOrigin < heads.count {
      warnings.append(
        Warning(
          subject: "\(heads.count - withOrigin) files",
          text: "no clock_realtime_ns: their times are taken as they are and may not fit the others"
        ))
    }
    if Set(heads.map(\.job)).count > 1 {
      warnings.append(
        Warning(subject: "the folder", text: "it holds files of more than one job"))
    }
    if tally.unreadableLines > 0 {
      warnings.append(
        Warning(
          subject: "\(tally.unreadableLines) lines",
          text: "they are not trace events and not counted"))
    }
    if tally.otherEvents > 0 {
      warnings.append(
        Warning(
          subject: "\(tally.otherEvents) events",
          text: "they are not whole calls (ph is not \"X\") and not counted"))
    }
    for (function, nodes) in notAttached(heads) {
      warnings.append(
        Warning(
          subject: function.category.isEmpty
            ? function.function : "\(function.category)/\(function.function)",
          text: "not traced on \(nodes): \(function.reason)"))
    }
    return warnings
  }

  /// The functions that were not traced, each with the nodes where.
  private static func notAttached(_ heads: [TraceHead]) -> [(NotAttached, String)] {
    var order: [NotAttached] = []
    var nodes: [NotAttached: [String]] = [:]
    for head in heads {
      for function in head.notAttached {
        if nodes[function] == nil { order.append(function) }
        nodes[function, default: []].append(head.node)
      }
    }
    return order.map { function in
      let list = nodes[function] ?? []
      return (
        function,
        list.count == heads.count && list.count > 1
          ? "any of \(list.count) nodes"
          : list.count > 3 ? "\(list.count) nodes" : list.joined(separator: ", ")
      )
    }
  }
}
