// Finds a name in the kernel's BTF without taking it apart.
#include "CTracerBPF.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PART = 1 << 16, LONGEST = 256 };

int datacrumbs_file_contains(const char *path, const char *text) {
    size_t length = strlen(text), kept = 0;
    char wanted[LONGEST], *buffer;
    int fd, found = 0;
    ssize_t n = 0;

    if (length + 2 > sizeof(wanted))
        return -EINVAL;
    memset(wanted, 0, sizeof(wanted));
    memcpy(wanted + 1, text, length);
    length += 2;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    buffer = malloc(LONGEST + PART);
    if (!buffer) {
        close(fd);
        return -ENOMEM;
    }
    // sysfs gives a page at a time; what may be the beginning of the string is kept for the next one.
    while (!found && (n = read(fd, buffer + kept, PART)) > 0) {
        size_t have = kept + (size_t)n;

        found = memmem(buffer, have, wanted, length) != NULL;
        kept = have < length - 1 ? have : length - 1;
        memmove(buffer, buffer + have - kept, kept);
    }
    if (n < 0)
        found = -errno;
    free(buffer);
    close(fd);
    return found;
}
