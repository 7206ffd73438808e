// More threads than CPUs, each with calls of every kind that say which they are:
// `crush THREADS ROUNDS`. In round i a thread reads 1 + i % 500 bytes, calls crush_function(i),
// which returns 3 * i + 1, and now and then looks for a file that is called THREAD-I.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static long rounds;
static int zero;

__attribute__((noinline)) long crush_function(long i) {
    __asm__ volatile("" : "+r"(i) : : "memory");
    return 3 * i + 1;
}

static void *work(void *number) {
    char buffer[500], name[64];

    for (long i = 0; i < rounds; i++) {
        if (read(zero, buffer, 1 + i % 500) != 1 + i % 500 || crush_function(i) != 3 * i + 1)
            abort();
        if (i % 16 == 0) {
            snprintf(name, sizeof(name), "/crush/%ld-%ld", (long)number, i);
            if (open(name, O_RDONLY) >= 0)
                abort();
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    long count = argc == 3 ? atol(argv[1]) : 0;
    pthread_t threads[256];

    rounds = argc == 3 ? atol(argv[2]) : 0;
    zero = open("/dev/zero", O_RDONLY);
    if (count > 256 || zero < 0)
        return 2;
    for (long i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
            return 1;
    for (long i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
