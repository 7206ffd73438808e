// Attaches the empty programs of floor.bpf.o until its standard input ends:
// `floor syscalls` or `floor uprobe PATH SYMBOL`.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

static struct bpf_program *program(struct bpf_object *object, const char *name) {
    return bpf_object__find_program_by_name(object, name);
}

int main(int argc, char **argv) {
    struct bpf_object *object;
    char byte;

    if (argc != 3 && argc != 5) {
        fprintf(stderr, "usage: floor OBJECT syscalls | floor OBJECT uprobe PATH SYMBOL\n");
        return 64;
    }
    object = bpf_object__open(argv[1]);
    if (!object || bpf_object__load(object))
        return 69;
    if (strcmp(argv[2], "syscalls") == 0) {
        if (!bpf_program__attach(program(object, "floor_enter")) ||
            !bpf_program__attach(program(object, "floor_exit")))
            return 69;
    } else {
        LIBBPF_OPTS(bpf_uprobe_opts, entry, .func_name = argv[4]);
        LIBBPF_OPTS(bpf_uprobe_opts, end, .func_name = argv[4], .retprobe = true);

        if (!bpf_program__attach_uprobe_opts(program(object, "floor_function_enter"), -1, argv[3],
                                             0, &entry) ||
            !bpf_program__attach_uprobe_opts(program(object, "floor_function_return"), -1, argv[3],
                                             0, &end))
            return 69;
    }
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    return 0;
}
