import NodeService
import TraceRequest

/// The words behind a command: `--name value`, `--name=value`, `--flag`.
///
/// Read by hand: swift-argument-parser brings Foundation along, which would
/// make each prolog and epilog of a traced job 5 ms longer.
struct Arguments {
  private var values: [String: String] = [:]
  private var flags: Set<String> = []
  private(set) var operands: [String] = []

  /// - Parameters:
  ///   - options: the names that take a value.
  ///   - flags: those that take none.
  ///   - operands: how many other words there may be.
  init(
    _ words: some Collection<String>, options: Set<String>, flags known: Set<String> = [],
    operands limit: Int = 0
  ) throws(ServiceError) {
    var rest = words.makeIterator()
    while let word = rest.next() {
      guard word.hasPrefix("--") else {
        operands.append(word)
        if operands.count > limit { throw Self.usage("unexpected argument: \(word)") }
        continue
      }
      let parts = word.dropFirst(2).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      if known.contains(name), parts.count == 1 {
        flags.insert(name)
      } else if options.contains(name) {
        guard let value = parts.count > 1 ? String(parts[1]) : rest.next() else {
          throw Self.usage("no value: --\(name)")
        }
        guard values.updateValue(value, forKey: name) == nil else {
          throw Self.usage("given twice: --\(name)")
        }
      } else {
        throw Self.usage("unknown option: \(word)")
      }
    }
  }

  subscript(name: String) -> String? { values[name] }

  func has(_ flag: String) -> Bool { flags.contains(flag) }

  /// The value of an option that must be there.
  func required(_ name: String) throws(ServiceError) -> String {
    guard let value = values[name] else { throw Self.usage("missing option: --\(name)") }
    return value
  }

  /// The value of `--job`.
  func job() throws(ServiceError) -> RunID {
    let text = try required("job")
    guard let job = RunID(text) else { throw Self.usage("not a job id: \(text)") }
    return job
  }

  /// The value of `--scheduler`: Slurm's where there is none, nil for NONE.
  func scheduler() throws(ServiceError) -> ScheduledJob.Scheduler? {
    let text = (values["scheduler"] ?? "SLURM").uppercased()
    if text == "NONE" { return nil }
    guard let scheduler = ScheduledJob.Scheduler(rawValue: text) else {
      throw Self.usage("unknown scheduler: \(text): SLURM, FLUX and NONE are known")
    }
    return scheduler
  }

  static func usage(_ message: String) -> ServiceError {
    ServiceError(message + ": see datacrumbs_service --help", exitStatus: .usage)
  }
}
