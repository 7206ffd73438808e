// Linked statically: no library that anybody could preload or probe.
#include <fcntl.h>
#include <unistd.h>

__attribute__((noipa)) int work(int descriptor) {
    char text[256];
    ssize_t count = read(descriptor, text, sizeof(text));

    return count > 0 ? 7 : 0;
}

int main(void) {
    int descriptor = open("/etc/hostname", O_RDONLY);

    return descriptor < 0 || work(descriptor) != 7;
}
