// Attaches the empty programs of floor.bpf.o as the tracer attaches its own:
//   floor OBJECT syscalls               until its standard input ends
//   floor OBJECT function PATH OFFSET   until its standard input ends; entry and return of one function
//   floor OBJECT many PATH              those at the hexadecimal offsets on its standard input; prints how many
//                                       milliseconds attaching and detaching took
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "CTracerBPF.h"

enum { MOST = 16384, TRACE_UPROBE_MULTI = 48 };

static struct bpf_program *program(struct bpf_object *object, const char *name) {
    return bpf_object__find_program_by_name(object, name);
}

static double now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int attach(struct bpf_object *object, const char *path, const uint64_t *offsets, uint32_t count, int links[2]) {
    static uint64_t cookies[MOST];

    links[0] = datacrumbs_uprobe_multi(bpf_program__fd(program(object, "floor_function_enter")), path, offsets,
                                       cookies, count, DC_UPROBE_ENTRY);
    links[1] = datacrumbs_uprobe_multi(bpf_program__fd(program(object, "floor_function_return")), path, offsets,
                                       cookies, count, DC_UPROBE_RETURN);
    return links[0] >= 0 && links[1] >= 0;
}

int main(int argc, char **argv) {
    static uint64_t offsets[MOST];
    struct bpf_object *object;
    double begin, attached;
    uint32_t count = 0;
    char line[256];
    int links[2];

    if (argc < 3) {
        fprintf(stderr, "usage: floor OBJECT syscalls | function PATH OFFSET | many PATH\n");
        return 64;
    }
    object = bpf_object__open(argv[1]);
    if (!object)
        return 66;
    for (int i = 0; i < 2; i++)
        bpf_program__set_expected_attach_type(
            program(object, i ? "floor_function_return" : "floor_function_enter"), TRACE_UPROBE_MULTI);
    if (bpf_object__load(object))
        return 69;
    if (strcmp(argv[2], "syscalls") == 0) {
        if (!bpf_program__attach(program(object, "floor_enter")) ||
            !bpf_program__attach(program(object, "floor_exit")))
            return 69;
    } else if (strcmp(argv[2], "function") == 0 && argc == 5) {
        offsets[0] = strtoull(argv[4], NULL, 16);
        if (!attach(object, argv[3], offsets, 1, links))
            return 69;
    } else if (strcmp(argv[2], "many") == 0 && argc == 4) {
        while (count < MOST && fgets(line, sizeof(line), stdin))
            offsets[count++] = strtoull(line, NULL, 16);
        // The first uprobe after a while waits for a grace period (percpu_down_write of dup_mmap_sem), as the tracer's
        // does; an earlier run's detaching would hide that.
        usleep(200000);
        begin = now();
        if (!attach(object, argv[3], offsets, count, links))
            return 69;
        attached = now();
        datacrumbs_close_all(links, 2);
        printf("%.3f %.3f\n", attached - begin, now() - attached);
        return 0;
    } else {
        return 64;
    }
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin))
        ;
    return 0;
}
