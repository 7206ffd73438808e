// Times calls from inside the caller: `calls read|getppid|function COUNT` prints
// nanoseconds a call, the best of many short rounds: what other load does to a round shows in most
// of them, and in the best one least.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

__attribute__((noinline)) int bench_function(int value) {
    __asm__ volatile("" : "+r"(value) : : "memory");
    return value + 1;
}

static double now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
    static char buffer[512];
    double best = 1e18;
    const int rounds = 200;
    long count;
    int fd;

    if (argc != 3)
        return 64;
    count = atol(argv[2]) / rounds;
    fd = open("/dev/zero", O_RDONLY);
    for (int round = 0; round < rounds; round++) {
        double begin = now(), each;

        if (strcmp(argv[1], "read") == 0)
            for (long i = 0; i < count; i++)
                (void)!read(fd, buffer, sizeof(buffer));
        else if (strcmp(argv[1], "getppid") == 0)
            for (long i = 0; i < count; i++)
                syscall(SYS_getppid);
        else
            for (long i = 0; i < count; i++)
                bench_function(i);
        each = (now() - begin) / count;
        if (each < best)
            best = each;
    }
    printf("%.1f\n", best);
    return 0;
}
