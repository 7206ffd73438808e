// A thread with a given id (clone3's set_tid, as root) becomes the user, opens a file and runs a program.
// argv[1]: the id, argv[2]: the user, argv[3]: the file, argv[4]...: the program.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static char **arguments;

// By system calls alone: the thread is unknown to libc, and the rights are to be its own only.
static long call(long number, long a, long b, long c, long d) {
    register long r10 __asm__("r10") = d;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

static __attribute__((noreturn, used)) void live(void) {
    long user = 0;

    for (const char *digit = arguments[2]; *digit; digit++)
        user = user * 10 + (*digit - '0');
    if (call(SYS_setresuid, user, user, user, 0) == 0 &&
        call(SYS_openat, AT_FDCWD, (long)arguments[3], O_RDONLY, 0) >= 0)
        call(SYS_execve, (long)arguments[4], (long)(arguments + 4), (long)environ, 0);
    call(SYS_exit_group, 1, 0, 0, 0);
    __builtin_unreachable();
}

int main(int argc, char **argv) {
    static char stack[65536] __attribute__((aligned(16)));
    pid_t id;
    struct clone_args clone = {
        .flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
        .stack = (uintptr_t)stack,
        .stack_size = sizeof(stack),
        .set_tid = (uintptr_t)&id,
        .set_tid_size = 1,
    };
    long result;

    if (argc < 5)
        return 1;
    id = atoi(argv[1]);
    arguments = argv;
    __asm__ volatile("syscall\n"
                     "test %%rax, %%rax\n"
                     "jnz 1f\n"
                     "call live\n"
                     "1:"
                     : "=a"(result)
                     : "a"(SYS_clone3), "D"(&clone), "S"(sizeof(clone))
                     : "rcx", "r11", "memory");
    if (result < 0)
        return 2;
    for (;;)
        pause();
}
