import ProbeDocument
import TraceRequest

/// A refusal, with the functions that were the reason where some were.
public struct Refusal: Error, Sendable {
  /// One function.
  public struct Function: Sendable {
    /// The index of its category in the request.
    public let category: Int
    /// Its name.
    public let function: String
    /// Why it may not be probed.
    public let reason: String
  }

  /// What the user is told.
  public let error: ProbeError
  /// All functions that are refused.
  public let functions: [Function]

  init(_ error: ProbeError, functions: [Function] = []) {
    self.error = error
    self.functions = functions
  }
}

extension Refusal {
  private static let listLimit = 512 << 10

  /// The body of a refusal's message. Of a long list of functions it has the beginning.
  var text: [UInt8] {
    var members = [
      JSON.Member("what", .string(error.what)),
      JSON.Member("remedy", .string(error.remedy)),
      JSON.Member("code", .number(String(error.exitStatus.rawValue))),
    ]
    var room = Self.listLimit
    let listed = functions.prefix { function in
      room -= function.function.utf8.count + function.reason.utf8.count + 64
      return room > 0
    }
    if !listed.isEmpty {
      let list = listed.map { function in
        JSON.object([
          JSON.Member("category", .number(String(function.category))),
          JSON.Member("function", .string(function.function)),
          JSON.Member("reason", .string(function.reason)),
        ])
      }
      members.append(JSON.Member("functions", .array(list)))
    }
    return JSON.object(members).text
  }

  /// Reads the body of a refusal's message.
  init(text: [UInt8]) {
    guard let json = try? JSON(reading: text, maximumDepth: 4),
      let what = json["what"]?.string, let remedy = json["remedy"]?.string,
      let code = json["code"]?.integer, let status = ExitStatus(rawValue: Int32(clamping: code))
    else {
      self.init(
        ProbeError("the signing service refuses, and not why", "look into its journal"))
      return
    }
    var functions: [Function] = []
    if case .array(let list)? = json["functions"] {
      for entry in list {
        guard let category = entry["category"]?.integer, let name = entry["function"]?.string,
          let reason = entry["reason"]?.string
        else { continue }
        functions.append(Function(category: category, function: name, reason: reason))
      }
    }
    self.init(ProbeError(what, remedy, exitStatus: status), functions: functions)
  }
}

extension JSON {
  /// The value of an integer that fits.
  var integer: Int? {
    if case .number(let digits) = self { return Int(digits) }
    return nil
  }
}
