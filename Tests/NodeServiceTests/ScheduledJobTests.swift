import Glibc
import Testing
import TraceRequest

@testable import NodeService

@Suite struct ScheduledJobTests {
  private func job(
    _ variables: [String: String], scheduler: String? = nil
  ) throws(ServiceError) -> ScheduledJob {
    try ScheduledJob(scheduler: scheduler) { variables[$0] }
  }

  private func message(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch {
      return (error as? ServiceError)?.message
    }
  }

  /// The forms of one id as `flux job id --to=FORM` prints them (RFC 19's example).
  @Test(arguments: [
    "6731191091817518", "0x17e9fb8df16c2e", "0017.e9fb.8df1.6c2e", "job.0017.e9fb.8df1.6c2e",
    "ƒuZZybuNNy", "fuZZybuNNy",
  ])
  func readsEveryFormOfAFluxJobID(text: String) throws {
    #expect(FluxJobID(text)?.number == 6_731_191_091_817_518)
    let job = try job(["FLUX_JOB_ID": text, "FLUX_JOB_USERID": "1001"])
    #expect(job.id.description == "6731191091817518")
    #expect(job.uid == 1_001)
  }

  @Test(arguments: [
    "", "f", "ƒ", "fO0lI", "-1", "+1", "0x", "0x+1", "1.2", "0017.e9fb.8df1", "0017.e9fb.8df1.6c2g",
    "18446744073709551616", "ƒzzzzzzzzzzzzzzzzzz", "7; reboot",
  ])
  func takesNothingElseForAFluxJobID(text: String) {
    #expect(FluxJobID(text) == nil)
  }

  @Test func readsSlurmsPrologEnvironment() throws {
    let job = try job([
      "SLURM_JOB_ID": "15", "SLURM_JOB_UID": "1001", "SLURM_JOB_WORK_DIR": "/home/alice",
      "SLURM_JOB_COMMENT": #"{"datacrumbs":{"enable":"yes","probe_file":"/p.json.gz"}}"#,
    ])
    #expect(job.id.description == "15")
    #expect(job.workDirectory == "/home/alice")
    #expect(try job.request(limit: 1)?.probeFile == "/p.json.gz")
  }

  @Test func aJobThatDidNotAskHasNoRequest() throws {
    let plain = try job(["SLURM_JOB_ID": "15", "SLURM_JOB_UID": "1001"])
    #expect(try plain.request(limit: 1) == nil)
  }

  @Test(arguments: ["probes", "composite"])
  func theOldKeysAreRefusedByName(key: String) throws {
    let request = #"{"datacrumbs":{"enable":"yes","\#(key)":"x"}}"#
    let slurm = try job([
      "SLURM_JOB_ID": "15", "SLURM_JOB_UID": "1001", "SLURM_JOB_COMMENT": request,
    ])
    #expect(message { _ = try slurm.request(limit: 1) }?.contains("\"\(key)\"") == true)
    let spec = #"{"attributes":{"system":\#(request)}}"#
    #expect(throws: RequestError.self) { try TraceRequest(jobspec: Array(spec.utf8)) }
  }

  @Test func refusesOtherSchedulersByName() {
    #expect(
      message { _ = try job([:], scheduler: "PBS") }
        == "unknown scheduler: PBS: SLURM and FLUX are known")
    #expect(message { _ = try job([:]) }?.contains("SLURM_JOB_ID nor FLUX_JOB_ID") == true)
    #expect(
      message { _ = try job(["SLURM_JOB_ID": "x"]) }?.contains("SLURM_JOB_ID is \"x\"") == true)
    #expect(
      message { _ = try job(["SLURM_JOB_ID": "1"]) }?.contains("SLURM_JOB_UID is not set") == true)
  }

  @Test func readsAFluxJobspecThroughFlux() throws {
    let folder = try TemporaryFolder()
    folder.write(
      "flux",
      """
      #!/bin/sh
      [ "$*" = "job info 6731191091817518 jobspec" ] || exit 1
      echo '{"version":1,"attributes":{"system":{"datacrumbs":{"enable":"yes","probe_file":"/p"}}}}'
      """, mode: 0o755)
    folder.write("slow", "#!/bin/sh\nexec sleep 60\n", mode: 0o755)
    var variables = [
      "FLUX_JOB_ID": "ƒuZZybuNNy", "FLUX_JOB_USERID": "1001",
      "DATACRUMBS_FLUX": folder.path + "/flux",
    ]
    #expect(try job(variables).request(limit: 10)?.probeFile == "/p")
    variables["FLUX_JOB_ID"] = "1"
    #expect(message { _ = try job(variables).request(limit: 10) }?.contains("it failed") == true)
    variables["DATACRUMBS_FLUX"] = folder.path + "/slow"
    #expect(message { _ = try job(variables).request(limit: 1) }?.contains("in time") == true)
  }

  @Test func aJobspecWithoutARequestAsksForNothing() throws {
    let spec = Array(#"{"attributes":{"system":{"duration":0}}}"#.utf8)
    #expect(try TraceRequest(jobspec: spec) == nil)
  }
}
