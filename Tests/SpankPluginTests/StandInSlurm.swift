@testable import SpankPlugin

/// Slurm as a unit test wants it; keeps what the plugin told it.
final class StandInSlurm: Slurm {
  var jobID: UInt32 = 7
  var jobUser: UInt32? = 1001
  var variables: [String: String] = [:]
  var jobVariables: [String: String] = [:]
  var options: [String: String] = [:]
  var takesOptions = true
  var takesJobControl = true
  var jobControl: [String: String] = [:]
  var errors: [String] = []

  func environment(_ name: String) -> String? { variables[name] }
  func jobEnvironment(_ name: String) -> String? { jobVariables[name] }
  func option(_ name: String) -> String? { options[name] }
  func setOption(_ name: String, _ value: String) -> Bool {
    if takesOptions { options[name] = value }
    return takesOptions
  }
  func setJobControl(_ name: String, _ value: String) -> Bool {
    if takesJobControl { jobControl[name] = value }
    return takesJobControl
  }
  func error(_ message: String) { errors.append(message) }
}
