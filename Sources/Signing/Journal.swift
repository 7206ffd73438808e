import CSystemd
import Glibc
import ProbeDocument
import TraceRequest

/// Every decision, in the journal with its fields; on standard error where there is no journal.
/// `journalctl DATACRUMBS_UID=1001` shows one user's.
struct Journal: Sendable {
  func signed(_ signed: SigningService.Signed, request: String, asker: Asker, pid: Int32) {
    write(
      "signed \(signed.functionCount) functions for \(asker.name) (uid \(asker.uid)) "
        + "until \(signed.expires.text)",
      priority: LOG_INFO, verdict: "signed", request: request, asker: asker, pid: pid,
      ["DATACRUMBS_DIGEST=" + signed.bytes.digest])
  }

  func refused(_ error: ProbeError, request: String, asker: Asker, pid: Int32) {
    write(
      "refused \(asker.name) (uid \(asker.uid)): \(error.what)",
      priority: error.exitStatus == .internalError ? LOG_ERR : LOG_NOTICE, verdict: "refused",
      request: request,
      asker: asker, pid: pid, [])
  }

  private func write(
    _ message: String, priority: Int32, verdict: String, request: String, asker: Asker,
    pid: Int32, _ more: [String]
  ) {
    let fields =
      [
        "MESSAGE=" + message.onOneLine, "PRIORITY=\(priority)",
        "SYSLOG_IDENTIFIER=datacrumbs_sign_probes", "DATACRUMBS_VERDICT=" + verdict,
        "DATACRUMBS_UID=\(asker.uid)", "DATACRUMBS_USER=" + asker.name, "DATACRUMBS_PID=\(pid)",
        "DATACRUMBS_REQUEST_DIGEST=" + request,
      ] + more
    let texts = fields.map { strdup($0) }
    defer { texts.forEach { free($0) } }
    let parts = texts.map { iovec(iov_base: $0, iov_len: $0.map { strlen($0) } ?? 0) }
    // Without a journal the call says 0 and drops the entry.
    guard access("/run/systemd/journal/socket", F_OK) == 0 else {
      let line = Array(("datacrumbs_sign_probes: " + message.onOneLine + "\n").utf8)
      _ = Glibc.write(STDERR_FILENO, line, line.count)
      return
    }
    sd_journal_sendv(parts, Int32(parts.count))
  }
}
