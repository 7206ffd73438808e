import CSystemd
import Glibc
import TraceRequest

/// How much a journal entry matters, as syslog counts (syslog(3)).
public enum Priority: Int, Sendable {
  /// Somebody must look.
  case error = 3
  /// Something is not as it was asked.
  case warning = 4
  /// It is worth knowing.
  case info = 6
}

/// One entry in the journal, with the job as a field:
/// `journalctl DATACRUMBS_JOB_ID=7`.
func journal(_ priority: Priority, job: RunID, user: String?, _ message: String) {
  var fields = [
    "MESSAGE=" + message.onOneLine, "PRIORITY=\(priority.rawValue)",
    "SYSLOG_IDENTIFIER=datacrumbs_service", "DATACRUMBS_JOB_ID=" + job.description,
  ]
  if let user { fields.append("DATACRUMBS_USER=" + user) }
  let texts = fields.map { strdup($0) }
  defer { texts.forEach { free($0) } }
  let parts = texts.map { iovec(iov_base: $0, iov_len: $0.map { strlen($0) } ?? 0) }
  sd_journal_sendv(parts, Int32(parts.count))
}
