import Glibc
import Testing
import TraceRequest

@testable import NodeService

@Suite struct ReadyFileTests {
  private let folder: TemporaryFolder
  private let file: ReadyFile

  init() throws {
    folder = try TemporaryFolder()
    file = ReadyFile(job: try #require(RunID("7")), folder: folder.path)
  }

  /// A process of its own: a task of Swift's may wait for the other tests to end.
  private func process(_ words: String...) throws -> pid_t {
    var pid = pid_t()
    let arguments = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    let result = posix_spawnp(&pid, try #require(words.first), nil, nil, arguments, environ)
    try #require(result == 0)
    return pid
  }

  private func failure(_ body: () throws(ServiceError) -> Void) -> String? {
    do throws(ServiceError) {
      try body()
      return nil
    } catch {
      return error.message
    }
  }

  @Test func aFileThatIsThereIsEnough() throws {
    folder.write("datacrumbs-7.ready", "ready\n")
    try file.wait(tracer: nil, until: Deadline(seconds: 0))
  }

  @Test func aFileThatComesIsWaitedForAndAnothersIsNot() throws {
    let tracer = try process("sleep", "60")
    defer {
      kill(tracer, SIGKILL)
      waitpid(tracer, nil, 0)
    }
    folder.write("datacrumbs-8.ready", "ready\n")
    let path = folder.path
    let maker = try process("sh", "-c", "sleep 0.2; : >'\(path)/datacrumbs-7.ready'")
    defer { waitpid(maker, nil, 0) }
    try file.wait(tracer: tracer, until: Deadline(seconds: 30))
    #expect(access(path + "/datacrumbs-7.ready", F_OK) == 0)
  }

  @Test func aTracerThatEndsOrTakesTooLongIsToldApart() throws {
    let tracer = try process("sleep", "0.1")
    defer { waitpid(tracer, nil, 0) }
    #expect(
      failure { () throws(ServiceError) in
        try file.wait(tracer: tracer, until: Deadline(seconds: 10))
      } == "the tracer has ended before it was ready")
    #expect(
      failure { () throws(ServiceError) in
        try file.wait(tracer: nil, until: Deadline(seconds: 0))
      } == "the tracer has not said that it is ready: \(folder.path)/datacrumbs-7.ready")
  }
}
