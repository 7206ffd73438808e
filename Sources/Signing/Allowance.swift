import ProbeDocument
import TraceRequest

/// What the policy allows to one user: the answer to a question, for people.
public struct Allowance: Sendable {
  /// The account, as the service knows it.
  public let user: String
  /// The cluster that documents are made for; nil where the site does not say.
  public let cluster: String?
  /// The kinds of probes, in a configuration's words.
  public let probes: [String]
  /// How many functions a document may name.
  public let functions: Int
  /// How many bytes of one argument may be captured.
  public let argumentBytes: Int
  /// Seconds that a document is valid where nothing else is asked for.
  public let lifetime: Int64
  /// The most seconds that may be asked for.
  public let longestLifetime: Int64
  /// Patterns of the paths of programs and libraries.
  public let paths: [String]

  init(_ rule: Policy.Rule, cluster: String?, asker: Asker) {
    user = asker.name
    self.cluster = cluster
    probes = rule.probes.map(\.word)
    functions = rule.functionLimit
    argumentBytes = rule.argumentLimit
    lifetime = rule.lifetime
    longestLifetime = rule.longestLifetime
    paths = rule.paths.map(\.text)
  }

  /// The body of the answer's message.
  var text: [UInt8] {
    var members = [
      JSON.Member("user", .string(user)),
      JSON.Member("probes", .array(probes.map { .string($0) })),
      JSON.Member("functions", .number(String(functions))),
      JSON.Member("argument_bytes", .number(String(argumentBytes))),
      JSON.Member("lifetime", .number(String(lifetime))),
      JSON.Member("longest_lifetime", .number(String(longestLifetime))),
      JSON.Member("paths", .array(paths.map { .string($0) })),
    ]
    if let cluster { members.append(JSON.Member("cluster", .string(cluster))) }
    return JSON.object(members).text
  }

  /// Reads the body; nil where it is no such answer.
  init?(text: [UInt8]) {
    guard let json = try? JSON(reading: text, maximumDepth: 4), let user = json["user"]?.string,
      case .array(let probes)? = json["probes"], case .array(let paths)? = json["paths"],
      let functions = json["functions"]?.integer,
      let argumentBytes = json["argument_bytes"]?.integer,
      let lifetime = json["lifetime"]?.integer,
      let longestLifetime = json["longest_lifetime"]?.integer
    else { return nil }
    self.user = user
    cluster = json["cluster"]?.string
    self.probes = probes.compactMap(\.string)
    self.functions = functions
    self.argumentBytes = argumentBytes
    self.lifetime = Int64(lifetime)
    self.longestLifetime = Int64(longestLifetime)
    self.paths = paths.compactMap(\.string)
  }
}
