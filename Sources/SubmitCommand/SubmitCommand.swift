import TraceRequest

/// A command line of datacrumbs_sbatch, datacrumbs_salloc or datacrumbs_srun, taken apart: our own
/// options, the user's comment, and all the rest as it was.
struct SubmitCommand {
  /// One component of a heterogeneous job; most jobs have one.
  struct Component {
    /// Our options given to it.
    var options = RequestOptions()
    /// The user's `--comment`, the last where there are several.
    var comment: String?
    /// All other words.
    var words: [String] = []
  }

  let program: SlurmOptions.Program
  private(set) var components: [Component] = [Component()]
  /// `--datacrumbs-dry-run` was given.
  private(set) var isDryRun = false
  /// The batch script, nil where there is none or it is read from stdin.
  private(set) var script: String?

  /// - Throws: where one of our options is not understood.
  init(program: SlurmOptions.Program, arguments: [String]) throws(RequestError) {
    self.program = program
    let slurm = SlurmOptions(program: program)
    var index = 0
    var inOptions = true
    while index < arguments.count {
      let word = arguments[index]
      index += 1
      if word == ":", inOptions || program == .srun {
        // A component's options, and with srun its command too, end here.
        components.append(Component())
        inOptions = true
      } else if !inOptions {
        add(word)
      } else if word == "--" {
        add(word)
        inOptions = false
        noteScript(arguments, at: index)
      } else if word.utf8.starts(with: "--".utf8) {
        try addLong(word, slurm, arguments, &index)
      } else if word.utf8.first == UInt8(ascii: "-"), word.utf8.count > 1 {
        add(word)
        if endsWithoutArgument(word, slurm), index < arguments.count {
          add(arguments[index])
          index += 1
        }
      } else {
        add(word)
        inOptions = false
        noteScript(arguments, at: index - 1)
      }
    }
  }

  private mutating func add(_ word: String) {
    components[components.count - 1].words.append(word)
  }

  private mutating func noteScript(_ arguments: [String], at index: Int) {
    if program == .sbatch, index < arguments.count { script = arguments[index] }
  }

  /// Whether the last letter of a word like `-vN` takes the next word.
  private func endsWithoutArgument(_ word: String, _ slurm: SlurmOptions) -> Bool {
    let letters = Array(word.utf8.dropFirst())
    guard let first = letters.firstIndex(where: slurm.takesNextWord(short:)) else { return false }
    return first == letters.count - 1
  }

  private mutating func addLong(
    _ word: String, _ slurm: SlurmOptions, _ arguments: [String], _ index: inout Int
  ) throws(RequestError) {
    let parts = word.utf8.dropFirst(2).split(
      separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
    let name = slurm.wholeName(String(decoding: parts[0], as: UTF8.self))
    let attached = parts.count == 2 ? String(decoding: parts[1], as: UTF8.self) : nil

    /// The option's argument, from behind the `=` or from the next word.
    func argument() throws(RequestError) -> String {
      if let attached { return attached }
      guard index < arguments.count else {
        throw RequestError("the option needs an argument", word, "write " + word + "=VALUE")
      }
      index += 1
      return arguments[index - 1]
    }

    let last = components.count - 1
    switch name {
    case "datacrumbs-enable": components[last].options.enable = true
    case "datacrumbs-probe-file": components[last].options.probeFile = try argument()
    case "datacrumbs-dry-run": isDryRun = true
    case _ where name.utf8.starts(with: "datacrumbs".utf8):
      throw RequestError(
        "the option is not known", word,
        "use --datacrumbs-enable, --datacrumbs-probe-file=PATH or --datacrumbs-dry-run")
    case "comment": components[last].comment = try argument()
    default:
      add(word)
      if attached == nil, slurm.takesNextWord(long: name), index < arguments.count {
        add(arguments[index])
        index += 1
      }
    }
  }

  /// The command that srun, sbatch or salloc is run with, with each component's request in its
  /// comment. An option holds for its component and those behind it, as with the plugin.
  ///
  /// - Parameters:
  ///   - request: makes and checks the request of a component's options.
  ///   - defaultComment: the comment of a component that gives none on the command line.
  func words(
    request: (RequestOptions) throws(RequestError) -> TraceRequest?, defaultComment: String?
  ) throws(RequestError) -> [String] {
    var words = [program.rawValue]
    var options = RequestOptions()
    for (index, component) in components.enumerated() {
      if index > 0 { words.append(":") }
      options.enable = options.enable || component.options.enable
      options.probeFile = component.options.probeFile ?? options.probeFile
      if let request = try request(options) {
        words.append(
          "--comment=" + request.comment(mergedInto: component.comment ?? defaultComment))
      } else if let comment = component.comment {
        words.append("--comment=" + comment)
      }
      words += component.words
    }
    return words
  }
}
