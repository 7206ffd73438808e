// Two processes whose pids differ by 16384, each with 100 calls of getppid at a time when the other is
// there too: `crowd`. Needs CAP_CHECKPOINT_RESTORE to choose a pid.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void call(void) {
    for (int i = 0; i < 100; i++)
        syscall(SYS_getppid);
}

int main(void) {
    int to_parent[2], to_child[2], status;
    pid_t chosen = getpid() > 16384 ? getpid() - 16384 : getpid() + 16384;
    struct clone_args how = {
        .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&chosen, .set_tid_size = 1};
    char byte = 0;
    long child;

    // Taken by somebody: another pair of pids.
    if (kill(chosen, 0) == 0 || errno != ESRCH) {
        child = fork();
        if (child == 0)
            execl("/proc/self/exe", "crowd", (char *)0);
        waitpid(child, &status, 0);
        return WEXITSTATUS(status);
    }
    if (pipe(to_parent) != 0 || pipe(to_child) != 0)
        return 2;
    child = syscall(SYS_clone3, &how, sizeof(how));
    if (child < 0)
        return 3;
    if (child == 0) {
        call();
        return write(to_parent[1], &byte, 1) != 1 || read(to_child[0], &byte, 1) != 1;
    }
    if (read(to_parent[0], &byte, 1) != 1)
        return 4;
    call();
    if (write(to_child[1], &byte, 1) != 1 || waitpid(child, &status, 0) != child)
        return 5;
    // Alone again.
    call();
    return WEXITSTATUS(status);
}
