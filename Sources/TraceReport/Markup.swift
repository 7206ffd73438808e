/// HTML or SVG source. Text that is interpolated into it is escaped, so that nothing out of a
/// trace becomes a tag, an attribute or a script; only other markup is taken as it is.
struct Markup: ExpressibleByStringInterpolation {
  /// The source.
  var source: String

  init(stringLiteral value: String) { source = value }

  init(stringInterpolation: Interpolation) { source = stringInterpolation.source }

  struct Interpolation: StringInterpolationProtocol {
    var source = ""

    init(literalCapacity: Int, interpolationCount: Int) {
      source.reserveCapacity(literalCapacity * 2)
    }

    mutating func appendLiteral(_ literal: String) { source += literal }

    mutating func appendInterpolation(_ text: String) { source += Markup.escaped(text) }

    mutating func appendInterpolation(_ number: Int) { source += String(number) }

    mutating func appendInterpolation(_ markup: Markup) { source += markup.source }

    /// A coordinate, with one decimal.
    mutating func appendInterpolation(_ coordinate: Double) {
      source += Units.fixed(coordinate, places: 1)
    }
  }

  static func += (left: inout Markup, right: Markup) { left.source += right.source }

  static func joined(_ parts: [Markup]) -> Markup {
    var all: Markup = ""
    for part in parts { all += part }
    return all
  }

  /// Text as it stands in an element or in a quoted attribute. What steers a terminal or turns
  /// the direction of writing is shown as an escape, here as well.
  static func escaped(_ text: String) -> String {
    var output = ""
    for scalar in Summary.printable(text).unicodeScalars {
      switch scalar {
      case "&": output += "&amp;"
      case "<": output += "&lt;"
      case ">": output += "&gt;"
      case "\"": output += "&quot;"
      case "'": output += "&#39;"
      default: output.unicodeScalars.append(scalar)
      }
    }
    return output
  }

  /// JSON that stands in a script element: nothing in it can end the element.
  static func data(_ json: [UInt8]) -> Markup {
    var output: [UInt8] = []
    output.reserveCapacity(json.count)
    for byte in json {
      switch byte {
      case UInt8(ascii: "<"): output += Array("\\u003c".utf8)
      case UInt8(ascii: ">"): output += Array("\\u003e".utf8)
      case UInt8(ascii: "&"): output += Array("\\u0026".utf8)
      default: output.append(byte)
      }
    }
    return Markup(stringLiteral: String(decoding: output, as: UTF8.self))
  }
}
