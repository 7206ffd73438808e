/// What one worker has counted of a trace. Tallies add up, in any order, to the same result.
final class Tally: LineConsumer {
  /// What bounds the memory of a report.
  struct Limits {
    var functions = 8192
    var files = 65_536
    var processes = 65_536
    var hashes = 1 << 20
    var slowest = 10
  }

  /// One function's calls.
  struct FunctionTally {
    let transfer: Transfer
    var counters = Counters()
    var latency = LatencyHistogram()
    var shortest = Int64.max
    var longest: Int64 = 0
  }

  /// One call among the slowest.
  struct SlowCall {
    let duration: Int64
    let start: Int64
    let node: Int
    let pid: Int64
    let tid: Int64
    let function: Int
    let result: Int64?
    let file: [UInt8]?

    /// Slower first; of equal ones, those that began first.
    static func isBefore(_ left: SlowCall, _ right: SlowCall) -> Bool {
      if left.duration != right.duration { return left.duration > right.duration }
      return (left.start, left.node, left.tid) < (right.start, right.node, right.tid)
    }
  }

  /// Sizes of transfers: index 0 counts empty ones, index n those of more than 2^(n-2) and at most
  /// 2^(n-1) bytes: programs like to move whole powers of two.
  struct Sizes {
    var reads = [Int64](repeating: 0, count: 44)
    var writes = [Int64](repeating: 0, count: 44)
  }

  private let limits: Limits
  /// For each file, whose calls it holds.
  private let sources: [TraceSource]

  // Functions and categories by number; a function's key is its category's number and its name.
  private let names = ByteTable()
  private let categories = ByteTable()
  private let functionKeys = ByteTable()
  private(set) var functions: [FunctionTally] = []
  private(set) var nodes: [Counters]
  private(set) var timelines: [Timeline]
  private(set) var sizes = Sizes()
  private(set) var slowest: [SlowCall] = []
  let files: BoundedCounters
  let processes: BoundedCounters
  private(set) var tails: [Int: TraceTail] = [:]
  private(set) var unreadableLines: Int64 = 0
  private(set) var otherEvents: Int64 = 0
  private(set) var events: Int64 = 0
  private(set) var earliest = Int64.max
  private(set) var latest = Int64.min
  /// What numbers stand for which path (DFTracer's FH events).
  private let hashes = ByteTable()
  private var hashPaths: [[UInt8]] = []
  /// What is known of a process: key as in `processes`.
  private let processKeys = ByteTable()
  private(set) var processNames: [ProcessName] = []
  private var scratch: [UInt8] = []
  private var functionScratch: [UInt8] = []

  /// A process's name.
  struct ProcessName {
    var name: [UInt8] = []
    var task: Int64?

    /// An exec gives a process its next name; its task stays.
    mutating func rename(_ next: ProcessName) {
      if !next.name.isEmpty { name = next.name }
      task = next.task ?? task
    }
  }

  init(sources: [TraceSource], nodes: Int, limits: Limits) {
    self.limits = limits
    self.sources = sources
    self.nodes = Array(repeating: Counters(), count: nodes)
    timelines = Array(repeating: Timeline(), count: nodes)
    files = BoundedCounters(limit: limits.files)
    processes = BoundedCounters(limit: limits.processes)
  }

  // MARK: - Counting

  func consume(_ text: UnsafeRawBufferPointer, file: Int) {
    guard var reader = LineReader(text) else { return }
    var line = TraceLine()
    while let kind = reader.next(&line) {
      switch kind {
      case .empty: break
      case .unreadable: unreadableLines += 1
      case .event:
        switch line.phase {
        case UInt8(ascii: "X"): count(line, file)
        case UInt8(ascii: "M"): note(line, reader.lineBytes, file)
        default: otherEvents += 1
        }
      }
    }
  }

  private func count(_ line: TraceLine, _ file: Int) {
    guard let name = line.name, line.hasStart else {
      unreadableLines += 1
      return
    }
    events += 1
    let (node, pid) = sources[file].process(line.pid)
    let start = sources[file].time(line.start)
    let function = self.function(name, line.category)
    let transfer = functions[function].transfer
    let bytes = line.isIncomplete ? 0 : transfer.bytes(line)

    var call = Counters()
    call.calls = 1
    if line.isIncomplete {
      call.incomplete = 1
    } else {
      call.time = line.duration
      if line.hasErrorNumber || (transfer.direction != .other && (line.result ?? 0) < 0) {
        call.errors = 1
      }
    }
    switch transfer.direction {
    case .read: call.readBytes = bytes
    case .write: call.writtenBytes = bytes
    case .other: break
    }

    functions[function].counters += call
    if !line.isIncomplete {
      functions[function].latency.add(line.duration)
      functions[function].shortest = min(functions[function].shortest, line.duration)
      functions[function].longest = max(functions[function].longest, line.duration)
    }
    if transfer.direction != .other, call.errors == 0, !line.isIncomplete {
      let size = bytes == 0 ? 0 : 1 + Int64.bitWidth - (bytes - 1).leadingZeroBitCount
      if transfer.direction == .read { sizes.reads[size] += 1 } else { sizes.writes[size] += 1 }
    }
    nodes[node] += call
    timelines[node].add(
      direction: transfer.direction, bytes: bytes, start: start, duration: line.duration)
    earliest = min(earliest, start)
    latest = max(latest, start + line.duration)
    if let path = line.file {
      withDecoded(path) { files.add(call, to: $0) }
    } else if let hash = line.fileHash {
      withKey(0, hash.bytes) { files.add(call, to: $0) }
    }
    withProcess(node, pid) { processes.add(call, to: $0) }
    if !line.isIncomplete { keepIfSlow(line, start, (node, pid), function, file) }
  }

  private func function(_ name: RawText, _ category: RawText?) -> Int {
    // More functions than any program has: the rest is counted as one.
    if functions.count >= limits.functions { return existing(name, category) ?? otherFunctions }
    return added(name, category)
  }

  /// The number of a function that was counted before.
  private func existing(_ name: RawText, _ category: RawText?) -> Int? {
    guard let nameNumber = names.existingNumber(of: name.bytes) else { return nil }
    var categoryNumber = 0
    if let category {
      guard let number = categories.existingNumber(of: category.bytes) else { return nil }
      categoryNumber = number + 1
    }
    var key = UInt64(categoryNumber) << 32 | UInt64(nameNumber)
    return withUnsafeBytes(of: &key) { functionKeys.existingNumber(of: Bytes($0)) }
  }

  private func added(_ name: RawText, _ category: RawText?) -> Int {
    let nameNumber = names.number(of: name.bytes)
    var categoryNumber = 0
    if let category { categoryNumber = categories.number(of: category.bytes) + 1 }
    var key = UInt64(categoryNumber) << 32 | UInt64(nameNumber)
    let number = withUnsafeBytes(of: &key) { raw in
      functionKeys.number(of: Bytes(raw))
    }
    if number < functions.count { return number }
    var decoded: [UInt8] = []
    name.decoded(into: &decoded)
    functions.append(
      FunctionTally(transfer: Transfer(function: String(decoding: decoded, as: UTF8.self))))
    return number
  }

  private lazy var otherFunctions: Int = {
    let name = Array("(other functions)".utf8)
    return name.withUnsafeBytes { raw in
      added(RawText(bytes: Bytes(raw), isEscaped: false), nil)
    }
  }()

  private func withDecoded(_ text: RawText, _ body: (Bytes) -> Void) {
    guard text.isEscaped else { return body(text.bytes) }
    text.decoded(into: &scratch)
    scratch.withUnsafeBytes { raw in
      body(Bytes(raw))
    }
  }

  /// The bytes behind a first byte that no path has: what they name is known only at the end.
  private func withKey(_ first: UInt8, _ bytes: Bytes, _ body: (Bytes) -> Void) {
    scratch.removeAll(keepingCapacity: true)
    scratch.append(first)
    scratch.append(contentsOf: bytes.buffer)
    scratch.withUnsafeBytes { body(Bytes($0)) }
  }

  private func withProcess(_ node: Int, _ pid: Int64, _ body: (Bytes) -> Void) {
    var key = (UInt64(truncatingIfNeeded: node), pid)
    withUnsafeBytes(of: &key) { body(Bytes($0)) }
  }

  private func keepIfSlow(
    _ line: TraceLine, _ start: Int64, _ process: (node: Int, pid: Int64), _ function: Int,
    _ file: Int
  ) {
    if slowest.count >= limits.slowest, let last = slowest.last, line.duration < last.duration {
      return
    }
    var path: [UInt8]?
    if let file = line.file {
      var decoded: [UInt8] = []
      file.decoded(into: &decoded)
      path = decoded
    } else if let hash = line.fileHash {
      path = [0] + Array(hash.bytes.buffer)
    }
    keep(
      SlowCall(
        duration: line.duration, start: start, node: process.node, pid: process.pid,
        tid: sources[file].process(line.tid).pid,
        function: function, result: line.result, file: path))
  }

  private func keep(_ call: SlowCall) {
    let place = slowest.firstIndex { SlowCall.isBefore(call, $0) } ?? slowest.count
    slowest.insert(call, at: place)
    if slowest.count > limits.slowest { slowest.removeLast() }
  }

  private func note(_ line: TraceLine, _ text: Bytes, _ file: Int) {
    guard let name = line.name else { return }
    if name.bytes.equals("FH") {
      guard let value = line.argumentValue, let path = line.argumentName else { return }
      noteHash(value.bytes, path)
    } else if name.bytes.equals("process_name") {
      guard let text = line.program ?? line.argumentName else { return }
      var process = ProcessName(task: line.task)
      text.decoded(into: &process.name)
      let (node, pid) = sources[file].process(line.pid)
      withProcess(node, pid) { noteProcess($0, process) }
    } else if name.bytes.equals("end"), let tail = TraceTail(text) {
      tails[file] = tail
    }
  }

  private func noteHash(_ value: Bytes, _ path: RawText) {
    guard hashes.count < limits.hashes else { return }
    let number = hashes.number(of: value)
    guard number == hashPaths.count else { return }
    var decoded: [UInt8] = []
    path.decoded(into: &decoded)
    hashPaths.append(decoded)
  }

  private func noteProcess(_ key: Bytes, _ process: ProcessName) {
    guard processNames.count < limits.processes else { return }
    let number = processKeys.number(of: key)
    if number == processNames.count {
      processNames.append(process)
    } else {
      processNames[number].rename(process)
    }
  }

  // MARK: - Adding up

  /// Adds all that another worker has counted.
  func add(_ other: Tally) {
    var numbers: [Int] = []
    for index in other.functions.indices {
      let (name, category) = other.functionText(index)
      let number = function(
        RawText(bytes: name, isEscaped: true), category.map { RawText(bytes: $0, isEscaped: true) })
      numbers.append(number)
      functions[number].counters += other.functions[index].counters
      functions[number].latency.add(other.functions[index].latency)
      functions[number].shortest = min(
        functions[number].shortest, other.functions[index].shortest)
      functions[number].longest = max(functions[number].longest, other.functions[index].longest)
    }
    for node in nodes.indices {
      nodes[node] += other.nodes[node]
      timelines[node].add(other.timelines[node])
    }
    for index in sizes.reads.indices {
      sizes.reads[index] += other.sizes.reads[index]
      sizes.writes[index] += other.sizes.writes[index]
    }
    for call in other.slowest {
      keep(
        SlowCall(
          duration: call.duration, start: call.start, node: call.node, pid: call.pid,
          tid: call.tid, function: numbers[call.function], result: call.result, file: call.file))
    }
    files.add(other.files)
    processes.add(other.processes)
    tails.merge(other.tails) { mine, _ in mine }
    unreadableLines += other.unreadableLines
    otherEvents += other.otherEvents
    events += other.events
    earliest = min(earliest, other.earliest)
    latest = max(latest, other.latest)
    for number in other.hashPaths.indices where hashes.count < limits.hashes {
      if hashes.number(of: other.hashes[number]) == hashPaths.count {
        hashPaths.append(other.hashPaths[number])
      }
    }
    for number in other.processNames.indices {
      noteProcess(other.processKeys[number], other.processNames[number])
    }
  }

  // MARK: - Names

  private func functionText(_ number: Int) -> (name: Bytes, category: Bytes?) {
    let key = UnsafeRawPointer(functionKeys[number].start).loadUnaligned(as: UInt64.self)
    let category = Int(key >> 32)
    return (
      names[Int(key & 0xffff_ffff)], category == 0 ? nil : categories[category - 1]
    )
  }

  /// A function's name and category.
  func functionName(_ number: Int) -> (name: String, category: String) {
    let (name, category) = functionText(number)
    return (Self.string(name), category.map(Self.string) ?? "")
  }

  private static func string(_ bytes: Bytes) -> String {
    var decoded: [UInt8] = []
    RawText(bytes: bytes, isEscaped: true).decoded(into: &decoded)
    return String(decoding: decoded, as: UTF8.self)
  }

  /// A path by what a call gave: the path itself, or what stands for it.
  func path(_ key: [UInt8]) -> [UInt8] {
    guard key.first == 0 else { return key }
    let hash = Array(key.dropFirst())
    let path: [UInt8]? = hash.withUnsafeBytes { raw in
      let number = hashes.existingNumber(of: Bytes(raw))
      return number.map { hashPaths[$0] }
    }
    return path ?? Array("(file ".utf8) + hash + Array(")".utf8)
  }

  /// A process's name, where the trace has it.
  func processName(_ key: Bytes) -> ProcessName? {
    processKeys.existingNumber(of: key).map { processNames[$0] }
  }

  /// The node and the pid that a key of `processes` stands for.
  static func process(_ key: Bytes) -> (node: Int, pid: Int64) {
    let raw = UnsafeRawPointer(key.start)
    return (
      Int(raw.loadUnaligned(as: UInt64.self)), raw.loadUnaligned(fromByteOffset: 8, as: Int64.self)
    )
  }
}
