import CLibc

/// A moment after which somebody waits no longer, on a clock that nobody can set back
/// (CLOCK_MONOTONIC).
public struct Deadline: Sendable {
  /// Microseconds since boot.
  private let moment: UInt64

  /// The moment that many seconds from now, from 0 on.
  public init(seconds: Int) {
    moment = Self.now + UInt64(seconds) * 1_000_000
  }

  private static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000
  }

  /// Microseconds that are left; 0 once it has passed.
  public var remaining: UInt64 {
    let now = Self.now
    return now < moment ? moment - now : 0
  }

  /// Milliseconds that are left, rounded up, for poll(2).
  public var remainingMilliseconds: Int32 {
    Int32(clamping: (remaining + 999) / 1_000)
  }
}
