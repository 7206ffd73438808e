/// The plugin's arguments in plugstack.conf, `name=value` each.
struct PluginSettings {
  /// Where datacrumbs_probes is: `bindir=`.
  var programs = "/usr/bin"
  /// Where datacrumbs_service is: `sbindir=`.
  var services = "/usr/sbin"
  /// How long a submission waits for the probe file to be verified, in
  /// seconds: `verify_limit=`.
  var verifyLimit = 30
  /// How long a job's prolog, and its epilog, waits for the node service, in
  /// seconds: `service_limit=`. The node service has limits of its own, in
  /// datacrumbs.conf; this one holds when it does not keep them.
  var serviceLimit = 120

  /// An argument that is not understood is left out and told to `report`:
  /// a mistake in plugstack.conf must not stop anybody's job.
  init(arguments: [String], report: (String) -> Void) {
    for argument in arguments {
      let parts = argument.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1)
      let name = parts.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
      let value = parts.count == 2 ? String(decoding: parts[1], as: UTF8.self) : ""
      let seconds = Int(value).flatMap { (1...86400).contains($0) ? $0 : nil }
      let isPath = value.utf8.first == UInt8(ascii: "/")
      switch name {
      case "bindir" where isPath: programs = value
      case "sbindir" where isPath: services = value
      case "verify_limit" where seconds != nil: verifyLimit = seconds ?? verifyLimit
      case "service_limit" where seconds != nil: serviceLimit = seconds ?? serviceLimit
      default:
        report("plugstack.conf: argument is not understood: " + argument)
      }
    }
  }
}
