// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
// Programs that do nothing, on the hooks that the tracer uses: what the kernel itself costs.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("tp_btf/sys_enter")
int floor_enter(void *ctx) {
    return 0;
}

SEC("tp_btf/sys_exit")
int floor_exit(void *ctx) {
    return 0;
}

SEC("uprobe")
int floor_function_enter(void *ctx) {
    return 0;
}

SEC("uprobe")
int floor_function_return(void *ctx) {
    return 0;
}
