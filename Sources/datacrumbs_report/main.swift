import ArgumentParser
import Glibc
import TraceRequest
import TraceReport

/// Reads a job's traces back.
struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "datacrumbs_report",
    abstract: "Reads the traces of a job: what it called, how often, how long.",
    version: "datacrumbs_report 0.1.0",
    subcommands: [SummaryCommand.self, MergeCommand.self, PageCommand.self])
}

/// What every subcommand takes.
struct TraceOptions: ParsableArguments {
  @Argument(
    help: "The folder of the trace, one of its files, or a job id (datacrumbs-JOBID here).",
    completion: .directory)
  var trace: String

  @Flag(name: .long, help: "Show no progress bar.")
  var noProgress = false

  var progress: Progress? { noProgress ? nil : Progress() }
}

struct SummaryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary",
    abstract: "Prints calls, bytes, times and latencies by function, file, node and process.")

  @OptionGroup var options: TraceOptions

  @Flag(name: .long, help: "Print JSON, for programs.")
  var json = false

  @Option(name: .long, help: "How many files, processes and slow calls to list, 1 to 1000.")
  var top = 10

  func validate() throws { try checkTop(top) }

  func run() throws {
    try reporting {
      let folder = try TraceFolder(options.trace)
      let summary = try Summary(of: folder, limit: top, progress: options.progress)
      let isColored = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
      try Output.write(json ? summary.json : Array(summary.text(isColored: isColored).utf8))
    }
  }
}

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Makes one file of all nodes' files, on one clock, for Perfetto and DFAnalyzer.")

  @Argument(
    help: "The file to make, OUT.pfw.gz, outside of the trace's folder.",
    completion: .file(extensions: ["pfw.gz"]))
  var out: String

  @OptionGroup var options: TraceOptions

  func run() throws {
    try reporting {
      let merge = try Merge(TraceFolder(options.trace), into: out, progress: options.progress)
      for warning in merge.warnings {
        Output.complain("datacrumbs_report: \(warning.subject): \(warning.text)")
      }
    }
  }
}

struct PageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "html",
    abstract: "Makes one page with pictures and tables, which needs no network.")

  @Argument(
    help: "The page to make, OUT.html; - for stdout.", completion: .file(extensions: ["html"]))
  var out: String

  @OptionGroup var options: TraceOptions

  @Option(name: .long, help: "How many files, processes and slow calls to list, 1 to 1000.")
  var top = 50

  func validate() throws { try checkTop(top) }

  func run() throws {
    try reporting {
      let folder = try TraceFolder(options.trace)
      let page = try Summary(of: folder, limit: top, progress: options.progress).html
      if out == "-" { try Output.write(page) } else { try Output.write(page, to: out) }
    }
  }
}

/// Refuses a number of entries that makes no sense.
func checkTop(_ top: Int) throws {
  guard (1...1000).contains(top) else {
    throw ValidationError("--top: \(top): give a number from 1 to 1000")
  }
}

/// Prints what went wrong, in the one form that all programs have, and leaves with its code.
func reporting(_ body: () throws -> Void) throws {
  do {
    try body()
  } catch let error as ReportError {
    Output.complain("datacrumbs_report: \(error.message)")
    throw ExitCode(error.exitStatus.rawValue)
  }
}

Report.main()
