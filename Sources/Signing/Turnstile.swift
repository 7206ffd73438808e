import Glibc

/// Lets few requests be worked on at once, and never two of one user: who asks much waits for
/// itself and for nobody else.
final class Turnstile: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let limit: Int
  private var working: Set<UInt32> = []

  init(limit: Int) {
    self.limit = limit
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(changed, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Does the work when it is this user's turn; nil where that takes longer than the seconds.
  func pass<Result>(_ uid: UInt32, seconds: Int, _ work: () -> Result) -> Result? {
    var moment = timespec()
    clock_gettime(CLOCK_MONOTONIC, &moment)
    moment.tv_sec += seconds
    pthread_mutex_lock(mutex)
    while working.contains(uid) || working.count >= limit {
      if pthread_cond_timedwait(changed, mutex, &moment) == ETIMEDOUT {
        pthread_mutex_unlock(mutex)
        return nil
      }
    }
    working.insert(uid)
    pthread_mutex_unlock(mutex)
    let result = work()
    pthread_mutex_lock(mutex)
    working.remove(uid)
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(mutex)
    return result
  }
}
