// What CShim calls; declared in CShim/include/CShim.h. Only the plugin has
// Slurm to link with: unit tests build the rest of the module without this.
#if hasFeature(Embedded)
  import CLibc
  import CShim
  import TraceRequest

  /// Slurm as the plugin is loaded into it.
  private struct LoadedSlurm: Slurm {
    let spank: UnsafeMutableRawPointer?

    var jobID: UInt32 { cshim_job_id(spank) }

    var jobUser: UInt32? {
      let uid = cshim_job_uid(spank)
      return uid == UInt32.max ? nil : uid
    }

    func environment(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }
    }

    func jobEnvironment(_ name: String) -> String? {
      cshim_job_getenv(spank, name).map { String(cString: $0) }
    }

    func option(_ name: String) -> String? {
      cshim_option_get(name).map { String(cString: $0) }
    }

    func setOption(_ name: String, _ value: String) -> Bool { cshim_option_set(name, value) }

    func setJobControl(_ name: String, _ value: String) -> Bool {
      cshim_job_control_setenv(spank, name, value)
    }

    func error(_ message: String) { cshim_error(message) }
  }

  /// What the options' callbacks have brought. An option of a heterogeneous
  /// job's component holds for the components behind it.
  nonisolated(unsafe) private var options = RequestOptions()

  private func settings(
    _ slurm: LoadedSlurm, _ count: Int32,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  ) -> PluginSettings {
    var words: [String] = []
    for index in 0..<Int(count) {
      if let word = arguments?[index] { words.append(String(cString: word)) }
    }
    return PluginSettings(arguments: words) { slurm.error($0) }
  }

  @_cdecl("datacrumbs_option")
  func datacrumbsOption(_ value: datacrumbs_option_value, _ argument: UnsafePointer<CChar>?) {
    switch value {
    case DATACRUMBS_OPTION_ENABLE: options.enable = true
    default: options.probeFile = argument.map { String(cString: $0) }
    }
  }

  @_cdecl("datacrumbs_submit")
  func datacrumbsSubmit(
    _ spank: UnsafeMutableRawPointer?, _ isSrun: Bool, _ count: Int32,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  ) {
    let slurm = LoadedSlurm(spank: spank)
    let side = SubmitSide(
      slurm: slurm, isSrun: isSrun, options: options,
      settings: { settings(slurm, count, arguments) })
    do throws(RequestError) {
      try side.submit()
    } catch {
      // Slurm ignores what a callback of an optional plugin returns.
      slurm.error(error.text)
      exit(1)
    }
  }

  @_cdecl("datacrumbs_job_prolog")
  func datacrumbsJobProlog(
    _ spank: UnsafeMutableRawPointer?, _ count: Int32,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  ) {
    let slurm = LoadedSlurm(spank: spank)
    let path = cshim_marker_path()
    defer { free(path) }
    NodeSide(slurm: slurm, settings: { settings(slurm, count, arguments) })
      .prolog(markerPath: path.map { String(cString: $0) })
  }

  @_cdecl("datacrumbs_step_begin")
  func datacrumbsStepBegin(
    _ spank: UnsafeMutableRawPointer?, _ count: Int32,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  ) {
    let slurm = LoadedSlurm(spank: spank)
    NodeSide(slurm: slurm, settings: { settings(slurm, count, arguments) })
      .stepBegin {
        let path = cshim_marker_path()
        defer { free(path) }
        return path.map { String(cString: $0) }
      }
  }

  @_cdecl("datacrumbs_job_epilog")
  func datacrumbsJobEpilog(
    _ spank: UnsafeMutableRawPointer?, _ count: Int32,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  ) {
    let slurm = LoadedSlurm(spank: spank)
    NodeSide(slurm: slurm, settings: { settings(slurm, count, arguments) }).epilog()
  }

  @_cdecl("datacrumbs_user_init")
  func datacrumbsUserInit(
    _ spank: UnsafeMutableRawPointer?, _ count: Int32,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  ) {
    StepSide(slurm: LoadedSlurm(spank: spank)).userInit()
  }

  @_cdecl("datacrumbs_task_init")
  func datacrumbsTaskInit(
    _ spank: UnsafeMutableRawPointer?, _ count: Int32,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  ) {
    // task_init runs in the task's own process; under `optional` Slurm would
    // ignore an error that it returns.
    if StepSide(slurm: LoadedSlurm(spank: spank)).taskInit() { _exit(1) }
  }
#endif
