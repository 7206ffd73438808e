// Calls of libc that a test looks for: one that works, one that fails.
#include <stdio.h>

int main(void) {
    FILE *file = fopen("/etc/hostname", "r");

    if (file)
        fclose(file);
    return fopen("/nosuch", "r") != NULL;
}
