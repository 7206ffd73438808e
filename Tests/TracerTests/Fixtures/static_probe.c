// A static probe, app:step, with two arguments. The note is written here as
// <sys/sdt.h> would (https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation).
static void step(int number, long value) {
    __asm__ volatile("990: nop\n"
                     ".pushsection .note.stapsdt,\"\",\"note\"\n"
                     ".balign 4\n"
                     ".4byte 992f-991f, 994f-993f, 3\n"
                     "991: .asciz \"stapsdt\"\n"
                     "992: .balign 4\n"
                     "993: .8byte 990b\n"
                     ".8byte _.stapsdt.base\n"
                     ".8byte 0\n"
                     ".asciz \"app\"\n"
                     ".asciz \"step\"\n"
                     ".asciz \"-4@%%edi 8@%%rsi\"\n"
                     "994: .balign 4\n"
                     ".popsection\n"
                     ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"
                     ".weak _.stapsdt.base\n"
                     ".hidden _.stapsdt.base\n"
                     "_.stapsdt.base: .space 1\n"
                     ".size _.stapsdt.base, 1\n"
                     ".popsection\n"
                     :
                     : "D"(number), "S"(value));
}

int main(void) {
    for (int i = 0; i < 10; i++)
        step(i - 5, (long)i << 33);
    return 0;
}
