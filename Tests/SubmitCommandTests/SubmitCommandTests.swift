import Testing
import TraceRequest

@testable import SubmitCommand

@Suite("A wrapper takes its own options and lets all else through")
struct SubmitCommandTests {
  /// The command that comes out, where every request is accepted.
  private func words(
    _ program: SlurmOptions.Program, _ line: String, defaultComment: String? = nil
  ) throws(RequestError) -> String {
    let command = try SubmitCommand(
      program: program, arguments: line.split(separator: " ").map(String.init))
    return try command.words(
      request: { options throws(RequestError) in
        try options.request(environment: { _ in nil }, directory: { "/w" })
      }, defaultComment: defaultComment
    ).joined(separator: " ")
  }

  static let on = "--datacrumbs-enable --datacrumbs-probe-file=/p"
  static let comment = #"--comment={"datacrumbs":{"enable":"yes","probe_file":"/p"}}"#

  @Test(
    "without our options the command is the user's, word for word",
    arguments: [
      "", "-N 2 job.sh", "-vN2 --wrap=x", "-c4 -n 8 -J name job.sh -- --comment=x", "-- job.sh",
      "-W job.sh", "--wait job.sh", "--exclusive job.sh --nodes 3", "-n 1 : -n 2 job.sh",
      "--export=A=1,B=2 -o out --time 1:00 job.sh a : b", "- x", "-k -H -O job.sh",
    ])
  func untouched(line: String) throws {
    #expect(try words(.sbatch, line) == (line.isEmpty ? "sbatch" : "sbatch " + line))
  }

  @Test("our options leave, and the request comes as the comment")
  func request() throws {
    #expect(try words(.sbatch, Self.on + " -N 2 job.sh") == "sbatch \(Self.comment) -N 2 job.sh")
    #expect(
      try words(.salloc, "-N 2 --datacrumbs-probe-file /p --datacrumbs-enable true")
        == "salloc \(Self.comment) -N 2 true")
    #expect(try words(.srun, Self.on + " -N2 hostname") == "srun \(Self.comment) -N2 hostname")
  }

  @Test("what stands behind the script is the script's")
  func scriptArguments() throws {
    #expect(
      try words(.sbatch, "job.sh " + Self.on + " --comment=x")
        == "sbatch job.sh " + Self.on + " --comment=x")
    #expect(try words(.sbatch, "-N 2 -- job.sh " + Self.on) == "sbatch -N 2 -- job.sh " + Self.on)
    // A word that an option takes is not the script, whatever it looks like.
    for option in ["-J", "-vJ", "--job-name", "--job-nam", "--license"] {
      #expect(
        try words(.sbatch, "\(option) x \(Self.on) job.sh")
          == "sbatch \(Self.comment) \(option) x job.sh")
    }
    // -W takes a word with srun, and none with sbatch.
    #expect(try words(.srun, "-W 5 \(Self.on) a") == "srun \(Self.comment) -W 5 a")
    #expect(try words(.sbatch, "-W 5 " + Self.on) == "sbatch -W 5 " + Self.on)
  }

  @Test("a comment of the user's is merged, the last and from wherever it comes")
  func comments() throws {
    let merged = Self.comment.dropLast() + #","comment":"mine"}"#
    for given in ["--comment=mine", "--comment mine", "--comment=x --comment=mine", "--comm=mine"] {
      #expect(
        try words(.sbatch, "\(given) \(Self.on) j", defaultComment: "d") == "sbatch \(merged) j")
    }
    #expect(try words(.sbatch, Self.on + " j", defaultComment: "mine") == "sbatch \(merged) j")
    #expect(try words(.sbatch, "--comment mine j") == "sbatch --comment=mine j")
  }

  @Test("every component from the one with the options on has the request")
  func heterogeneous() throws {
    #expect(
      try words(.sbatch, "-n 1 : \(Self.on) -n 2 : -n 3 job.sh")
        == "sbatch -n 1 : \(Self.comment) -n 2 : \(Self.comment) -n 3 job.sh")
    #expect(
      try words(.srun, "\(Self.on) -n 1 a -x : -n 2 b")
        == "srun \(Self.comment) -n 1 a -x : \(Self.comment) -n 2 b")
  }

  @Test("an option of ours that is misspelt or lacks its argument is refused")
  func refused() {
    for line in ["--datacrumbs-enabled j", "--datacrumbs-probe-file", "--datacrumbs j"] {
      #expect(throws: RequestError.self) { try words(.sbatch, line) }
    }
  }

  @Test("the comment of a batch script is found as sbatch finds it")
  func batchScript() {
    #expect(BatchScript.comment(line: " --nodes=2 --comment=a") == "a")
    #expect(BatchScript.comment(line: #" --comment "a b" # --comment=c"#) == "a b")
    #expect(BatchScript.comment(line: #" --comment='{"a":1}' -N2"#) == #"{"a":1}"#)
    #expect(BatchScript.comment(line: #" --comment="a \"b\" c""#) == #"a "b" c"#)
    #expect(BatchScript.comment(line: " --comments=a") == nil)
  }

  @Test("a printed command is what a shell reads back")
  func quoting() {
    #expect("a=b/c".quotedForShell == "a=b/c")
    #expect("".quotedForShell == "''")
    #expect("it's $(x) `y`".quotedForShell == #"'it'\''s $(x) `y`'"#)
  }
}
