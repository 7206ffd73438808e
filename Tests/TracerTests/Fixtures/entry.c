// Begins at a function of its own, whose argument count lies where a return address would be.
__attribute__((noinline)) int work(int count) {
    __asm__ volatile("" : "+r"(count));
    return count;
}

__attribute__((noreturn, used)) void finish(long count) {
    __asm__ volatile("syscall" : : "a"(60L), "D"((long)work((int)count)) : "rcx", "r11");
    __builtin_unreachable();
}

__asm__(".globl begin\n"
        ".type begin, @function\n"
        "begin:\n"
        "mov (%rsp), %rdi\n"
        "and $-16, %rsp\n"
        "call finish\n"
        ".size begin, . - begin\n");
