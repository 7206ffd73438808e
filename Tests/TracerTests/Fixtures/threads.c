// Eight threads, each with 100 calls of getppid; or one that replaces the program by another one, which
// then has 100 calls: `threads exec`.
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *work(void *unused) {
    (void)unused;
    for (int i = 0; i < 100; i++)
        syscall(SYS_getppid);
    return NULL;
}

static void *replace(void *unused) {
    (void)unused;
    execl("/proc/self/exe", "threads", "replaced", (char *)0);
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[8];

    if (argc == 2 && strcmp(argv[1], "replaced") == 0) {
        work(NULL);
        return 0;
    }
    if (argc == 2) {
        if (pthread_create(&threads[0], NULL, replace, NULL) != 0)
            return 1;
        pthread_join(threads[0], NULL);
        return 2;
    }
    for (int i = 0; i < 8; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return 1;
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
