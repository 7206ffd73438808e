// Another thread than the first says its number and becomes a program that the kernel gives up on once the
// first thread has gone: its segment lies where no user's memory may. The process dies of it.
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void write_program(const char *path) {
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segment;
    } program = {
        .header = {.e_type = ET_EXEC,
                   .e_machine = EM_X86_64,
                   .e_version = EV_CURRENT,
                   .e_phoff = sizeof(Elf64_Ehdr),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 1},
        .segment = {.p_type = PT_LOAD,
                    .p_flags = PF_R | PF_X,
                    .p_vaddr = 0xffff800000000000,
                    .p_filesz = 4096,
                    .p_memsz = 4096,
                    .p_align = 4096},
    };
    int file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0700);

    memcpy(program.header.e_ident, ELFMAG, SELFMAG);
    program.header.e_ident[EI_CLASS] = ELFCLASS64;
    program.header.e_ident[EI_DATA] = ELFDATA2LSB;
    program.header.e_ident[EI_VERSION] = EV_CURRENT;
    (void)!write(file, &program, sizeof(program));
    (void)!ftruncate(file, 8192);
    close(file);
}

static void *become(void *name) {
    char *argv[] = {"./doomed", NULL};
    FILE *file = fopen(name, "w");

    write_program(argv[0]);
    fprintf(file, "%ld", syscall(SYS_gettid));
    fclose(file);
    execv(argv[0], argv);
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t thread;

    if (argc != 2 || pthread_create(&thread, NULL, become, argv[1]) != 0)
        return 1;
    pthread_join(thread, NULL);
    return 2;
}
