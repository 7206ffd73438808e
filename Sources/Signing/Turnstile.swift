import Glibc

/// Lets few requests be worked on at once, and never two of one user. Users take turns, in the order
/// in which they came: who asks much waits for itself and for nobody else.
final class Turnstile: @unchecked Sendable {
  /// A thread that waits for its turn.
  private final class Waiter {
    let turn = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    var isAdmitted = false

    init() {
      var attributes = pthread_condattr_t()
      pthread_condattr_init(&attributes)
      pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
      pthread_cond_init(turn, &attributes)
      pthread_condattr_destroy(&attributes)
    }

    deinit {
      pthread_cond_destroy(turn)
      turn.deallocate()
    }
  }

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let limit: Int
  private var working: Set<UInt32> = []
  private var waiting: [UInt32: [Waiter]] = [:]
  /// The users who wait; the next one's turn is first.
  private var turns: [UInt32] = []

  init(limit: Int) {
    self.limit = limit
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// How many requests wait.
  var waitingCount: Int {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return waiting.values.reduce(0) { $0 + $1.count }
  }

  /// Does the work when it is this user's turn; nil where that takes longer than the seconds.
  func pass<Result>(_ uid: UInt32, seconds: Int, _ work: () -> Result) -> Result? {
    pthread_mutex_lock(mutex)
    let isFree = working.count < limit && !working.contains(uid)
    if isFree { working.insert(uid) }
    guard isFree || wait(as: uid, seconds: seconds) else {
      pthread_mutex_unlock(mutex)
      return nil
    }
    pthread_mutex_unlock(mutex)
    let result = work()
    pthread_mutex_lock(mutex)
    working.remove(uid)
    admitNext()
    pthread_mutex_unlock(mutex)
    return result
  }

  /// With the lock held. False where the time is over.
  private func wait(as uid: UInt32, seconds: Int) -> Bool {
    var moment = timespec()
    clock_gettime(CLOCK_MONOTONIC, &moment)
    moment.tv_sec += seconds
    let waiter = Waiter()
    if waiting[uid] == nil { turns.append(uid) }
    waiting[uid, default: []].append(waiter)
    while !waiter.isAdmitted {
      guard pthread_cond_timedwait(waiter.turn, mutex, &moment) == ETIMEDOUT, !waiter.isAdmitted
      else { continue }
      waiting[uid]?.removeAll { $0 === waiter }
      if waiting[uid]?.isEmpty == true {
        waiting[uid] = nil
        turns.removeAll { $0 == uid }
      }
      return false
    }
    return true
  }

  /// With the lock held: wakes those whose turn it is, and nobody else.
  private func admitNext() {
    while working.count < limit, let place = turns.firstIndex(where: { !working.contains($0) }) {
      let uid = turns.remove(at: place)
      guard var queue = waiting[uid], !queue.isEmpty else { continue }
      let waiter = queue.removeFirst()
      waiting[uid] = queue.isEmpty ? nil : queue
      // Behind the others, for the next.
      if !queue.isEmpty { turns.append(uid) }
      working.insert(uid)
      waiter.isAdmitted = true
      pthread_cond_signal(waiter.turn)
    }
  }
}
