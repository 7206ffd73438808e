import Foundation

/// A folder that is gone after the test.
final class Folder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "datacrumbs-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func file(_ name: String, _ text: String) throws -> String {
    let file = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    return file
  }

  /// A program that keeps its arguments and then runs a script; see stand-in.sh.
  func program(_ name: String, then script: String = "exit 0") throws {
    try file("then", script + "\n")
    let link = path + "/" + name
    guard !FileManager.default.fileExists(atPath: link) else { return }
    let folder = (#filePath as NSString).deletingLastPathComponent
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: folder + "/stand-in.sh")
  }

  /// What the program was last called with, nil where it was not.
  var arguments: [String]? {
    guard let text = try? String(contentsOfFile: path + "/arguments", encoding: .utf8) else {
      return nil
    }
    return text.split(separator: "\n").map(String.init)
  }
}
