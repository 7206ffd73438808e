/// Where a job's traces go: a path with `%w` (the job's working directory),
/// `%j` (job id), `%u` (user), `%h` (node) and `%%`.
struct TraceDirectory: Sendable {
  let template: String

  /// A folder of the job's own in its working directory.
  static let `default` = TraceDirectory(known: "%w/datacrumbs-%j")

  private init(known template: String) {
    self.template = template
  }

  /// Nil where the template has another letter behind a `%`, or ends in one.
  init?(_ template: String) {
    self.template = template
    let words: [Character: String] = ["w": "/", "j": "", "u": "", "h": ""]
    guard let path = Self.expand(template, words: words), path.hasPrefix("/") else { return nil }
  }

  func path(workDirectory: String, job: RunID, user: String, node: String) -> String {
    path(workDirectory: workDirectory, job: job.description, user: user, node: node)
  }

  func path(workDirectory: String, job: String, user: String, node: String) -> String {
    let words: [Character: String] = ["w": workDirectory, "j": job, "u": user, "h": node]
    return Self.expand(template, words: words) ?? template
  }

  private static func expand(_ template: String, words: [Character: String]) -> String? {
    var path = ""
    var isLetter = false
    for character in template {
      if isLetter {
        guard let word = character == "%" ? "%" : words[character] else { return nil }
        path += word
        isLetter = false
      } else if character == "%" {
        isLetter = true
      } else {
        path.append(character)
      }
    }
    return isLetter ? nil : path
  }
}

extension Configuration {
  /// Where a job's traces go, as these settings have it.
  public func traceFolder(
    job: String, workDirectory: String, user: String, node: String
  ) -> String {
    traceDirectory.path(workDirectory: workDirectory, job: job, user: user, node: node)
  }
}
