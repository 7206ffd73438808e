import Testing

@testable import SpankPlugin

@Suite("A step tells its user why the node does not trace")
struct StepSideTests {
  let slurm = StandInSlurm()
  let folder: Folder
  let side: StepSide<StandInSlurm>

  init() throws {
    folder = try Folder()
    side = StepSide(slurm: slurm, runDirectory: folder.path)
  }

  @Test("a job that did not ask hears nothing")
  func notAsked() {
    side.userInit()
    #expect(slurm.errors.isEmpty && !side.taskInit())
  }

  @Test("a traced job hears nothing")
  func traced() throws {
    try folder.file("7/status", #"{"state":"tracing","on_failure":"fail_job"}"#)
    side.userInit()
    #expect(slurm.errors.isEmpty && !side.taskInit())
  }

  @Test("gaps in the trace are told to the next step, and end no task")
  func degraded() throws {
    try folder.file("7/status", #"{"state":"tracing","on_failure":"fail_job"}"#)
    for text in [#"{"state":"tracing","reason":"tracing 3 functions"}"#, #"{"state":"degr"#, ""] {
      try folder.file("7/tracer", text)
      side.userInit()
      #expect(slurm.errors.isEmpty)
    }
    try folder.file("7/tracer", #"{"state":"degraded","reason":"disk full:\n/t"}"#)
    side.userInit()
    #expect(slurm.errors == [#"the trace of job 7 has gaps on this node: disk full:\x0a/t"#])
    #expect(!side.taskInit())
  }

  @Test("the reason is one line, and the job goes on unless the site says otherwise")
  func failed() throws {
    try folder.file(
      "7/status", #"{"state":"failed","reason":"expired:\n/p","on_failure":"continue"}"#)
    side.userInit()
    #expect(slurm.errors == [#"this node does not trace job 7: expired:\x0a/p"#])
    #expect(!side.taskInit())
    try folder.file("7/status", #"{"state":"failed","reason":"x","on_failure":"fail_job"}"#)
    #expect(side.taskInit())
  }

  @Test("a request without a status, or with one that cannot be read, is told too")
  func noStatus() throws {
    slurm.jobVariables = ["SLURM_SPANK_DATACRUMBS_PROBE_FILE": "/p"]
    side.userInit()
    try folder.file("7/status", "{")
    side.userInit()
    #expect(
      slurm.errors == [
        "this node does not trace job 7: "
          + "the node service left no status; the node's slurmd log says why",
        "this node does not trace job 7: the node service's status cannot be read",
      ])
    #expect(!side.taskInit())
  }
}

@Suite("plugstack.conf arguments")
struct PluginSettingsTests {
  @Test("what is understood is taken, the rest is told and left out")
  func arguments() {
    var reports: [String] = []
    let settings = PluginSettings(
      arguments: [
        "bindir=/opt/bin", "sbindir=relative", "verify_limit=5", "service_limit=0", "what", "=",
      ]
    ) { reports.append($0) }
    #expect(settings.programs == "/opt/bin" && settings.services == "/usr/sbin")
    #expect(settings.verifyLimit == 5 && settings.serviceLimit == 120)
    #expect(
      reports
        == ["sbindir=relative", "service_limit=0", "what", "="].map {
          "plugstack.conf: argument is not understood: " + $0
        })
  }
}
