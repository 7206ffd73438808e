// Another thread than the first becomes the program that is given.
#include <pthread.h>
#include <unistd.h>

static void *become(void *arguments) {
    char **argv = arguments;

    execv(argv[1], argv + 1);
    _exit(1);
}

int main(int argc, char **argv) {
    pthread_t thread;

    if (argc < 2 || pthread_create(&thread, NULL, become, argv) != 0)
        return 1;
    for (;;)
        pause();
}
