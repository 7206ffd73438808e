// Times calls from inside the caller: `calls read|getppid|function|application COUNT` prints
// nanoseconds a call, the best of many short rounds: what other load does to a round shows in most
// of them, and in the best one least.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

__attribute__((noinline)) int bench_function(int value) {
    __asm__ volatile("" : "+r"(value) : : "memory");
    return value + 1;
}

// What an application does between two calls: works out what it writes, for about 90 microseconds.
static void compute(uint64_t *words, size_t count) {
    static uint64_t state = 88172645463325252;

    for (int turn = 0; turn < 4; turn++) {
        for (size_t i = 0; i < count; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            words[i] = state;
        }
    }
}

static double now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
    static char buffer[512];
    static uint64_t block[128 * 1024 / sizeof(uint64_t)];
    double best = 1e18;
    const int rounds = 200;
    long count;
    int fd, file;

    if (argc != 3)
        return 64;
    count = atol(argv[2]) / rounds;
    fd = open("/dev/zero", O_RDONLY);
    file = memfd_create("bench", 0);
    for (int round = 0; round < rounds; round++) {
        double begin = now(), each;

        if (strcmp(argv[1], "read") == 0)
            for (long i = 0; i < count; i++)
                (void)!read(fd, buffer, sizeof(buffer));
        else if (strcmp(argv[1], "getppid") == 0)
            for (long i = 0; i < count; i++)
                syscall(SYS_getppid);
        else if (strcmp(argv[1], "application") == 0)
            for (long i = 0; i < count; i++) {
                compute(block, sizeof(block) / sizeof(block[0]));
                (void)!pwrite(file, block, sizeof(block), 0);
            }
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
