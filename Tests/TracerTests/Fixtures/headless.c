// Its first thread ends, another one stays.
#include <pthread.h>
#include <unistd.h>

static void *stay(void *unused) {
    (void)unused;
    for (;;)
        pause();
}

int main(void) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, stay, NULL) != 0)
        return 1;
    pthread_exit(NULL);
}
