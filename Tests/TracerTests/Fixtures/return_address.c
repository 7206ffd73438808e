// Ends with 1 where the kernel has put its own address in the place of a function's return address.
#define _GNU_SOURCE
#include <dlfcn.h>

__attribute__((noipa)) int look_back(void) {
    Dl_info info;

    return dladdr(__builtin_return_address(0), &info) == 0;
}

int main(void) {
    return look_back();
}
