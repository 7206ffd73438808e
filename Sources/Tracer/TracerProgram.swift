import CSystemd
import CTracerBPF
import Glibc
import ProbeDocument
import TraceRequest

/// What `datacrumbs PROBE_FILE RUN_ID USER` is asked to do.
public struct TracerRequest: Sendable {
  /// The sealed probe file.
  public var probeFile: String
  /// The job id as text.
  public var runID: String
  /// The account whose job it is.
  public var user: String
  /// The object that exports datacrumbs_mark_task.
  public var marker: String
  /// Where the trace goes.
  public var traceDirectory: String

  /// All that the command line and the environment say.
  public init(
    probeFile: String, runID: String, user: String, marker: String, traceDirectory: String
  ) {
    self.probeFile = probeFile
    self.runID = runID
    self.user = user
    self.marker = marker
    self.traceDirectory = traceDirectory
  }
}

/// The tracer from start to end: load, attach, give root up, record until a signal.
public struct TracerProgram {
  /// The ring is looked at this often at least, and what was read is written then.
  private static let flushMilliseconds: Int32 = 500
  private static let blocks = 128

  private let request: TracerRequest
  private let signals: Int32
  private let probes: KernelProbes
  private let file: TraceFile
  private let writer: TraceWriter
  private let ring: Rings
  private let counts: UnsafePointer<dc_counts>
  private let waiting: UnsafeMutablePointer<UInt32>
  private let profile: ProfileReader?

  /// Runs the tracer until SIGINT or SIGTERM.
  public static func run(_ request: TracerRequest) throws(TracerError) {
    try TracerProgram(request).record()
  }

  private init(_ request: TracerRequest) throws(TracerError) {
    guard let number = UInt64(request.runID) else {
      throw TracerError(
        .usage, "the run id is no job number: \(request.runID): give a decimal number")
    }
    // The mark has 32 bits; Flux's ids have 64, of which the lower ones tell jobs of one node apart.
    let job = UInt32(truncatingIfNeeded: number)
    self.request = request
    signals = try Self.catchSignals()
    let account = try Account(named: request.user)
    let document = try ProbeFile.read(request.probeFile)
    let groups = document.categories
    let options = try TraceOptions(document)
    probes = try KernelProbes(
      groups,
      KernelSettings(
        job: job, user: account.uid, isProfile: options.isProfile,
        inclusionPaths: options.inclusionPaths))
    let attaching = Self.time(CLOCK_MONOTONIC)
    try probes.attach(groups, marker: request.marker)
    let attached = Self.time(CLOCK_MONOTONIC)
    ring = try probes.rings()
    counts = try probes.countsPointer()
    waiting = try probes.waitingFlag()

    try account.become()
    let node = Self.nodeName()
    file = try TraceFile(directory: request.traceDirectory, node: node)
    let start = Self.time(CLOCK_MONOTONIC)
    let formatter = EventFormatter(
      syscalls: probes.syscalls, functions: probes.functions, start: start,
      capacity: 8 * TraceWriter.blockSize)
    profile =
      options.isProfile
      ? ProfileReader(
        try probes.profileMemory(), milliseconds: options.profileMilliseconds, now: start) : nil
    writer = TraceWriter(file: file, formatter: formatter, blocks: Self.blocks)
    try writer.start(
      TraceMetadata.head(
        node: node, job: request.runID, user: request.user, start: start,
        startRealtime: Self.time(CLOCK_REALTIME), functions: probes.attachedCount,
        hooks: probes.hooks,
        attachMicroseconds: (attached - attaching) / 1000,
        notAttached: probes.notAttached))
  }

  private func record() throws(TracerError) {
    notify("READY=1\nSTATUS=\(attachedText)")
    if !probes.notAttached.isEmpty { report(attachedText) }
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    for descriptor in [probes.doorbellDescriptor, signals] {
      var event = epoll_event()
      event.events = EPOLLIN.rawValue
      event.data.fd = descriptor
      guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
        throw TracerError(.unavailable, "cannot wait for events: \(errorText(errno))")
      }
    }
    defer { close(epoll) }

    var block: TraceWriter.Block?
    var isStopping = false
    while !isStopping {
      drain(into: &block)
      datacrumbs_store_full(waiting, 1)
      var event = epoll_event()
      // While every block waits for a slow disk, there is nothing that a wake-up could do.
      let limit = profile?.milliseconds(from: Self.time(CLOCK_MONOTONIC)) ?? .max
      let count = epoll_wait(epoll, &event, 1, min(limit, Self.flushMilliseconds))
      datacrumbs_store_full(waiting, 0)
      ring.silence()
      profile?.collect(now: Self.time(CLOCK_MONOTONIC)) { add($0, $1, to: &block) }
      if count == 0 { submit(&block) }
      if count > 0, event.data.fd == signals { isStopping = true }
    }
    notify("STOPPING=1\nSTATUS=writing what is left")
    let detaching = Self.time(CLOCK_MONOTONIC)
    probes.detach()
    let detachMicroseconds = (Self.time(CLOCK_MONOTONIC) - detaching) / 1000
    probes.reportInFlight()
    while !ring.isEmpty {
      drain(into: &block)
      // Every block waits for the disk: until one is free.
      if block == nil { usleep(1000) }
    }
    profile?.finish(now: Self.time(CLOCK_MONOTONIC)) { add($0, $1, to: &block) }
    submit(&block)
    finish(detachMicroseconds)
  }

  private func drain(into block: inout TraceWriter.Block?) {
    while true {
      if block == nil { block = writer.takeFree() }
      guard let current = block else { return }
      let count = ring.take(into: current.rest)
      current.used += count
      if count == 0 {
        if ring.isEmpty || current.used == 0 { return }
        submit(&block)
      }
    }
  }

  /// Puts sums behind the records of the block, as a record of their own.
  private func add(
    _ record: dc_record, _ sums: dc_profile, to block: inout TraceWriter.Block?
  ) {
    if let current = block, !current.append(record, sums) { submit(&block) }
    if block == nil {
      block = writer.waitForFree()
      _ = block?.append(record, sums)
    }
  }

  private func submit(_ block: inout TraceWriter.Block?) {
    guard let current = block, current.used > 0 else { return }
    writer.submit(current)
    block = nil
  }

  private func finish(_ detachMicroseconds: UInt64) {
    let (written, unwritten) = writer.finish()
    let events = profile?.calls ?? written
    let counts = counts.pointee
    let end = TraceMetadata.tail(
      events: events, unwritten: unwritten, counts: counts, detachMicroseconds: detachMicroseconds)
    _ = end.withUnsafeBytes { file.write($0) }
    let lost = TraceMetadata.lostText(unwritten: unwritten, counts: counts)
    let text = "\(events) events in \(file.path)" + (lost.isEmpty ? "" : "; lost: \(lost)")
    notify("STATUS=\(text)")
    report(text)
    if file.failure != 0 {
      report("the trace is not whole: \(file.path): \(errorText(file.failure)): free space there")
    }
  }

  // MARK: - Saying so

  private var attachedText: String {
    var text = "tracing \(probes.attachedCount) functions"
    if let first = probes.notAttached.first {
      text += "; not traced: \(first.function) (\(first.reason))"
      if probes.notAttached.count > 1 { text += " and \(probes.notAttached.count - 1) more" }
    }
    return text
  }

  private func notify(_ text: String) { sd_notify(0, text) }

  // MARK: - The system

  private static func catchSignals() throws(TracerError) -> Int32 {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    sigaddset(&set, SIGTERM)
    signal(SIGPIPE, SIG_IGN)
    guard pthread_sigmask(SIG_BLOCK, &set, nil) == 0 else {
      throw TracerError(.unavailable, "cannot block signals")
    }
    let descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC))
    guard descriptor >= 0 else {
      throw TracerError(.unavailable, "cannot wait for signals: \(errorText(errno))")
    }
    return descriptor
  }

  private static func nodeName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, 255) == 0 else { return "node" }
    let name = buffer.prefix { $0 != 0 && $0 != 0x2e }
    let text = String(decoding: name.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return text.isEmpty || text.contains("/") ? "node" : text
  }

  private static func time(_ clock: clockid_t) -> UInt64 {
    var value = timespec()
    clock_gettime(clock, &value)
    return UInt64(value.tv_sec) * 1_000_000_000 + UInt64(value.tv_nsec)
  }
}
