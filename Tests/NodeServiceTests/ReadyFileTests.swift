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

  /// A process that ends after so many seconds.
  private func process(seconds: String) throws -> pid_t {
    var pid = pid_t()
    let words: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup(seconds), nil]
    defer { for word in words { free(word) } }
    let result = posix_spawnp(&pid, "sleep", nil, nil, words, environ)
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

  @Test func aFileThatComesIsWaitedForAndAnothersIsNot() async throws {
    let tracer = try process(seconds: "30")
    defer {
      kill(tracer, SIGKILL)
      waitpid(tracer, nil, 0)
    }
    folder.write("datacrumbs-8.ready", "ready\n")
    let path = folder.path
    let maker = Task.detached {
      usleep(200_000)
      close(creat(path + "/datacrumbs-7.ready", 0o644))
    }
    try file.wait(tracer: tracer, until: Deadline(seconds: 10))
    #expect(access(path + "/datacrumbs-7.ready", F_OK) == 0)
    await maker.value
  }

  @Test func aTracerThatEndsOrTakesTooLongIsToldApart() throws {
    let tracer = try process(seconds: "0.1")
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
