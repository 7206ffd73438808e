#include "flock_until.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

// glibc 2.36 has the option but no name for the member.
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static void ignore(int signal) { (void)signal; }

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

int flock_until(int descriptor, uint64_t microseconds) {
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return 0;
    if (errno != EWOULDBLOCK) return errno;

    const uint64_t end = now() + microseconds;
    // No SA_RESTART: the call must end.
    const struct sigaction action = {.sa_handler = ignore};
    struct sigaction previous;
    sigaction(SIGALRM, &action, &previous);
    // Whoever started this program may have blocked it.
    sigset_t alarm_only, mask;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &alarm_only, &mask);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
    event.sigev_notify_thread_id = gettid();
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return errno;
    const struct timespec first = {
        .tv_sec = (time_t)(microseconds / 1000000),
        .tv_nsec = (long)(microseconds % 1000000) * 1000 + 1,
    };
    // It goes on ticking: a signal that comes just before the call ends nothing.
    const struct itimerspec ticks = {.it_value = first, .it_interval = {.tv_nsec = 100000000}};
    timer_settime(timer, 0, &ticks, NULL);

    int error = 0;
    while (flock(descriptor, LOCK_EX) != 0) {
        error = errno;
        if (error != EINTR) break;
        error = ETIMEDOUT;
        if (now() >= end) break;
        error = 0;
    }
    timer_delete(timer);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGALRM, &previous, NULL);
    return error;
}
