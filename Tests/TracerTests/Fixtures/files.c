// Writes 200 files of the folder given, one after the other, removing each: the kernel gives the
// next one the same descriptor and, likely, the same memory.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
    char path[4096];

    for (int i = 0; argc > 1 && i < 200; i++) {
        snprintf(path, sizeof(path), "%s/file-%d", argv[1], i);
        int fd = open(path, O_CREAT | O_WRONLY, 0600);

        if (fd < 0 || write(fd, path, 1) != 1 || close(fd) != 0 || unlink(path) != 0)
            return 1;
    }
    return 0;
}
