import CLibc

// What is checked at submission, as the user, by the plugin and by the wrappers. The node checks
// all of it again: a file can change while its job waits.

extension TraceRequest {
  /// The directory that a relative path starts from.
  public static func workingDirectory() throws(RequestError) -> String {
    guard let path = getcwd(nil, 0) else {
      throw RequestError(
        "the working directory is not there", errorText(clibc_errno()),
        "submit from a directory that exists", exitStatus: .noInput)
    }
    defer { free(path) }
    guard let string = String(validatingCString: path) else {
      throw RequestError(
        "the working directory's path is not UTF-8", String(cString: path),
        "give the probe file's whole path", exitStatus: .noInput)
    }
    return string
  }

  /// Checks that the probe file is there, is a regular file, is readable, and verifies.
  ///
  /// - Parameters:
  ///   - verifier: the path of `datacrumbs_probes`.
  ///   - limit: how long it may take, in seconds.
  public func check(verifier: String, limit: Int) throws(RequestError) {
    try checkFile()
    let program = ProgramRun(path: verifier, arguments: ["verify", probeFile], limit: limit)
    let remedy = "ask your site's administrator; nothing was submitted"
    switch program.run() {
    case .ended(code: 0, _): return
    case .ended(_, let message) where !message.isEmpty:
      throw RequestError(
        "the probe file is refused", message, "nothing was submitted", exitStatus: .badData)
    case .ended(let code, _):
      throw RequestError(
        "the probe file's verification ended with exit code \(code)", verifier, remedy,
        exitStatus: .unavailable)
    case .timedOut:
      throw RequestError(
        "the probe file's verification took longer than \(limit) s", probeFile, remedy,
        exitStatus: .unavailable)
    case .notStarted(let reason):
      throw RequestError(
        "cannot verify the probe file (" + reason + ")", verifier, remedy, exitStatus: .unavailable)
    }
  }

  private func checkFile() throws(RequestError) {
    let remedy = "give the path of a probe file that datacrumbs_probes built"
    do throws(RegularFile.Failure) {
      close(try RegularFile.open(probeFile))
    } catch .notRegular {
      throw RequestError(
        "the probe file is not a regular file", probeFile, remedy, exitStatus: .noInput)
    } catch {
      throw RequestError(
        "cannot read the probe file (" + error.text + ")", probeFile, remedy, exitStatus: .noInput)
    }
  }
}
