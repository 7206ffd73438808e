import Testing

@testable import SpankPlugin

@Suite("Prolog and epilog hand a request to the node service")
struct NodeSideTests {
  let slurm = StandInSlurm()
  let folder: Folder

  init() throws {
    folder = try Folder()
    try folder.program("datacrumbs_service")
  }

  private func side(limit: Int = 30) -> NodeSide<StandInSlurm> {
    var settings = PluginSettings(arguments: []) { _ in }
    settings.services = folder.path
    settings.serviceLimit = limit
    return NodeSide(slurm: slurm, settings: { settings }, runDirectory: folder.path)
  }

  @Test("a job that did not ask runs nothing")
  func notAsked() {
    slurm.variables = ["SLURM_JOB_COMMENT": "hello", "SLURM_JOB_WORK_DIR": "/w"]
    side().prolog(markerPath: "/plugin.so")
    side().epilog()
    #expect(folder.arguments == nil && slurm.errors.isEmpty)
  }

  @Test("a request reaches the node service with job, user, file, directory and marker")
  func asked() throws {
    slurm.variables = ["SPANK_DATACRUMBS_PROBE_FILE": "/p q", "SLURM_JOB_WORK_DIR": "/w"]
    side().prolog(markerPath: "/plugin.so")
    #expect(
      folder.arguments == [
        "start", "--job", "7", "--uid", "1001", "--probe-file", "/p q", "--marker", "/plugin.so",
        "--work-dir", "/w",
      ])
    side().epilog()
    #expect(folder.arguments?.first == "start", "nothing was started, and something stopped")
    try folder.file("7/status", "{}")
    slurm.variables = [:]  // as after a changed comment
    side().epilog()
    #expect(folder.arguments == ["stop", "--job", "7"])
    #expect(slurm.errors.isEmpty)
  }

  @Test("a step makes up for a prolog that slurmd left out, and for nothing else")
  func prologLeftOut() throws {
    side().stepBegin { "/plugin.so" }
    #expect(folder.arguments == nil, "a job that did not ask runs nothing")
    slurm.jobVariables = ["SLURM_SPANK_DATACRUMBS_PROBE_FILE": "/p", "SLURM_SUBMIT_DIR": "/w"]
    try folder.file("7/status", "{}")
    side().stepBegin { "/plugin.so" }
    #expect(folder.arguments == nil, "the prolog has started the tracer, or said why not")
    slurm.jobID = 8
    side().stepBegin { "/plugin.so" }
    #expect(
      folder.arguments == [
        "start", "--job", "8", "--uid", "1001", "--probe-file", "/p", "--marker", "/plugin.so",
        "--work-dir", "/w",
      ])
    #expect(slurm.errors.isEmpty)
  }

  @Test("a request that is not understood is handed on with its reason")
  func refused() {
    slurm.variables = ["SLURM_JOB_COMMENT": #"{"datacrumbs":{"enable":"yes","probes":"/p"}}"#]
    side().prolog(markerPath: "/plugin.so")
    #expect(folder.arguments?.prefix(4) == ["start", "--job", "7", "--refused"])
    #expect(folder.arguments?.last?.contains("\"probes\"") == true)
  }

  @Test("a node service that fails, hangs or is missing leaves one line in slurmd's log")
  func failures() throws {
    slurm.variables = ["SPANK_DATACRUMBS_PROBE_FILE": "/p"]
    try folder.program(
      "datacrumbs_service", then: "echo 'datacrumbs_service: no rights' >&2; exit 77")
    side().prolog(markerPath: "/plugin.so")
    try folder.program("datacrumbs_service", then: "exec sleep 60")
    try folder.file("7/status", "{}")
    side(limit: 1).epilog()
    slurm.jobUser = nil
    side().prolog(markerPath: "/plugin.so")
    #expect(
      slurm.errors == [
        "job 7: no rights (exit code 77)",
        "job 7: \(folder.path)/datacrumbs_service took longer than 1 s and was killed",
        "job 7 is not traced: Slurm tells neither its user nor the plugin's path",
      ])
  }
}
