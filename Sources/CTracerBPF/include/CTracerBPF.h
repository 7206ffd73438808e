// What the tracer needs from C: the compiled BPF object, the system calls of this
// architecture, bpf(2) commands that the installed libbpf lacks, and the ring
// buffer's two loads and one store with the memory order they need.
#ifndef CTRACERBPF_H
#define CTRACERBPF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/types.h>

#include "datacrumbs_record.h"

// tracer.bpf.o, embedded by object.c.
const void *datacrumbs_bpf_object(void);
size_t datacrumbs_bpf_object_size(void);

struct datacrumbs_syscall {
    const char *name;
    int number;
    const char *arguments;      // "fd:f buf:p count:z"; empty where none are known
};

extern const unsigned int datacrumbs_syscall_count;
// The entry at an index, NULL past the last.
const struct datacrumbs_syscall *datacrumbs_syscall_at(unsigned int index);

// What a program of a uprobe_multi link is called for: where a function begins, where it returns (Linux 6.6),
// or both, and then the latter only where it has asked for that at the former (Linux 6.13).
enum datacrumbs_uprobe { DC_UPROBE_ENTRY, DC_UPROBE_RETURN, DC_UPROBE_SESSION };

// As the program must have been loaded (expected_attach_type): enum bpf_attach_type of include/uapi/linux/bpf.h,
// which the headers of libbpf 1.1 lack.
enum { DC_TRACE_UPROBE_MULTI = 48, DC_TRACE_UPROBE_SESSION = 57 };

// Attaches a program to many offsets of one file in one call. Returns the link's descriptor or -errno.
int datacrumbs_uprobe_multi(int program, const char *path, const uint64_t *offsets,
                            const uint64_t *cookies, uint32_t count, enum datacrumbs_uprobe form);

// Closes descriptors, several at a time: taking a program off a uprobe waits for a grace period of the
// kernel's (kernel/events/uprobes.c, uprobe_unregister_sync), which waits at the same time can share.
void datacrumbs_close_all(const int *descriptors, size_t count);

// Whether the kernel takes such links.
int datacrumbs_has_uprobe_multi(enum datacrumbs_uprobe form);

// ENOENT and the like, NULL for a number without a name.
const char *datacrumbs_error_name(int number);

// A device number as the kernel has it, from stat(2)'s.
uint64_t datacrumbs_kernel_device(uint64_t device);

// Becomes a user for good: ids, groups, no capability, an empty bounding set, no way to gain
// any, and closed to debuggers. Returns 0 or -errno.
int datacrumbs_become(uid_t user, gid_t group, size_t count, const gid_t *groups);

// Whether a file has a string with a NUL before and behind it, as BTF has its names; -errno where it
// cannot be read.
int datacrumbs_file_contains(const char *path, const char *text);

static inline uint64_t datacrumbs_load_acquire(const volatile uint64_t *p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
static inline uint32_t datacrumbs_load_acquire32(const volatile uint32_t *p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
static inline void datacrumbs_store_release(volatile uint64_t *p, uint64_t value) {
    __atomic_store_n(p, value, __ATOMIC_RELEASE);
}
static inline void datacrumbs_store_full(volatile uint32_t *p, uint32_t value) {
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST);
}

#endif
