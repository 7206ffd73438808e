import CTracerBPF
import Glibc
import TraceRequest

/// A fixed number of blocks that pass between the thread that reads the ring buffer and the
/// one that formats, compresses and writes. When none is free the reader leaves the events in
/// the ring, and the ring drops what it cannot hold: memory is bounded and the job never waits.
final class TraceWriter: @unchecked Sendable {
  /// Raw records, as the rings have them.
  final class Block {
    let memory: UnsafeMutableRawBufferPointer
    var used = 0

    init(size: Int) { memory = .allocate(byteCount: size, alignment: 8) }
    deinit { memory.deallocate() }

    /// Where the next records go.
    var rest: UnsafeMutableRawBufferPointer { .init(rebasing: memory[used...]) }

    /// Adds a record as the ring would have it; false where there is no room.
    func append(_ record: dc_record, _ sums: dc_profile) -> Bool {
      let length = MemoryLayout<dc_record>.size + MemoryLayout<dc_profile>.size
      guard rest.count >= length + 8 else { return false }
      rest.storeBytes(of: Rings.header(length: length), as: UInt64.self)
      rest.storeBytes(of: record, toByteOffset: 8, as: dc_record.self)
      rest.storeBytes(of: sums, toByteOffset: 8 + MemoryLayout<dc_record>.size, as: dc_profile.self)
      used += length + 8
      return true
    }
  }

  /// How the writing gets on.
  struct Progress {
    /// The error number of the last write, 0 where it went well.
    var failure: Int32 = 0
    /// Events that could not be written.
    var unwritten: UInt64 = 0
    /// When the write began that has not come back yet, CLOCK_MONOTONIC in nanoseconds; 0: none.
    var since: UInt64 = 0
  }

  static let blockSize = 256 << 10
  private static let pile = 4

  private let file: TraceFile
  private let formatter: EventFormatter
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private let freed: UnsafeMutablePointer<pthread_cond_t>
  private var free: [Block]
  private var full: [Block] = []
  private var isClosing = false
  private var thread = pthread_t()
  /// Whether blocks pile up or the job needs the CPU: then they are packed faster and less.
  private var isHurried = false
  private var events: UInt64 = 0
  private var unwritten: UInt64 = 0
  private var lastFailure: Int32 = 0
  private var current = Progress()
  /// How many blocks have been dealt with.
  private var done: UInt64 = 0
  private var isEnded = false
  /// Readable once a block is free where none was.
  let freeDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))

  init(file: TraceFile, formatter: EventFormatter, blocks: Int) {
    self.file = file
    self.formatter = formatter
    free = (0..<blocks).map { _ in Block(size: Self.blockSize) }
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
    freed = .allocate(capacity: 1)
    // Waits with a limit, which a clock that is set must not move.
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(freed, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_cond_destroy(freed)
    freed.deallocate()
    pthread_mutex_destroy(mutex)
    close(freeDescriptor)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Begins the file with these lines, and the thread that writes what follows.
  func start(_ head: [UInt8]) throws(TracerError) {
    guard head.withUnsafeBytes({ file.write($0) }) else {
      throw TracerError(
        .unavailable, "cannot write the trace: \(file.path): \(errorText(file.failure))")
    }
    let result = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<TraceWriter>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    guard result == 0 else {
      throw TracerError(.unavailable, "cannot start the writing thread: \(errorText(result))")
    }
  }

  /// An empty block, nil while all of them wait to be written.
  func takeFree() -> Block? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return free.popLast()
  }

  /// An empty block, as soon as there is one.
  func waitForFree() -> Block {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let block = free.popLast() { return block }
      pthread_cond_wait(freed, mutex)
    }
  }

  /// How the writing gets on.
  var progress: Progress {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return current
  }

  /// How many blocks are empty.
  var freeCount: Int {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return free.count
  }

  /// Calls `body`, from a thread of its own, once no block has been written for so many seconds.
  func watch(seconds: Int, _ body: @escaping @Sendable () -> Void) {
    let watch = Watch(writer: self, seconds: seconds, body: body)
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        let watch = Unmanaged<Watch>.fromOpaque(argument).takeRetainedValue()
        watch.writer.wait(seconds: watch.seconds, watch.body)
        return nil
      }, Unmanaged.passRetained(watch).toOpaque())
    if result == 0 { pthread_detach(thread) }
  }

  private final class Watch {
    let writer: TraceWriter
    let seconds: Int
    let body: @Sendable () -> Void

    init(writer: TraceWriter, seconds: Int, body: @escaping @Sendable () -> Void) {
      self.writer = writer
      self.seconds = seconds
      self.body = body
    }
  }

  private func wait(seconds: Int, _ body: () -> Void) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !isEnded {
      let before = done
      var limit = timespec()
      clock_gettime(CLOCK_MONOTONIC, &limit)
      limit.tv_sec += seconds
      while !isEnded, done == before {
        if pthread_cond_timedwait(freed, mutex, &limit) == ETIMEDOUT { break }
      }
      if !isEnded, done == before {
        body()
        return
      }
    }
  }

  /// Hands a block over to be written.
  func submit(_ block: Block) {
    pthread_mutex_lock(mutex)
    full.append(block)
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Waits until all is written. Returns how many events the file has, and how many it lacks
  /// because it could not be written.
  func finish() -> (events: UInt64, unwritten: UInt64) {
    pthread_mutex_lock(mutex)
    isClosing = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
    pthread_join(thread, nil)
    pthread_mutex_lock(mutex)
    isEnded = true
    pthread_cond_broadcast(freed)
    pthread_mutex_unlock(mutex)
    return (events, unwritten)
  }

  private func run() {
    // Of this thread.
    var cpuWait = CPUWait()
    defer { cpuWait.end() }
    while let block = next(&cpuWait) {
      write(block)
      block.used = 0
      pthread_mutex_lock(mutex)
      current.unwritten = unwritten
      current.failure = lastFailure
      current.since = 0
      done += 1
      if free.isEmpty { eventfd_write(freeDescriptor, 1) }
      free.append(block)
      pthread_cond_broadcast(freed)
      pthread_mutex_unlock(mutex)
    }
  }

  private func next(_ cpuWait: inout CPUWait) -> Block? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while full.isEmpty {
      if isClosing { return nil }
      pthread_cond_wait(condition, mutex)
    }
    let isWaiting = cpuWait.isLong()
    isHurried = isWaiting || full.count > Self.pile
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    current.since = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    return full.removeFirst()
  }

  private func write(_ block: Block) {
    var pending: UInt64 = 0
    Rings.forEachRecord(in: UnsafeRawBufferPointer(rebasing: block.memory[..<block.used])) {
      if formatter.append($0) { pending += 1 }
      if !formatter.hasRoom { flush(&pending) }
    }
    flush(&pending)
  }

  private func flush(_ pending: inout UInt64) {
    if file.write(formatter.bytes, isHurried: isHurried) {
      events += pending
      lastFailure = 0
    } else {
      unwritten += pending
      lastFailure = file.failure
    }
    formatter.clear()
    pending = 0
  }
}
