// Calls that nest, recurse, are left by longjmp, by exit, by a signal's handler.
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRACED __attribute__((noipa))

static jmp_buf back;

TRACED int leaf(int value) {
    __asm__ volatile("" : "+r"(value) : : "memory");
    return value;
}

TRACED int recurse(int depth) {
    if (depth == 1)
        return leaf(1);
    int below = recurse(depth - 1);

    __asm__ volatile("" : "+r"(below) : : "memory");
    return below + 1;
}

TRACED void jumper(int value) {
    longjmp(back, value);
}

TRACED int outer(void) {
    volatile int count = 0;

    while (setjmp(back) < 10) {
        count++;
        jumper(count);
    }
    return count;
}

TRACED void leave(void) {
    _exit(0);
}

TRACED int wait_for_ever(void) {
    pause();
    return 0;
}

static void handler(int number) {
    (void)number;
    leaf(7);
}

TRACED int interrupted(void) {
    raise(SIGUSR1);
    __asm__ volatile("" : : : "memory");
    return 5;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    // Below the thread's own stack: the kernel takes a return probe whose stack pointer lies above
    // an outer one's for the outer one's (arch_uretprobe_is_alive).
    static char stack[1 << 16];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    sigset_t set;
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

    if (strcmp(what, "recurse") == 0)
        return recurse(20) != 20;
    if (strcmp(what, "longjmp") == 0)
        return outer() != 10;
    if (strcmp(what, "exit") == 0)
        leave();
    if (strcmp(what, "wait") == 0)
        return wait_for_ever();
    if (strcmp(what, "signal") == 0) {
        sigaltstack(&other, NULL);
        sigaction(SIGUSR1, &action, NULL);
        // Whoever started this may have blocked it.
        sigemptyset(&set);
        sigprocmask(SIG_SETMASK, &set, NULL);
        return interrupted() != 5;
    }
    return 1;
}
