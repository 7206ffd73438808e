import ArgumentParser
import ProbeDocument
import Signing

struct ShowPolicy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract: "Check the policy file, and print what nobody may probe, with the reasons.")

  @Option(help: ArgumentHelp("The policy file.", valueName: "path"))
  var policy = Policy.standardPath

  func run() throws {
    try reporting { () throws(ProbeError) in
      let policy = try Policy(path: policy)
      print("cluster: \(policy.cluster ?? "any")")
      print("rules: \(policy.rules.count)")
      for denial in policy.deny {
        print("\nno \(denial.kind?.word ?? "probe of any kind"): \(denial.reason)")
        print("  " + denial.patterns.map(\.text).joined(separator: " "))
      }
    }
  }
}
