import Glibc
import ProbeDocument
import TraceRequest

/// What the signing service signs, and for whom: /etc/datacrumbs/policy.yaml.
public struct Policy: Sendable {
  /// Where the file is.
  public static let standardPath = "/etc/datacrumbs/policy.yaml"

  /// The cluster that documents are made for; none where nil.
  public var cluster: String?
  /// The first that fits the asker holds.
  public var rules: [Rule]
  /// Functions that nobody may probe, whatever a rule allows.
  public var deny: [Denial]

  /// What some users may have signed.
  public struct Rule: Sendable {
    /// Account names; with `groups`, whom the rule is for. Both empty: for everybody.
    public var users: [String] = []
    /// Group names.
    public var groups: [String] = []
    /// The kinds of probes.
    public var probes: [ProbeKind] = ProbeKind.allCases
    /// Patterns of functions, for a kind; a kind without is not limited.
    public var allow: [ProbeKind: [Pattern]] = [:]
    /// Patterns of functions that are refused.
    public var deny: [Denial] = []
    /// Patterns of paths of programs and libraries.
    public var paths: [Pattern] = [Pattern("/*")]
    /// Whether uprobes may be written as `name:0xoffset`. The kernel puts a breakpoint where it is
    /// told: in the middle of an instruction it ends every process of the node that runs the file.
    public var isOffsetAllowed = false
    /// How many functions a document may name.
    public var functionLimit = 20_000
    /// How many bytes of one argument may be captured.
    public var argumentLimit = 256
    /// Seconds that a document is valid where nothing else is asked for.
    public var lifetime: Int64 = 30 * 86_400
    /// The most seconds that may be asked for.
    public var longestLifetime: Int64 = 90 * 86_400

    /// Everything that the deny list leaves, for everybody.
    public init() {}

    func fits(_ asker: Asker) -> Bool {
      if users.isEmpty, groups.isEmpty { return true }
      return users.contains { $0.hasSameBytes(as: asker.name) }
        || groups.contains { group in asker.groupNames.contains { $0.hasSameBytes(as: group) } }
    }
  }

  /// A pattern of names as the shell has them: `*`, `?` and `[a-z]` (fnmatch(3)).
  public struct Pattern: Sendable {
    /// As it is written.
    public let text: String
    /// Where it is a plain beginning and `*`, as most are.
    private let prefix: [UInt8]?

    /// A pattern.
    public init(_ text: String) {
      self.text = text
      let isPrefix =
        text.utf8.last == UInt8(ascii: "*")
        && !text.utf8.dropLast().contains { "*?[\\".utf8.contains($0) }
      prefix = isPrefix ? Array(text.utf8.dropLast()) : nil
    }

    func matches(_ name: String) -> Bool {
      if let prefix { return name.utf8.starts(with: prefix) }
      return fnmatch(text, name, 0) == 0
    }
  }

  /// Functions that are refused, and why.
  public struct Denial: Sendable {
    /// The kind; every kind where nil.
    public let kind: ProbeKind?
    /// Of functions.
    public let patterns: [Pattern]
    /// Why.
    public let reason: String

    /// A denial.
    public init(_ kind: ProbeKind?, _ patterns: [String], _ reason: String) {
      self.kind = kind
      self.patterns = patterns.map(Pattern.init)
      self.reason = reason
    }

    func matches(_ kind: ProbeKind, _ function: String) -> Bool {
      (self.kind == nil || self.kind == kind) && patterns.contains { $0.matches(function) }
    }
  }

  /// The policy of a site that has written none: everything that the shipped deny list leaves.
  public init(cluster: String? = nil, rules: [Rule] = [Rule()], deny: [Denial] = shippedDenyList) {
    self.cluster = cluster
    self.rules = rules
    self.deny = deny
  }

  private static let remedy = "ask the administrator, whose policy.yaml says so"

  func rule(for asker: Asker) throws(ProbeError) -> Rule {
    guard let rule = rules.first(where: { $0.fits(asker) }) else {
      throw ProbeError(
        "this site signs nothing for \(asker.name) (uid \(asker.uid))", Self.remedy,
        exitStatus: .notPermitted)
    }
    return rule
  }

  /// How many seconds a document is to be valid.
  func lifetime(of request: SignRequest, asker: Asker) throws(ProbeError) -> Int64 {
    let rule = try rule(for: asker)
    guard let lifetime = request.lifetime else { return rule.lifetime }
    guard lifetime <= rule.longestLifetime else {
      throw ProbeError(
        "a lifetime of \(lifetime) seconds, where \(rule.longestLifetime) is the limit",
        "ask for less with --lifetime", exitStatus: .notPermitted)
    }
    return lifetime
  }

  /// Refuses what the asker may not have signed.
  func check(
    _ request: SignRequest, passed: [FileFacts], asker: Asker
  ) throws(Refusal) {
    let rule: Rule
    do throws(ProbeError) {
      rule = try self.rule(for: asker)
      try Self.checkFiles(request, passed, rule, asker)
    } catch {
      throw Refusal(error)
    }
    var count = 0
    var denied: [Refusal.Function] = []
    let binaries = request.binaries
    for (index, category) in request.categories.enumerated() {
      guard rule.probes.contains(category.kind) else {
        throw Refusal(
          ProbeError(
            "category \(category.name): this site signs no \(category.kind.word) probes for "
              + asker.name, Self.remedy, exitStatus: .notPermitted))
      }
      count += category.functions.count
      let bytes = category.largestArgument
      guard bytes <= rule.argumentLimit else {
        throw Refusal(
          ProbeError(
            "category \(category.name): \(bytes) bytes of an argument, where "
              + "\(rule.argumentLimit) is the limit", "ask for fewer bytes",
            exitStatus: .notPermitted))
      }
      let refusals: [String: String]
      do throws(ProbeError) {
        refusals = try self.refusals(of: category, in: binaries, passed, rule)
      } catch {
        throw Refusal(error)
      }
      for function in category.functions {
        if let reason = reason(against: function, category.kind, rule) ?? refusals[function] {
          denied.append(
            Refusal.Function(category: index, function: function, reason: reason))
        }
      }
    }
    guard count <= rule.functionLimit else {
      throw Refusal(
        ProbeError(
          "\(count) functions, where \(rule.functionLimit) is the limit",
          "ask for fewer, with a narrower regex", exitStatus: .notPermitted))
    }
    if let first = denied.first {
      let others = denied.count == 1 ? "" : ", and \(denied.count - 1) more"
      throw Refusal(
        ProbeError(
          "\(first.function) may not be probed (\(first.reason))\(others)",
          "take it out of the configuration", exitStatus: .notPermitted),
        functions: denied)
    }
  }

  private func reason(against function: String, _ kind: ProbeKind, _ rule: Rule) -> String? {
    // `name:0x1234` is the name at an offset of the file.
    let name = kind == .uprobe ? String(function.prefix { $0 != ":" }) : function
    if !rule.isOffsetAllowed, name.utf8.count < function.utf8.count {
      return "a probe at an offset can end every process that runs the file"
    }
    if let reason = denial(of: name, kind, rule) { return reason }
    if let allowed = rule.allow[kind], !allowed.contains(where: { $0.matches(name) }) {
      return "the site allows other functions only"
    }
    return nil
  }

  private func denial(of name: String, _ kind: ProbeKind, _ rule: Rule) -> String? {
    (deny + rule.deny).first { $0.matches(kind, name) }?.reason
  }

  /// Why functions of a category are refused for where they are in its file. Refuses all of a file
  /// that cannot take such probes.
  private func refusals(
    of category: ProbeCategory, in binaries: [String], _ passed: [FileFacts], _ rule: Rule
  ) throws(ProbeError) -> [String: String] {
    guard category.kind == .uprobe || category.kind == .usdt, let path = category.binaryPath,
      let index = binaries.firstIndex(where: { $0.hasSameBytes(as: path) })
    else { return [:] }
    let file = passed[index]
    let program: PassedProgram
    do throws(ELFHeaders.Unreadable) {
      guard let result = file.program else { throw ELFHeaders.Unreadable(reason: "not looked at") }
      program = try result.get()
      guard category.kind == .uprobe else {
        if file.isRoots { return [:] }
        throw ELFHeaders.Unreadable(
          reason: "static probes (usdt) are traced in files of root's only")
      }
      if let refusal = program.headers.refusal { throw ELFHeaders.Unreadable(reason: refusal) }
      return try program.refusals(of: category.functions) { denial(of: $0, .uprobe, rule) }
    } catch {
      throw ProbeError(
        "\(path) may not be probed (\(error.reason))", "take it out of the configuration",
        exitStatus: .notPermitted)
    }
  }

  private static func checkFiles(
    _ request: SignRequest, _ passed: [FileFacts], _ rule: Rule, _ asker: Asker
  ) throws(ProbeError) {
    let binaries = request.binaries
    let folders = request.folders
    guard binaries.count <= SignRequest.binaryLimit, passed.count == binaries.count + folders.count
    else {
      throw ProbeError(
        "\(binaries.count) programs and libraries in \(folders.count) folders are named and "
          + "\(passed.count) were passed", "use datacrumbs_probes of the same release")
    }
    for (path, binary) in zip(binaries, passed) {
      try check(binary, path, S_IFREG, "a regular file", asker)
      guard rule.paths.contains(where: { $0.matches(path) }) else {
        throw ProbeError(
          "this site signs no probes in \(path) for \(asker.name)", Self.remedy,
          exitStatus: .notPermitted)
      }
    }
    // Who may write to a folder above a file may put another file in its place.
    for (path, folder) in zip(folders, passed.dropFirst(binaries.count)) {
      try check(folder, path, S_IFDIR, "a folder", asker)
    }
  }

  /// Refuses a file that others than root and the asker could replace.
  private static func check(
    _ file: FileFacts, _ path: String, _ type: mode_t, _ kind: String, _ asker: Asker
  ) throws(ProbeError) {
    guard path.hasSameBytes(as: file.path) else {
      throw ProbeError(
        "\(path) is a link to \(file.path), or was replaced", "write the path without links",
        exitStatus: .notPermitted)
    }
    guard file.view != .other else {
      throw ProbeError(
        "\(path) is another file for the signing service than for you",
        "build outside of containers, with files that the whole machine sees",
        exitStatus: .notPermitted)
    }
    guard file.mode & S_IFMT == type else {
      throw ProbeError(
        "\(path) is not \(kind)", "check binary_path or file", exitStatus: .notPermitted)
    }
    guard file.owner == 0 || file.owner == asker.uid else {
      throw ProbeError(
        "\(path) belongs to uid \(file.owner), neither root nor you", "use a copy of your own",
        exitStatus: .notPermitted)
    }
    // In a folder as /tmp is, everybody writes and nobody replaces what is another's.
    let isSticky = type == S_IFDIR && file.mode & S_ISVTX != 0
    guard isSticky || file.mode & (S_IWGRP | S_IWOTH) == 0 else {
      throw ProbeError(
        "others may write to \(path)", "chmod go-w it, if it is yours", exitStatus: .notPermitted)
    }
  }
}

extension ProbeKind {
  /// The word for it in a configuration.
  public var word: String {
    switch self {
    case .syscalls: "syscalls"
    case .kprobe: "kprobe"
    case .uprobe: "uprobe"
    case .usdt: "usdt"
    }
  }

  /// The kind that a configuration's word means.
  public init?(word: String) {
    guard let kind = Self.allCases.first(where: { $0.word.hasSameBytes(as: word) }) else {
      return nil
    }
    self = kind
  }
}

extension ProbeCategory {
  /// The largest `num_bytes` of its arguments.
  var largestArgument: Int {
    guard case .object(let functions) = functionArguments else { return 0 }
    var largest = 0
    for function in functions {
      guard case .array(let arguments) = function.value else { continue }
      for case .number(let digits)? in arguments.map({ $0["num_bytes"] }) {
        largest = max(largest, Int(digits) ?? Int.max)
      }
    }
    return largest
  }
}
