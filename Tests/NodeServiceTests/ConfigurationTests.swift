import Testing
import Yams

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
        memory_limit: 64
        limits:
          read: 1
          start: 2
          stop: 3
        """, path: "c.conf")
    #expect(configuration.onFailure == .failJob)
    #expect(configuration.traceDirectory.template == "/scratch/%u/%j-%h")
    #expect(configuration.logDirectory == "/srv/log")
    #expect(configuration.cluster == "alpha")
    #expect(configuration.memoryLimit == 64)
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
    ("\nlimit: 3", "c.conf:2: limit: 3: unknown key"),
    ("limits:\n  start: soon", "c.conf:2: limits.start: soon: write whole seconds from 1 to 60"),
    ("memory_limit: 63", "c.conf:1: memory_limit: 63: write whole MiB from 64 to 448"),
    ("memory_limit: 449", "memory_limit: 449: write whole MiB from 64 to 448"),
    ("memory_limit: 128M", "memory_limit: 128M"),
    ("limits:\n  start: 0", "limits.start: 0"),
    ("limits:\n  stop: 61", "limits.stop: 61"),
    ("limits:\n  wait: 1", "c.conf:2: limits.wait: 1: unknown key"),
    ("limits:\n  stop: 5\n  stop: 6", "c.conf:3: limits.stop: given twice"),
    ("limits:\n  stop: 5\n   read: 6", "c.conf:3: indented"),
    (" limits: 5", "c.conf:1: indented"),
    ("limits:\n\tstop: 5", "c.conf:2: a tab"),
    ("trace_dir: \"%q\"", "c.conf:1: trace_dir: %q"),
    ("trace_dir: %w", "c.conf:1: put this in single quotes: %w"),
    ("trace_dir: relative/%j", "trace_dir: relative/%j"),
    ("trace_dir: /x%", "trace_dir: /x%"),
    ("trace_dir: \"/a\\\\b\"", "a backslash in double quotes"),
    ("trace_dir: '/a", "no closing quote"),
    ("trace_dir: '/a' b", "text behind the closing quote: b"),
    ("log_dir: here", "log_dir: here"),
    ("on_failure: [a]", "put this in single quotes: [a]"),
    ("on_failure:", "on_failure: no value"),
    ("- a", "c.conf:1: not a `key: value` line: - a"),
    ("log_dir:/x", "not a `key: value` line"),
    ("log_dir: a: b", "put this in single quotes"),
  ])
  func namesKeyAndLineOfAMistake(text: String, expected: String) throws {
    let told = try #require(message(text))
    #expect(told.contains(expected))
  }

  @Test(arguments: [
    "a: b", "a: /x/y # comment", "a: b#c", "a: 'x: y'", "a: \"%w/%j\"  # comment", "a: ''",
    "a: 10", "---\na: b\r\nb: c", "# x\n\na: b c d", "s:\n  a: 1\n  b: '#'\nc: x",
  ])
  func readsWhatYAMLReads(text: String) throws {
    var expected: [String: String] = [:]
    for (key, value) in try #require(try Yams.compose(yaml: text)?.mapping) {
      let name = try #require(key.scalar?.string)
      if let mapping = value.mapping {
        expected[name] = ""
        for (inner, value) in mapping {
          expected[name + "." + (inner.scalar?.string ?? "?")] = value.scalar?.string
        }
      } else {
        expected[name] = value.scalar?.string
      }
    }
    let entries = try SettingsText(text).entries
    #expect(Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) }) == expected)
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
