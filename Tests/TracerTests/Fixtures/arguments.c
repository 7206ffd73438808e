// A function with arguments of several kinds.
#include <stddef.h>

__attribute__((noipa)) int copy_file(const char *from, int count, char *to, size_t size) {
    __asm__ volatile("" : : "r"(*from), "r"(count), "r"(to), "r"(size) : "memory");
    return 42;
}

int main(void) {
    char to[8];

    return copy_file("/some/where", -7, to, 1UL << 40) != 42;
}
