// bpf(2) commands newer than the installed libbpf, and the end of all privileges.
#include "CTracerBPF.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// BPF_F_UPROBE_MULTI_RETURN, include/uapi/linux/bpf.h of Linux 6.6; Debian 12's headers are older.
enum { UPROBE_MULTI_RETURN = 1 };

static uint32_t attach_type(enum datacrumbs_uprobe form) {
    return form == DC_UPROBE_SESSION ? DC_TRACE_UPROBE_SESSION : DC_TRACE_UPROBE_MULTI;
}

struct uprobe_multi_link {
    uint32_t prog_fd;
    uint32_t target_fd;
    uint32_t attach_type;
    uint32_t flags;
    uint64_t path;
    uint64_t offsets;
    uint64_t ref_ctr_offsets;
    uint64_t cookies;
    uint32_t count;
    uint32_t multi_flags;
    uint32_t pid;
    uint32_t unused;
};

static int link_create(struct uprobe_multi_link *link) {
    long fd = syscall(SYS_bpf, BPF_LINK_CREATE, link, sizeof(*link));

    return fd < 0 ? -errno : (int)fd;
}

int datacrumbs_uprobe_multi(int program, const char *path, const uint64_t *offsets,
                            const uint64_t *cookies, uint32_t count, enum datacrumbs_uprobe form) {
    struct uprobe_multi_link link = {
        .prog_fd = program,
        .attach_type = attach_type(form),
        .path = (uintptr_t)path,
        .offsets = (uintptr_t)offsets,
        .cookies = (uintptr_t)cookies,
        .count = count,
        .multi_flags = form == DC_UPROBE_RETURN ? UPROBE_MULTI_RETURN : 0,
    };

    return link_create(&link);
}

enum { CLOSERS = 8 };

struct closer {
    const int *descriptors;
    size_t first, count;
};

static void *close_some(void *argument) {
    const struct closer *closer = argument;

    for (size_t i = closer->first; i < closer->count; i += CLOSERS)
        close(closer->descriptors[i]);
    return NULL;
}

void datacrumbs_close_all(const int *descriptors, size_t count) {
    struct closer closers[CLOSERS];
    pthread_t threads[CLOSERS];
    int started[CLOSERS];

    for (size_t i = 0; i < CLOSERS; i++) {
        closers[i] = (struct closer){descriptors, i, count};
        // The last one's share is this thread's, and that of a thread that could not be had.
        started[i] = i + 1 < CLOSERS && i + 1 < count &&
                     pthread_create(&threads[i], NULL, close_some, &closers[i]) == 0;
    }
    for (size_t i = 0; i < CLOSERS; i++)
        if (!started[i])
            close_some(&closers[i]);
    for (size_t i = 0; i < CLOSERS; i++)
        if (started[i])
            pthread_join(threads[i], NULL);
}

int datacrumbs_has_uprobe_multi(enum datacrumbs_uprobe form) {
    // r0 = 0; exit
    static const struct bpf_insn code[] = {{.code = 0xb7}, {.code = 0x95}};
    struct uprobe_multi_link link = {.attach_type = attach_type(form)};
    union bpf_attr load;
    uint64_t offset = 0;
    int program, fd;

    memset(&load, 0, sizeof(load));
    load.prog_type = BPF_PROG_TYPE_KPROBE;
    load.expected_attach_type = attach_type(form);
    load.insns = (uintptr_t)code;
    load.insn_cnt = 2;
    load.license = (uintptr_t) "MIT";
    program = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
    if (program < 0)
        return 0;
    // A kernel that has the link looks at the path, which is no regular file: EBADF.
    link.prog_fd = program;
    link.path = (uintptr_t) "/";
    link.offsets = (uintptr_t)&offset;
    link.count = 1;
    fd = link_create(&link);
    if (fd >= 0)
        close(fd);
    close(program);
    return fd == -EBADF;
}

const char *datacrumbs_error_name(int number) {
    return strerrorname_np(number);
}

uint64_t datacrumbs_kernel_device(uint64_t device) {
    return (uint64_t)major(device) << 20 | minor(device);
}

int datacrumbs_become(uid_t user, gid_t group, size_t count, const gid_t *groups) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2];

    // The bounding set goes while there still is a capability to do so.
    // EINVAL: past the last capability of this kernel. EPERM: no CAP_SETPCAP to begin with.
    for (int capability = 0; capability < 64; capability++)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL && errno != EPERM)
            return -errno;
    if (setgroups(count, groups) < 0 || setresgid(group, group, group) < 0 ||
        setresuid(user, user, user) < 0)
        return -errno;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    memset(none, 0, sizeof(none));
    if (syscall(SYS_capset, &header, none) < 0)
        return -errno;
    // The user owns this process now, but not the maps and links that it holds.
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -errno;
    return 0;
}
