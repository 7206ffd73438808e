import Glibc
import Synchronization

/// Takes whole lines of a trace, some here and some there: each worker has its own.
protocol LineConsumer: AnyObject {
  /// - Parameters:
  ///   - text: whole lines.
  ///   - file: which of the trace's files they are of.
  func consume(_ text: UnsafeRawBufferPointer, file: Int) throws(ReportError)
}

/// Reads all files of a trace with a few workers.
///
/// A worker takes a file, and then in turn the next piece of it and that piece's lines. When no
/// file is left it helps with the others: several workers unpack and read pieces of one file side by
/// side. Memory is a few buffers a worker, whatever the trace's size.
final class TraceReader: Sendable {
  /// What is known of a file once it has been read.
  struct FileOutcome: Sendable {
    /// What is wrong with the file, nil where nothing is.
    var damage: String?
    var longLines = 0
  }

  private struct Claims {
    var nextFile = 0
    var failure: ReportError?
  }

  private final class Slot: Sendable {
    struct State: ~Copyable {
      var file: InflatedFile?
      var isDone = false
      var outcome = FileOutcome()
    }
    let state = Mutex(State())
  }

  private let paths: [String]
  private let slots: [Slot]
  private let claims = Mutex(Claims())
  private let progress: Progress?

  init(paths: [String], progress: Progress?) {
    self.paths = paths
    self.progress = progress
    slots = paths.map { _ in Slot() }
  }

  /// Reads everything, each consumer on a thread of its own.
  func read(_ consumers: [any LineConsumer]) throws(ReportError) -> [FileOutcome] {
    Threads.run(
      consumers.map { consumer in
        func run() { work(consumer) }
        return run
      })
    progress?.finish()
    if let failure { throw failure }
    return slots.map { slot in slot.state.withLock { $0.outcome } }
  }

  /// What stopped the reading.
  private var failure: ReportError? { claims.withLock { claims in claims.failure } }

  private func work(_ consumer: any LineConsumer) {
    let buffer = LineBuffer()
    do throws(ReportError) {
      while let file = claim() { try drain(file, buffer, consumer) }
      for file in paths.indices { try drain(file, buffer, consumer) }
    } catch let failure {
      claims.withLock { claims in claims.failure = claims.failure ?? failure }
    }
  }

  private func claim() -> Int? {
    claims.withLock { claims -> Int? in
      guard claims.failure == nil, claims.nextFile < paths.count else { return nil }
      defer { claims.nextFile += 1 }
      return claims.nextFile
    }
  }

  private func drain(
    _ file: Int, _ buffer: LineBuffer, _ consumer: any LineConsumer
  ) throws(ReportError) {
    while try take(file, buffer) {
      if let damage = buffer.unpack() {
        // Others may be reading what stands behind it, which is good; only this piece is missing.
        slots[file].state.withLock { $0.outcome.damage = $0.outcome.damage ?? damage }
        continue
      }
      if buffer.count > 0 { try consumer.consume(buffer.bytes, file: file) }
    }
  }

  private func take(_ file: Int, _ buffer: LineBuffer) throws(ReportError) -> Bool {
    guard failure == nil else { return false }
    // Mutex takes no typed error of a closure that also changes what it guards.
    let result: Result<Bool, ReportError> = slots[file].state.withLock { state in
      if state.isDone { return .success(false) }
      do throws(ReportError) {
        if state.file == nil { state.file = try InflatedFile(paths[file]) }
        guard let inflated = state.file else { return .success(false) }
        let before = inflated.bytesRead
        let hasLines = inflated.read(into: buffer)
        progress?.add(inflated.bytesRead - before)
        if !hasLines {
          state.outcome.damage = state.outcome.damage ?? inflated.damage
          state.outcome.longLines = inflated.longLines
          state.isDone = true
          state.file = nil
        }
        return .success(hasLines)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}

/// Threads that run side by side until all have ended.
enum Threads {
  /// How many are worth having.
  static var count: Int { min(16, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  private final class Body {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
  }

  /// Runs the last one here and each other one on a thread.
  static func run(_ bodies: [() -> Void]) {
    var threads: [pthread_t] = []
    for body in bodies.dropLast() {
      var thread = pthread_t()
      let argument = Unmanaged.passRetained(Body(body))
      let result = pthread_create(
        &thread, nil,
        { argument in
          guard let argument else { return nil }
          Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
          return nil
        }, argument.toOpaque())
      if result == 0 {
        threads.append(thread)
      } else {
        // No thread to be had: its work is done by those that are.
        argument.release()
      }
    }
    bodies.last?()
    for thread in threads { pthread_join(thread, nil) }
  }
}
