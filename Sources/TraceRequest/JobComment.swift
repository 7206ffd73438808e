// The job's comment, in which a request travels:
//
//     {"datacrumbs":{"enable":"yes","probe_file":"/path/to/probes.json.gz"}}

extension TraceRequest {
  /// The member that holds the request.
  static let member = "datacrumbs"

  /// The job's comment with this request in it. Nothing of the user's own is
  /// lost: an object gains (or, where it has one, renews) the `datacrumbs`
  /// member, and any other text moves to a `comment` member.
  ///
  /// - Parameter comment: the user's own comment, nil or empty for none.
  public func comment(mergedInto comment: String?) -> String {
    let request = JSON.Member(
      Self.member,
      .object([
        JSON.Member("enable", .string("yes")),
        JSON.Member("probe_file", .string(probeFile)),
      ]))
    var members = [request]
    if let comment, !comment.isEmpty {
      if let value = try? JSON(reading: Array(comment.utf8)), case .object(let own) = value {
        members += own.filter { !$0.name.hasSameBytes(as: Self.member) }
      } else {
        members.append(JSON.Member("comment", .string(comment)))
      }
    }
    return String(decoding: JSON.object(members).text, as: UTF8.self)
  }

  /// Reads a request out of a job's comment: nil where it holds none.
  ///
  /// - Throws: where it holds one that this release does not understand, the
  ///   keys `probes` and `composite` of early DataCrumbs releases among them.
  public init?(comment: String) throws(RequestError) {
    guard let whole = try? JSON(reading: Array(comment.utf8)), let request = whole[Self.member]
    else { return nil }
    guard case .object(let members) = request else {
      throw RequestError(
        "the job comment's datacrumbs member is not an object", comment,
        #"write {"datacrumbs":{"enable":"yes","probe_file":"/path"}}"#)
    }
    for member in members {
      if member.name.hasSameBytes(as: "probes") || member.name.hasSameBytes(as: "composite") {
        throw RequestError(
          "the key is no longer used", "\"" + member.name + "\" in the job's comment",
          "name a signed probe file with \"probe_file\"")
      }
    }
    guard let enable = request["enable"]?.string, enable.hasSameBytes(as: "yes") else { return nil }
    guard let path = request["probe_file"]?.string, path.utf8.first == UInt8(ascii: "/") else {
      throw RequestError(
        "the job comment's probe_file is no absolute path", comment,
        "name the signed probe file with its whole path")
    }
    try self.init(probeFile: path, directory: "/")
  }
}
