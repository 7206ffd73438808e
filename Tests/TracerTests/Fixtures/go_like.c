// A program with the section that the linker of Go leaves in every one.
__attribute__((section(".gopclntab"), used)) static const char tables[] = "pcln";

__attribute__((noinline)) int work(int number) {
    __asm__ volatile("" : "+r"(number));
    return number;
}

int main(void) { return work(0); }
