// flock(2) with a time limit, which it does not have: a signal must end it.
//
// Why C: the signal must reach the thread that waits, and glibc's name for that
// (SIGEV_THREAD_ID in a union of struct sigevent) does not reach Swift.
#ifndef DATACRUMBS_FLOCK_UNTIL_H
#define DATACRUMBS_FLOCK_UNTIL_H

#include <stdint.h>

/// Takes the exclusive lock on a descriptor, waiting at most that many
/// microseconds. Uses SIGALRM. Returns 0, or an error number: ETIMEDOUT in the end.
int flock_until(int descriptor, uint64_t microseconds);

#endif
