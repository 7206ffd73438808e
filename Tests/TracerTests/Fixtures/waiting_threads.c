// Eight threads that wait for SIGUSR1 and then have 100 calls of getppid each.
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_barrier_t start;

static void *work(void *unused) {
    (void)unused;
    pthread_barrier_wait(&start);
    for (int i = 0; i < 100; i++)
        syscall(SYS_getppid);
    return NULL;
}

int main(void) {
    pthread_t threads[8];
    sigset_t set;
    int number;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_barrier_init(&start, NULL, 9);
    for (int i = 0; i < 8; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return 1;
    sigwait(&set, &number);
    pthread_barrier_wait(&start);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
