// Library functions that fail, with an errno, that fail without, and that succeed with one left over.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void *fail(void *unused) {
    // errno is the thread's own.
    (void)unused;
    return mkdir("/etc/hostname/x", 0700) == -1 ? NULL : "made";
}

int main(void) {
    pthread_t thread;
    void *result;
    char byte;

    if (fopen("/nosuch", "r") || read(-1, &byte, 1) != -1)
        return 1;
    if (pthread_create(&thread, NULL, fail, NULL) || pthread_join(thread, &result) || result)
        return 1;
    FILE *file = fopen("/etc/hostname", "r");

    // errno is still EBADF here.
    return errno != EBADF || !file || fclose(file) || close(open("/dev/null", O_RDONLY));
}
