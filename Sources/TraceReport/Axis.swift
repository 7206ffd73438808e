/// A scale from 0 up, with round numbers on it.
struct Axis {
  /// The largest value that is shown, a round one; above 0.
  let top: Double
  /// The values that are labelled, 0 among them.
  let ticks: [Double]

  /// - Parameters:
  ///   - largest: the largest value that occurs.
  ///   - unit: what the round numbers are multiples of, 1024 for KiB.
  ///   - parts: about how many steps there are.
  ///   - isRounded: whether `top` is the next tick or just `largest`.
  init(largest: Double, unit: Double = 1, parts: Int = 4, isRounded: Bool = true) {
    let largest = largest > 0 ? largest : unit
    let rough = largest / unit / Double(parts)
    var power = 1.0
    while power > rough { power /= 10 }
    while power * 10 <= rough { power *= 10 }
    var step = [1.0, 2, 5].map { $0 * power }.first { $0 >= rough } ?? power * 10
    step *= unit
    let count = Int((largest / step).rounded(isRounded ? .up : .down))
    ticks = (0...max(1, count)).map { Double($0) * step }.filter { isRounded || $0 <= largest }
    top = isRounded ? ticks.last ?? largest : largest
  }

  /// For sizes in bytes: round in the unit that they will be written in.
  static func bytes(largest: Double) -> Axis {
    var unit = 1.0
    while largest >= unit * 1024, unit < 1e17 { unit *= 1024 }
    return Axis(largest: largest, unit: unit)
  }
}
