import Testing

@testable import NodeService

@Suite struct ConfigurationTests {
  private func message(_ text: String) -> String? {
    do throws(ServiceError) {
      _ = try Configuration(text: text, path: "c.conf")
      return nil
    } catch {
      return error.message
    }
  }

  @Test func readsEveryKey() throws {
    let configuration = try Configuration(
      text: """
        on_failure: fail_job
        trace_dir: /scratch/%u/%j-%h
        log_dir: /srv/log
        cluster: alpha
        limits:
          read: 1
          start: 2
          stop: 3
        """, path: "c.conf")
    #expect(configuration.onFailure == .failJob)
    #expect(configuration.traceDirectory.template == "/scratch/%u/%j-%h")
    #expect(configuration.logDirectory == "/srv/log")
    #expect(configuration.cluster == "alpha")
    #expect(configuration.readLimit == 1)
    #expect(configuration.startLimit == 2)
    #expect(configuration.stopLimit == 3)
  }

  @Test func hasDefaultsWhereThereIsNoFile() throws {
    let configuration = try Configuration(path: "/nonexistent/datacrumbs.conf")
    #expect(configuration.onFailure == .continue)
    #expect(configuration.traceDirectory.template == "%w/datacrumbs-%j")
    #expect(configuration.startLimit == 30)
  }

  @Test(arguments: ["", "# only\n  # comments\n", "---\n", "limits:\n"])
  func takesAnEmptyFileAsDefaults(text: String) throws {
    let configuration = try Configuration(text: text, path: "c.conf")
    #expect(configuration.readLimit == 10)
  }

  @Test(arguments: [
    ("on_failure: explode", "c.conf:1: on_failure: explode: write continue or fail_job"),
    ("\nlimit: 3", "c.conf:2: limit: unknown key"),
    ("limits:\n  start: soon", "c.conf:2: limits.start: soon: write whole seconds from 1 to 60"),
    ("limits:\n  start: 0", "limits.start: 0"),
    ("limits:\n  stop: 61", "limits.stop: 61"),
    ("limits:\n  wait: 1", "c.conf:2: limits.wait: unknown key"),
    ("trace_dir: \"%q\"", "c.conf:1: trace_dir: %q"),
    ("trace_dir: relative/%j", "trace_dir: relative/%j"),
    ("trace_dir: /x%", "trace_dir: /x%"),
    ("log_dir: here", "log_dir: here"),
    ("on_failure: [a]", "on_failure: no text"),
    ("- a", "write key: value lines"),
    ("a: b: c", "not YAML: c.conf"),
  ])
  func namesKeyAndLineOfAMistake(text: String, expected: String) throws {
    let told = try #require(message(text))
    #expect(told.contains(expected))
  }

  @Test func expandsTheTraceDirectory() throws {
    let job = try #require(RunID("7"))
    let directory = try #require(TraceDirectory("%w/100%%/%j-%u@%h"))
    #expect(
      directory.path(workDirectory: "/home/alice/%j", job: job, user: "alice", node: "c1")
        == "/home/alice/%j/100%/7-alice@c1")
  }

  @Test(arguments: ["", "a b", "7/..", "7;reboot", "%i", "ü", String(repeating: "1", count: 65)])
  func takesNoRunIDThatIsNoPlainName(text: String) {
    #expect(RunID(text) == nil)
  }
}
