import Glibc
import ProbeDocument
import TraceRequest
import Synchronization

/// How much each user, and all together, may hold of the service.
final class Admission: Sendable {
  /// What one user's clients, or everybody's, may hold at once.
  struct Limits: Sendable {
    /// Connections of one user.
    var connectionsOfUser = 128
    /// Connections of all users.
    var connections = 512
    /// Bytes received and not yet answered, of one user.
    var bytesOfUser = 32 << 20
    /// Bytes received and not yet answered, of all users.
    var bytes = 256 << 20
  }

  private struct Held {
    var connections = 0
    var bytes = 0
  }

  private let limits: Limits
  private let held = Mutex<[UInt32: Held]>([:])

  init(limits: Limits = Limits()) {
    self.limits = limits
  }

  private static let busy = ProbeError(
    "the signing service has too many requests of yours, or of all users", "try again in a minute",
    exitStatus: .unavailable)

  /// How many connections are open.
  var connections: Int {
    held.withLock { $0.values.reduce(0) { $0 + $1.connections } }
  }

  /// Counts a connection in.
  func enter(_ uid: UInt32) throws(ProbeError) {
    let isAdmitted = held.withLock { held in
      guard held[uid, default: Held()].connections < limits.connectionsOfUser,
        held.values.reduce(0, { $0 + $1.connections }) < limits.connections
      else { return false }
      held[uid, default: Held()].connections += 1
      return true
    }
    guard isAdmitted else { throw Self.busy }
  }

  /// Counts bytes in, before memory is taken for them.
  func take(_ count: Int, _ uid: UInt32) throws(ProbeError) {
    let isAdmitted = held.withLock { held in
      guard held[uid, default: Held()].bytes + count <= limits.bytesOfUser,
        held.values.reduce(0, { $0 + $1.bytes }) + count <= limits.bytes
      else { return false }
      held[uid, default: Held()].bytes += count
      return true
    }
    guard isAdmitted else { throw Self.busy }
  }

  /// Counts a connection and its bytes out.
  func leave(_ uid: UInt32, bytes: Int) {
    held.withLock { held in
      guard var mine = held[uid] else { return }
      mine.connections -= 1
      mine.bytes -= bytes
      held[uid] = mine.connections == 0 ? nil : mine
    }
  }
}
