// Eight threads, each with 100 calls of getppid.
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *work(void *unused) {
    (void)unused;
    for (int i = 0; i < 100; i++)
        syscall(SYS_getppid);
    return NULL;
}

int main(void) {
    pthread_t threads[8];

    for (int i = 0; i < 8; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return 1;
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
