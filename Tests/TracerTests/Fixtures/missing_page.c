// Calls a function with a string in a page that nobody ever brings in (userfaultfd(2)), and waits.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((noipa)) int take(const char *path) {
    __asm__ volatile("" : : "r"(path) : "memory");
    return 0;
}

int main(void) {
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING, .range = {.len = 4096}};
    int faults = syscall(SYS_userfaultfd, O_CLOEXEC);
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    range.range.start = (unsigned long)page;
    if (faults < 0 || ioctl(faults, UFFDIO_API, &api) || ioctl(faults, UFFDIO_REGISTER, &range))
        return 1;
    take(page);
    for (;;)
        pause();
}
