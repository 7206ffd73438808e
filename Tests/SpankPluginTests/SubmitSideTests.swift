import Foundation
import Testing
import TraceRequest

@testable import SpankPlugin

@Suite("A submission is checked and sent along, or refused")
struct SubmitSideTests {
  let slurm = StandInSlurm()
  let folder: Folder
  let probeFile: String

  init() throws {
    folder = try Folder()
    probeFile = try folder.file("p.json.gz", "signed")
    try folder.program("datacrumbs_probes")
  }

  /// nil where it was accepted, else the reason.
  private func submit(
    enable: Bool = true, probeFile: String?, isSrun: Bool = false, verifyLimit: Int = 30
  ) -> String? {
    var options = RequestOptions()
    options.enable = enable
    options.probeFile = probeFile
    var settings = PluginSettings(arguments: []) { _ in }
    settings.programs = folder.path
    settings.verifyLimit = verifyLimit
    do throws(RequestError) {
      try SubmitSide(slurm: slurm, isSrun: isSrun, options: options, settings: { settings })
        .submit()
      return nil
    } catch {
      return error.text
    }
  }

  @Test("an accepted request is verified and travels as comment and as job control variable")
  func accepted() throws {
    #expect(submit(probeFile: probeFile) == nil)
    #expect(folder.arguments == ["verify", probeFile])
    #expect(
      slurm.options["comment"]
        == "{\"datacrumbs\":{\"enable\":\"yes\",\"probe_file\":\"\(probeFile)\"}}")
    #expect(slurm.jobControl["DATACRUMBS_PROBE_FILE"] == probeFile)
  }

  @Test("a job that does not ask changes nothing and runs nothing")
  func notAsked() {
    #expect(submit(enable: false, probeFile: nil) == nil)
    #expect(slurm.options.isEmpty && slurm.jobControl.isEmpty && folder.arguments == nil)
  }

  @Test("a refusal sends nothing along")
  func refusalSendsNothing() {
    #expect(submit(probeFile: folder.path + "/absent") != nil)
    #expect(slurm.options.isEmpty && slurm.jobControl.isEmpty)
  }

  @Test("an absent, irregular or unreadable probe file is refused by name")
  func files() throws {
    let absent = folder.path + "/absent"
    #expect(
      submit(probeFile: absent)
        == "cannot read the probe file (No such file or directory): \(absent): "
        + "give the path of a probe file that datacrumbs_probes built")
    let fifo = folder.path + "/fifo"
    #expect(mkfifo(fifo, 0o600) == 0)
    for irregular in [fifo, folder.path, "/dev/null"] {
      #expect(
        submit(probeFile: irregular)?.hasPrefix(
          "the probe file is not a regular file: \(irregular): ") == true)
    }
  }

  @Test("a document that does not verify is refused with the verifier's reason")
  func verification() throws {
    try folder.program(
      "datacrumbs_probes", then: "echo 'datacrumbs_probes: expired: p' >&2; echo more >&2; exit 65")
    #expect(
      submit(probeFile: probeFile)
        == "the probe file is refused: expired: p: nothing was submitted")
  }

  @Test("a verifier that is missing, silent or hangs refuses too")
  func brokenVerifier() throws {
    try folder.program("datacrumbs_probes", then: "kill -9 $$")
    #expect(submit(probeFile: probeFile)?.contains("exit code 137") == true)
    try folder.program("datacrumbs_probes", then: "exec sleep 60")
    let hung = submit(probeFile: probeFile, verifyLimit: 1)
    #expect(hung?.contains("longer than 1 s") == true, "\(hung ?? "accepted")")
    try FileManager.default.removeItem(atPath: folder.path + "/datacrumbs_probes")
    #expect(submit(probeFile: probeFile)?.contains("No such file or directory") == true)
  }

  @Test("a talkative verifier does not hang the submission")
  func talkativeVerifier() throws {
    try folder.program(
      "datacrumbs_probes", then: "head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 65")
    #expect(submit(probeFile: probeFile)?.utf8.count ?? 0 < 1200)
  }

  @Test("a release that takes neither comment nor job control variable refuses")
  func nothingTaken() {
    slurm.takesJobControl = false
    #expect(submit(probeFile: probeFile) == nil)
    slurm.takesOptions = false
    #expect(submit(probeFile: probeFile)?.contains("datacrumbs_sbatch") == true)
  }

  @Test("a step of a traced job leaves the request that it inherited alone")
  func inheritedByStep() {
    slurm.variables = [
      "SLURM_JOB_ID": "7", "SLURM_SPANK_DATACRUMBS_PROBE_FILE": probeFile,
    ]
    #expect(submit(probeFile: probeFile, isSrun: true) == nil)
    #expect(submit(enable: false, probeFile: nil, isSrun: true) == nil)
    #expect(slurm.options.isEmpty && slurm.jobControl.isEmpty && folder.arguments == nil)
  }

  @Test("a step cannot ask for what its job did not")
  func newInStep() {
    slurm.variables = ["SLURM_JOB_ID": "7"]
    #expect(submit(probeFile: probeFile, isSrun: true)?.contains("to sbatch or salloc") == true)
    slurm.variables = [
      "SLURM_JOB_ID": "7", "SLURM_SPANK_DATACRUMBS_PROBE_FILE": "/other",
    ]
    #expect(submit(probeFile: probeFile, isSrun: true)?.contains("to sbatch or salloc") == true)
    slurm.variables = [:]
    slurm.options = ["jobid": "7"]
    #expect(submit(probeFile: probeFile, isSrun: true)?.contains("to sbatch or salloc") == true)
  }

  @Test("the environment's default means jobs, not the steps inside of them")
  func environmentInStep() {
    slurm.variables = ["SLURM_JOB_ID": "7", "DATACRUMBS_ENABLE": "1"]
    #expect(submit(enable: false, probeFile: nil, isSrun: true) == nil)
  }

  @Test("srun outside of a job, and sbatch inside of one, make a job")
  func newJobs() {
    slurm.options = ["jobid": "unset"]
    #expect(submit(probeFile: probeFile, isSrun: true) == nil)
    slurm.variables = ["SLURM_JOB_ID": "7"]
    #expect(submit(probeFile: probeFile) == nil)
  }
}
