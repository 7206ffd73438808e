import Foundation
import Synchronization
import Testing

@testable import Signing

@Suite("Users take turns at the signing service")
struct TurnstileTests {
  /// How many are worked on, at most were at once, and have been served.
  private final class Count: Sendable {
    let working = Mutex<(now: Int, most: Int, served: Int)>((0, 0, 0))
  }

  /// Who was served, in order.
  private final class Log: Sendable {
    let names = Mutex<[String]>([])
    func add(_ name: String) { names.withLock { $0.append(name) } }
  }

  private func until(_ turnstile: Turnstile, waits count: Int) throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while turnstile.waitingCount != count {
      try #require(ContinuousClock.now < deadline, "\(turnstile.waitingCount) wait, not \(count)")
      usleep(1000)
    }
  }

  /// Has requests of users wait, in this order, behind one that is worked on; then lets it end.
  private func served(_ users: [UInt32], limit: Int, first: [UInt32]) throws -> [String] {
    let turnstile = Turnstile(limit: limit)
    let log = Log()
    let hold = DispatchSemaphore(value: 0)
    let done = DispatchGroup()
    for uid in first {
      let isIn = DispatchSemaphore(value: 0)
      done.enter()
      Thread.detachNewThread {
        turnstile.pass(uid, seconds: 30) {
          isIn.signal()
          hold.wait()
        }
        done.leave()
      }
      isIn.wait()
    }
    for (index, uid) in users.enumerated() {
      done.enter()
      Thread.detachNewThread {
        turnstile.pass(uid, seconds: 30) { log.add("\(uid)#\(index)") }
        done.leave()
      }
      try until(turnstile, waits: index + 1)
    }
    for _ in first { hold.signal() }
    try #require(done.wait(timeout: .now() + 30) == .success)
    return log.names.withLock { $0 }
  }

  @Test("who asks once is next, however much others have asked before", .timeLimit(.minutes(1)))
  func turns() throws {
    #expect(
      try served([1, 1, 1, 1, 2, 1, 3], limit: 1, first: [1])
        == ["1#0", "2#4", "3#6", "1#1", "1#2", "1#3", "1#5"])
  }

  @Test("a user's second request waits, though there is room", .timeLimit(.minutes(1)))
  func oneOfUser() throws {
    let turnstile = Turnstile(limit: 8)
    let ended = turnstile.pass(1, seconds: 30) {
      // The same user's time is over; another's request is served meanwhile.
      let mine = turnstile.pass(1, seconds: 0) { "served" }
      let other = turnstile.pass(2, seconds: 30) { "served" }
      return (mine, other)
    }
    #expect(ended?.0 == nil)
    #expect(ended?.1 == "served")
    #expect(turnstile.waitingCount == 0)
    #expect(turnstile.pass(1, seconds: 0) { "served" } == "served")
  }

  @Test("all are served in the end, many at once", .timeLimit(.minutes(1)))
  func many() async {
    let turnstile = Turnstile(limit: 2)
    let count = Count()
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<200 {
        group.addTask {
          await withCheckedContinuation { continuation in
            Thread.detachNewThread {
              turnstile.pass(UInt32(index % 5), seconds: 30) {
                count.working.withLock {
                  $0.now += 1
                  $0.most = max($0.most, $0.now)
                }
                sched_yield()
                count.working.withLock {
                  $0.now -= 1
                  $0.served += 1
                }
              }
              continuation.resume()
            }
          }
        }
      }
    }
    #expect(count.working.withLock { $0.served } == 200)
    #expect(count.working.withLock { $0.most } <= 2)
    #expect(turnstile.waitingCount == 0)
  }
}
