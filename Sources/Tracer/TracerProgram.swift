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
  public var marker: String?
  /// The cgroup whose processes are the job's too: a name in its path, or the path.
  public var cgroup: String?
  /// Where the trace goes.
  public var traceDirectory: String
  /// MiB that the tracer may use, as text; nil: 128.
  public var memoryLimit: String?
  /// Where it writes how the tracing goes; nil: nowhere.
  public var stateFile: String?

  /// All that the command line and the environment say.
  public init(
    probeFile: String, runID: String, user: String, marker: String?, cgroup: String? = nil,
    traceDirectory: String, memoryLimit: String? = nil, stateFile: String? = nil
  ) {
    self.probeFile = probeFile
    self.runID = runID
    self.user = user
    self.marker = marker
    self.cgroup = cgroup
    self.traceDirectory = traceDirectory
    self.memoryLimit = memoryLimit
    self.stateFile = stateFile
  }
}

/// The tracer from start to end: load, attach, give root up, record until a signal.
public struct TracerProgram {
  /// The ring is looked at this often at least, and what was read is written then.
  private static let flushMilliseconds: Int32 = 500
  /// A disk that takes nothing for this long at the end, in seconds, is waited for no more.
  private static let lastPatience = 10
  /// Blocks that the sums of one interval may need.
  private static let profileBlocks = 32

  private let request: TracerRequest
  private let signals: Int32
  private let probes: KernelProbes
  private let file: TraceFile
  private let writer: TraceWriter
  private let ring: Rings
  private let counts: UnsafePointer<dc_counts>
  private let waiting: UnsafeMutablePointer<UInt32>
  private let profile: ProfileReader?
  private let state: StateFile

  /// Runs the tracer until SIGINT or SIGTERM.
  public static func run(_ request: TracerRequest) throws(TracerError) {
    try TracerProgram(request).record()
  }

  private init(_ request: TracerRequest) throws(TracerError) {
    guard let job = UInt64(request.runID) else {
      throw TracerError(
        .usage, "the run id is no job number: \(request.runID): give a decimal number")
    }
    self.request = request
    signals = try Self.catchSignals()
    let account = try Account(named: request.user)
    let document = try ProbeFile.read(request.probeFile)
    let groups = document.categories
    let options = try TraceOptions(document)
    let memory = try MemoryPlan(setting: request.memoryLimit)
    var cgroup: CgroupSelector?
    if let text = request.cgroup { cgroup = try CgroupSelector(text) }
    state = try StateFile(path: request.stateFile)
    probes = try KernelProbes(
      groups,
      KernelSettings(
        job: job, user: account.uid, ringSize: memory.ringSize, isProfile: options.isProfile,
        inclusionPaths: options.inclusionPaths, cgroup: cgroup))
    let attaching = Self.time(CLOCK_MONOTONIC)
    try probes.attach(groups, marker: request.marker, cgroup: cgroup)
    let attached = Self.time(CLOCK_MONOTONIC)
    ring = try probes.rings()
    counts = try probes.countsPointer()
    waiting = try probes.waitingFlag()

    try account.become()
    let node = Self.nodeName()
    file = try TraceFile(directory: request.traceDirectory, node: node)
    let start = Self.time(CLOCK_MONOTONIC)
    let formatter = EventFormatter(
      syscalls: probes.syscalls, functions: probes.functions, start: start, node: node,
      unit: options.timeUnit, capacity: 8 * TraceWriter.blockSize)
    profile =
      options.isProfile
      ? ProfileReader(
        try probes.profileMemory(), milliseconds: options.profileMilliseconds, now: start) : nil
    writer = TraceWriter(file: file, formatter: formatter, blocks: memory.blocks)
    try writer.start(
      TraceMetadata.head(
        node: node, job: request.runID, user: request.user, start: start,
        startRealtime: Self.time(CLOCK_REALTIME), functions: probes.attachedCount,
        unit: options.timeUnit, hooks: probes.hooks,
        attachMicroseconds: (attached - attaching) / 1000,
        notAttached: probes.notAttached))
  }

  private func record() throws(TracerError) {
    var health = TraceHealth()
    var slowWriter: UInt64 = 0
    tell(health)
    sd_notify(0, "READY=1")
    if !probes.notAttached.isEmpty { report(attachedText) }

    var block: TraceWriter.Block?
    var isStopping = false
    while !isStopping {
      let before = counts.pointee.lost_ring_full
      drain(into: &block)
      // While every block waits to be packed and written, there is nothing that a wake-up could do.
      let isStalled = block == nil && !ring.isEmpty
      datacrumbs_store_full(waiting, isStalled ? 0 : 1)
      var events = [
        pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
        pollfd(
          fd: isStalled ? writer.freeDescriptor : probes.doorbellDescriptor, events: Int16(POLLIN),
          revents: 0),
      ]
      let limit = profile?.milliseconds(from: Self.time(CLOCK_MONOTONIC)) ?? .max
      let count = poll(&events, 2, min(limit, Self.flushMilliseconds))
      datacrumbs_store_full(waiting, 0)
      ring.silence()
      if isStalled {
        var number: eventfd_t = 0
        eventfd_read(writer.freeDescriptor, &number)
        slowWriter += counts.pointee.lost_ring_full - before
      }
      // Sums wait in the kernel as long as there is no room for them.
      if profile == nil || writer.freeCount >= Self.profileBlocks {
        profile?.collect(now: Self.time(CLOCK_MONOTONIC)) { add($0, $1, to: &block) }
      }
      if count == 0 { submit(&block) }
      if events[0].revents != 0 { isStopping = true }
      if health.update(
        writer.progress, counts: counts.pointee, slowWriter: slowWriter,
        now: Self.time(CLOCK_MONOTONIC))
      {
        tell(health)
      }
    }
    sd_notify(0, "STOPPING=1")
    Self.tell(status: "writing what is left")
    let path = file.path
    writer.watch(seconds: Self.lastPatience) {
      let text =
        "the trace is not whole: \(path): the disk has taken nothing for \(Self.lastPatience) s"
      Self.tell(status: text)
      report(text)
      _exit(ExitStatus.unavailable.rawValue)
    }
    let detaching = Self.time(CLOCK_MONOTONIC)
    probes.detach()
    let detachMicroseconds = (Self.time(CLOCK_MONOTONIC) - detaching) / 1000
    probes.reportInFlight()
    while !ring.isEmpty {
      drain(into: &block)
      if block == nil { block = writer.waitForFree() }
    }
    profile?.finish(now: Self.time(CLOCK_MONOTONIC)) { add($0, $1, to: &block) }
    submit(&block)
    finish(slowWriter, detachMicroseconds)
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

  private func finish(_ slowWriter: UInt64, _ detachMicroseconds: UInt64) {
    let (written, unwritten) = writer.finish()
    let events = profile?.calls ?? written
    let counts = counts.pointee
    let end = TraceMetadata.tail(
      events: events, unwritten: unwritten, slowWriter: slowWriter, counts: counts,
      detachMicroseconds: detachMicroseconds)
    _ = end.withUnsafeBytes { file.write($0) }
    let lost = TraceMetadata.lostText(
      unwritten: unwritten, slowWriter: slowWriter, counts: counts)
    let text = "\(events) events in \(file.path)" + (lost.isEmpty ? "" : "; lost: \(lost)")
    Self.tell(status: text)
    report(text)
    if file.failure != 0 {
      report("the trace is not whole: \(file.path): \(errorText(file.failure)): free space there")
    }
  }

  // MARK: - Saying so

  /// Tells how the tracing goes: systemd, and those who read the job's status.
  private func tell(_ health: TraceHealth) {
    let trouble = health.trouble(path: file.path)
    let text = trouble ?? attachedText + health.lostText
    Self.tell(status: text)
    if let trouble { report(trouble) }
    state.write(
      .object([
        .init("state", .string(trouble == nil ? "tracing" : "degraded")),
        .init("reason", .string(text.onOneLine)),
        .init(
          "counts",
          .object([
            .init("functions", .number(String(probes.attachedCount))),
            .init(
              "lost",
              .object(health.lost.map { .init($0.name, .number(String($0.count))) })),
          ])),
        .init("not_attached", TraceMetadata.array(probes.notAttached.prefix(Self.listed))),
      ]))
  }

  /// How many of the functions that are not traced the state lists; the trace has all of them.
  private static let listed = 64

  private var attachedText: String {
    var text = "tracing \(probes.attachedCount) functions"
    if let first = probes.notAttached.first {
      text += "; not traced: \(first.function) (\(first.reason))"
      if probes.notAttached.count > 1 { text += " and \(probes.notAttached.count - 1) more" }
    }
    return text
  }

  /// Tells systemd. A line of the text would be a message of its own; paths and names of functions
  /// are what a user has written.
  private static func tell(status text: String) { sd_notify(0, "STATUS=" + text.onOneLine) }

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
