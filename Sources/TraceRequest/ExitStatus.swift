/// What a program of ours exits with when it fails: the numbers of sysexits.h.
public enum ExitStatus: Int32, Sendable {
  /// The command line is wrong (EX_USAGE).
  case usage = 64
  /// What was read is not what it must be (EX_DATAERR).
  case badData = 65
  /// A file is not there or cannot be read (EX_NOINPUT).
  case noInput = 66
  /// The user is not known here (EX_NOUSER).
  case noUser = 67
  /// A service, systemd or the kernel does not do its part (EX_UNAVAILABLE).
  case unavailable = 69
  /// A bug of ours (EX_SOFTWARE).
  case internalError = 70
  /// A file cannot be made or written (EX_CANTCREAT).
  case cannotCreate = 73
  /// Somebody may not do that (EX_NOPERM).
  case notPermitted = 77
  /// The configuration cannot be used (EX_CONFIG).
  case configuration = 78
}
