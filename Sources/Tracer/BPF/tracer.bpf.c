// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
// The tracer's kernel side. Whether a task is marked a slot tells that its pid names; a call of a
// marked one costs two readings of the clock and one record, written when the call
// returns and holding only what was asked for.
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <bpf/usdt.bpf.h>

#include "datacrumbs_record.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

// Set before loading.
const volatile dc_u64 job_id = 0;
const volatile dc_u32 user_id = 0;
const volatile dc_u64 namespace_device = 0;
const volatile dc_u64 namespace_inode = 0;
const volatile dc_u32 execve_number = 0;
const volatile dc_u32 execveat_number = 0;
const volatile struct dc_capture syscalls[DC_SYSCALLS] = {};

// Whether the kernel has bpf_rdonly_cast.
const volatile dc_u32 has_rdonly_cast = 0;
const volatile dc_u32 is_profile = 0;
// The job's cgroup, where tasks are marked by it: a path, or a name in one, with a slash in front.
const volatile dc_u32 cgroup_length = 0;
const volatile dc_u32 cgroup_is_path = 0;
const volatile char cgroup_name[DC_CGROUP_SIZE] = {};

// Only calls on files below these are kept, 0: all. Then what open(2) and its like give is looked
// up too: a relative path says too little.
const volatile dc_u32 folder_count = 0;
const volatile struct dc_folder folders[DC_FOLDERS] = {};

// Shared with user space through the mapped .bss.
struct dc_counts counts = {};
// The path of the cgroup that is being looked at.
char cgroup_path[DC_CGROUP_SIZE] = {};

static __always_inline void count(dc_u64 *counter) {
    __sync_fetch_and_add(counter, 1);
}

#include "rings.h"
#include "tasks.h"
#include "sums.h"

// One function call in flight.
struct frame {
    dc_u64 start;
    dc_u64 stack_pointer;
    dc_u64 cookie;
    dc_u64 file;
    dc_u64 address;     // the function's, where errno is found by it
    dc_u64 arguments[DC_ARGUMENTS];
};

struct frames {
    dc_u32 depth;
    dc_u32 pid;
    dc_u32 tid;
    dc_u32 unused;
    struct frame frame[DC_FRAMES];
};

// A record with strings is put together here.
struct scratch {
    // Of the payload. Kept here, where the verifier expects any number, and not on the stack, where it
    // follows what a loop makes of it.
    dc_u64 length;
    struct dc_record record;
    dc_u8 payload[8 + DC_ARGUMENTS * 8 + DC_STRINGS * (DC_STRING_SIZE + 2) + 64];
};

// A file below none of the folders: no key has this value, keys are odd.
#define EXCLUDED 2ULL

// The path that exec runs, kept from where the kernel knows it to the call's end.
struct exec_path {
    dc_u32 length;
    char bytes[DC_STRING_SIZE];
};

extern void *bpf_rdonly_cast(const void *address, dc_u32 type) __ksym __weak;

// Keys of files whose path has been written, 1, or that lie below none of the folders, 2.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, DC_SEEN_FILES);
    __type(key, dc_u64);
    __type(value, dc_u8);
} seen_files SEC(".maps");

#define TASK_STORAGE(name, value_type)             \
    struct {                                       \
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);   \
        __uint(map_flags, BPF_F_NO_PREALLOC);      \
        __type(key, int);                          \
        __type(value, value_type);                 \
    } name SEC(".maps")

TASK_STORAGE(calls, struct frames);
TASK_STORAGE(scratches, struct scratch);
TASK_STORAGE(exec_paths, struct exec_path);

// A call whose strings are wanted.
struct long_call {
    struct dc_record record;
    dc_u64 arguments[DC_ARGUMENTS];
    dc_u64 file;
    dc_u64 is_exec;
};

// Writes a call with its strings, put together in memory of the task's own. Global, so that the
// verifier looks at it once.
__noinline int put_with_strings(const struct long_call *call) {
    struct task_struct *task = bpf_get_current_task_btf();
    struct scratch *scratch;
    struct exec_path *exec = NULL;
    dc_u64 at = 0;

    if (!call)
        return 0;
    scratch = bpf_task_storage_get(&scratches, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!scratch) {
        count(&counts.lost_no_memory);
        return 0;
    }
    if (call->is_exec)
        exec = bpf_task_storage_get(&exec_paths, task, 0, 0);
    if (exec && !exec->length)
        exec = NULL;
    scratch->record = call->record;
    *(dc_u64 *)scratch->payload = call->file;
    at = call->file ? 8 : 0;
#pragma unroll
    for (int i = 0; i < DC_ARGUMENTS; i++) {
        asm volatile("" : "+r"(at));
        *(dc_u64 *)&scratch->payload[at & 56] = call->arguments[i];
        at += (call->record.values >> i & 1) * 8;
    }
    scratch->length = at;
    for (int i = 0; i < DC_ARGUMENTS; i++) {
        dc_u64 length;
        long n;

        if (!(call->record.strings & (1 << i)))
            continue;
        at = *(volatile dc_u64 *)&scratch->length;
        // The barriers keep the compiler from dropping, or moving, the bounds that it has proved
        // and the verifier of Linux 6.1 has not.
        asm volatile("" : "+r"(at));
        if (at > sizeof(scratch->payload) - 2 - DC_STRING_SIZE)
            break;
        if (exec) {
            n = bpf_probe_read_kernel_str(&scratch->payload[at + 2], DC_STRING_SIZE, exec->bytes);
            exec->length = 0;
        } else {
            n = bpf_probe_read_user_str(&scratch->payload[at + 2], DC_STRING_SIZE,
                                        (const void *)call->arguments[i]);
        }
        if (n > 0) {
            length = n - 1;
        } else {
            length = 0;
            scratch->record.flags |= DC_NO_STRING;
            count(&counts.unreadable_strings);
        }
        asm volatile("" : "+r"(length));
        length &= DC_STRING_SIZE - 1;
        scratch->payload[at] = length & 0xff;
        scratch->payload[at + 1] = length >> 8;
        *(volatile dc_u64 *)&scratch->length = at + 2 + length;
    }
    at = *(volatile dc_u64 *)&scratch->length;
    asm volatile("" : "+r"(at));
    if (at <= sizeof(scratch->payload))
        put_long(ring_of_calls(), &scratch->record, sizeof(scratch->record) + at);
    return 0;
}

// ---- inclusion ----

// Compares a folder with a part of what is in the scratch, byte by byte.
struct comparison {
    struct scratch *scratch;
    dc_u32 folder;
    dc_u32 at;
    int upward;
    int differs;
};

static long compare_byte(dc_u32 number, struct comparison *comparison) {
    dc_u32 folder = comparison->folder;
    dc_u64 at = comparison->at + number;
    char byte;

    if (folder >= DC_FOLDERS || number >= DC_FOLDER_SIZE)
        return 1;
    if (number >= folders[folder].length)
        return 1;
    byte = comparison->upward ? folders[folder].upward[number] : folders[folder].forward[number];
    asm volatile("" : "+r"(at));
    if (at >= sizeof(comparison->scratch->payload) ||
        (char)comparison->scratch->payload[at] != byte) {
        comparison->differs = 1;
        return 1;
    }
    return 0;
}

// The scratch has the names from a file up to the root, `length` bytes: whether it is below a folder.
// Global, so that the verifier looks at it once.
__noinline int is_below(struct scratch *scratch, dc_u32 length) {
    struct comparison comparison = {.scratch = scratch, .upward = 1};

    if (!scratch)
        return 0;
    for (dc_u32 i = 0; i < DC_FOLDERS && i < folder_count; i++) {
        dc_u64 size = folders[i].length, before = length - size - 1;

        if (size > length || size > DC_FOLDER_SIZE)
            continue;
        // Whole names only.
        asm volatile("" : "+r"(before));
        if (size && size < length &&
            (before >= sizeof(scratch->payload) || scratch->payload[before]))
            continue;
        comparison.folder = i;
        comparison.at = length - size;
        comparison.differs = 0;
        bpf_loop(DC_FOLDER_SIZE, compare_byte, &comparison, 0);
        if (!comparison.differs)
            return 1;
    }
    return 0;
}

// The scratch has a path with its NUL: whether it begins with a folder.
__noinline int begins_with_folder(struct scratch *scratch) {
    struct comparison comparison = {.scratch = scratch};

    if (!scratch || scratch->payload[0] != '/')
        return 0;
    for (dc_u32 i = 0; i < DC_FOLDERS && i < folder_count; i++) {
        dc_u64 size = folders[i].length;

        comparison.folder = i;
        comparison.differs = 0;
        bpf_loop(DC_FOLDER_SIZE, compare_byte, &comparison, 0);
        asm volatile("" : "+r"(size));
        if (!comparison.differs && size < DC_FOLDER_SIZE &&
            (!size || !scratch->payload[size] || scratch->payload[size] == '/'))
            return 1;
    }
    return 0;
}

// Whether one of a call's paths begins with a folder.
static __noinline int names_included(const dc_u64 *arguments, dc_u32 strings, int is_exec) {
    struct task_struct *task = bpf_get_current_task_btf();
    struct scratch *scratch;
    struct exec_path *exec;
    int is_included;

    scratch = bpf_task_storage_get(&scratches, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!scratch || !arguments)
        return 0;
    if (is_exec) {
        exec = bpf_task_storage_get(&exec_paths, task, 0, 0);
        if (exec && exec->length) {
            bpf_probe_read_kernel_str(scratch->payload, DC_FOLDER_SIZE + 1, exec->bytes);
            is_included = begins_with_folder(scratch);
            // Otherwise it is read again, and reset, for the record.
            if (!is_included || is_profile)
                exec->length = 0;
            return is_included;
        }
    }
#pragma unroll
    for (int i = 0; i < DC_ARGUMENTS; i++) {
        // A longer one is cut, behind all that is compared.
        if (strings & (1 << i) && bpf_probe_read_user_str(scratch->payload, DC_FOLDER_SIZE + 1,
                                                          (const void *)arguments[i]) > 0 &&
            begins_with_folder(scratch))
            return 1;
    }
    return 0;
}

// Writes a call, or adds it up.
static __always_inline void put_call(struct task_state *state, struct dc_record *record,
                                     const dc_u64 *arguments, dc_u64 file, int is_exec) {
    if (folder_count && !file && !names_included(arguments, record->strings, is_exec))
        return;
    if (is_profile) {
        add_to_sums(state, record);
        return;
    }
    if (file)
        record->flags |= DC_HAS_FILE;
    if (record->strings) {
        struct long_call call = {.record = *record, .file = file, .is_exec = is_exec};

        __builtin_memcpy(call.arguments, arguments, sizeof(call.arguments));
        put_with_strings(&call);
        return;
    }
    put_integers(record, arguments, file);
}

static __always_inline void name_task(struct task_state *state, struct task_struct *task) {
    state->tid = pid_at(task, state->level);
    state->pid = pid_at(BPF_CORE_READ(task, group_leader), state->level);
}

static __always_inline dc_u32 effective_user(struct task_struct *task) {
    dc_u32 user = -1;

    BPF_CORE_READ_INTO(&user, task, cred, euid.val);
    return user;
}

// ---- marking ----

// A task's process by its name.
static __always_inline void put_process(const struct task_state *state, struct task_struct *task,
                                        dc_u32 parent) {
    struct {
        struct dc_record record;
        char name[DC_NAME_SIZE];
    } process = {.record = {.start = bpf_ktime_get_ns(),
                            .result = parent,
                            .pid = state->pid,
                            .tid = state->tid,
                            .kind = DC_KIND_PROCESS}};

    bpf_core_read(process.name, sizeof(process.name), &task->comm);
    process.name[sizeof(process.name) - 1] = 0;
    // Of the two names that fork and exec give a process, on one CPU or two, the later stands behind.
    put(ring_of_definitions(), &process, sizeof(process));
}

SEC("uprobe")
int mark(struct pt_regs *ctx) {
    struct task_struct *task;
    struct task_state *state;
    struct bpf_pidns_info ids = {};
    dc_u32 user;

    if (ctx->di != job_id)
        return 0;
    if (bpf_get_ns_current_pid_tgid(namespace_device, namespace_inode, &ids, sizeof(ids)))
        return 0;
    task = bpf_get_current_task_btf();
    user = effective_user(task);
    // Nobody but the user and the scheduler has a say in which tasks are the job's.
    if (user && user != user_id)
        return 0;
    state = state_of(task);
    if (state && state->active)
        return 0;
    state = claim_state(task);
    if (!state)
        return 0;
    state->pid = ids.tgid;
    state->tid = ids.pid;
    state->level = BPF_CORE_READ(task, thread_pid, level);
    // Before it becomes the user's, the task runs the scheduler's code: no part of the job.
    state->active = user == user_id;
    count(&counts.marked);
    if (state->active)
        put_process(state, task, 0);
    return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(task_fork, struct task_struct *parent, struct task_struct *child) {
    struct task_state *from = state_of(parent);
    struct task_state *to;

    if (!from)
        return 0;
    to = claim_state(child);
    if (!to)
        return 0;
    to->level = from->level;
    to->active = from->active;
    name_task(to, child);
    if (to->pid != from->pid)
        put_process(to, child, from->pid);
    return 0;
}

// ---- marking by cgroup ----

// The depth at which a task has a pid in the tracer's pid namespace, -1: it is not in there.
static __always_inline int level_here(struct task_struct *task) {
    struct pid *pid = BPF_CORE_READ(task, thread_pid);
    dc_u32 deepest = BPF_CORE_READ(pid, level);

#pragma unroll
    for (dc_u32 level = 0; level < DC_LEVELS; level++) {
        struct pid_namespace *space = NULL;

        if (level > deepest)
            break;
        bpf_core_read(&space, sizeof(space),
                      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
                          level * bpf_core_type_size(struct upid) +
                          bpf_core_field_offset(struct upid, ns));
        if (BPF_CORE_READ(space, ns.inum) == namespace_inode)
            return level;
    }
    return -1;
}

// include/linux/sched.h: it is being shut down.
#define PF_EXITING 0x4

// Marks a task of the job's cgroup that is not marked yet.
static __always_inline void mark_task(struct task_struct *task) {
    struct task_state *state;
    const struct cred *cred;
    dc_u32 real = -1, saved = -1;
    dc_u64 capabilities = -1;
    int level;

    // What task_exit has seen, or will not see any more, would stay marked.
    if (BPF_CORE_READ(task, flags) & PF_EXITING || state_of(task))
        return;
    level = level_here(task);
    if (level < 0)
        return;
    state = claim_state(task);
    if (!state)
        return;
    state->level = level;
    name_task(state, task);
    if (BPF_CORE_READ(task, flags) & PF_EXITING) {
        forget_state(task, task->pid);
        return;
    }
    // What still has, or could take back, another user's rights is the scheduler's or a program that
    // gained privileges: it counts once it has run a program of the user's. In a user namespace that is
    // not the first one, as in a container without root, capabilities take nothing from anybody else.
    BPF_CORE_READ_INTO(&real, task, cred, uid.val);
    BPF_CORE_READ_INTO(&saved, task, cred, suid.val);
    cred = BPF_CORE_READ(task, cred);
    bpf_core_read(&capabilities, sizeof(capabilities), &cred->cap_permitted);
    state->active = effective_user(task) == user_id && real == user_id && saved == user_id &&
                    (!capabilities || BPF_CORE_READ(task, cred, user_ns, level));
    count(&counts.marked);
    if (state->active)
        put_process(state, task, 0);
}

struct cgroup_search {
    dc_u32 at;
    int differs;
    int found;
};

static long compare_cgroup(dc_u32 number, struct cgroup_search *search) {
    dc_u32 at = search->at + number;

    if (number >= cgroup_length || number >= DC_CGROUP_SIZE || at >= DC_CGROUP_SIZE)
        return 1;
    if (cgroup_path[at] != cgroup_name[number]) {
        search->differs = 1;
        return 1;
    }
    return 0;
}

// Looks for the name at one place of the path.
static long look_for_cgroup(dc_u32 place, struct cgroup_search *search) {
    dc_u32 end = place + cgroup_length;

    if (place >= DC_CGROUP_SIZE || end >= DC_CGROUP_SIZE || !cgroup_path[place])
        return 1;
    if (cgroup_path[place] != '/')
        return 0;
    search->at = place;
    search->differs = 0;
    bpf_loop(DC_CGROUP_SIZE, compare_cgroup, search, 0);
    if (search->differs || (cgroup_path[end] && cgroup_path[end] != '/'))
        return 0;
    search->found = 1;
    return 1;
}

// A process comes into a cgroup, of either version. The kernel holds a lock around this, so that the
// path's buffer is nobody else's (TRACE_CGROUP_PATH, kernel/cgroup/cgroup-internal.h).
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(cgroup_entered, struct cgroup *group, const char *path, struct task_struct *task) {
    struct cgroup_search search = {};

    if (bpf_probe_read_kernel_str(cgroup_path, sizeof(cgroup_path), path) <= 0)
        return 0;
    // A whole path is looked for at its beginning alone.
    bpf_loop(cgroup_is_path ? 1 : DC_CGROUP_SIZE, look_for_cgroup, &search, 0);
    if (search.found)
        mark_task(task);
    return 0;
}

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, DC_PROCESSES);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, dc_u32);
    __type(value, dc_u8);
} processes SEC(".maps");

// The threads of the processes that are in the cgroup when the tracer starts.
SEC("iter/task")
int mark_running(struct bpf_iter__task *ctx) {
    struct task_struct *task = ctx->task;
    dc_u32 process;
    int level;

    if (!task)
        return 0;
    level = level_here(task);
    if (level < 0)
        return 0;
    process = pid_at(BPF_CORE_READ(task, group_leader), level);
    if (bpf_map_lookup_elem(&processes, &process))
        mark_task(task);
    return 0;
}

// ---- files ----

// Where the way from a file up to the root has come.
struct climb {
    struct scratch *scratch;
    struct dentry *dentry;
    struct vfsmount *mount;
};

static __always_inline int add_name(struct climb *climb) {
    struct dentry *dentry = climb->dentry;
    dc_u64 at = climb->scratch->length;
    long n;

    asm volatile("" : "+r"(at));
    if (at > DC_STRING_SIZE)
        return 0;
    n = bpf_probe_read_kernel_str(&climb->scratch->payload[at], 256,
                                  BPF_CORE_READ(dentry, d_name.name));
    if (n <= 0 || n > 256)
        return 0;
    climb->scratch->length = at + n;
    return 1;
}

static long climb_once(dc_u32 step, struct climb *climb) {
    struct vfsmount *mounted = climb->mount;
    struct dentry *dentry = climb->dentry;
    struct dentry *root = BPF_CORE_READ(mounted, mnt_root);
    struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

    if (dentry == root || dentry == parent) {
        struct mount *mount = (void *)mounted - bpf_core_field_offset(struct mount, mnt);
        struct mount *above = BPF_CORE_READ(mount, mnt_parent);

        if (dentry != root || above == mount || !above) {
            // The top; what has no path, a pipe say, has only its own name.
            if (step == 0)
                add_name(climb);
            return 1;
        }
        climb->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
        climb->mount = (void *)above + bpf_core_field_offset(struct mount, mnt);
        return 0;
    }
    if (!add_name(climb))
        return 1;
    climb->dentry = parent;
    return 0;
}

// linux/magic.h: pipes, sockets and anonymous inodes, which lie in no folder.
static __always_inline int has_no_path(dc_s64 file_system) {
    return file_system == 0x50495045 || file_system == 0x534f434b || file_system == 0x09041934;
}

// Writes which path a file has: its names from the last up to the root, through mounts.
// Returns 2 where the file is below none of the folders: then nothing is written; and 0 where it could
// not be written.
// Global, so that the verifier looks at it once.
__noinline int put_file(dc_u64 address, dc_u64 key) {
    struct file *file = (struct file *)address;
    struct climb climb = {};
    dc_u8 seen = 1;

    climb.scratch = bpf_task_storage_get(&scratches, bpf_get_current_task_btf(), 0,
                                         BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!climb.scratch) {
        count(&counts.lost_no_memory);
        return 0;
    }
    climb.scratch->length = 0;
    __builtin_memset(&climb.scratch->record, 0, sizeof(climb.scratch->record));
    climb.scratch->record.kind = DC_KIND_FILE;
    climb.scratch->record.start = key;
    climb.scratch->record.duration = BPF_CORE_READ(file, f_inode, i_ino);
    climb.scratch->record.result = BPF_CORE_READ(file, f_inode, i_sb, s_magic);
    climb.dentry = BPF_CORE_READ(file, f_path.dentry);
    climb.mount = BPF_CORE_READ(file, f_path.mnt);
    if (bpf_loop(DC_COMPONENTS, climb_once, &climb, 0) == DC_COMPONENTS)
        climb.scratch->record.flags = DC_NO_STRING;
    if (folder_count && (has_no_path(climb.scratch->record.result) || climb.scratch->record.flags ||
                         !is_below(climb.scratch, climb.scratch->length)))
        seen = 2;
    if (seen == 1 && !is_profile &&
        !put_long(ring_of_definitions(), &climb.scratch->record,
                  sizeof(climb.scratch->record) + climb.scratch->length))
        return 0;
    bpf_map_update_elem(&seen_files, &key, &seen, BPF_ANY);
    return seen;
}

// By loads that the kernel guards, Linux 6.2 and later: a third of the time of the helper's.
static __always_inline dc_u64 read_entry(struct fdtable *table, dc_u32 number,
                                         volatile struct entry *entry) {
    // An address whose first word is a pointer, to the verifier.
    struct path *slot = bpf_rdonly_cast(table->fd + number, bpf_core_type_id_kernel(struct path));
    struct file *file = bpf_rdonly_cast(slot->mnt, bpf_core_type_id_kernel(struct file));
    struct dentry *dentry;
    dc_u64 address;

    entry->dentry = (dc_u64)file;
    address = entry->dentry;
    dentry = file->f_path.dentry;
    entry->dentry = (dc_u64)dentry;
    entry->parent = (dc_u64)dentry->d_parent;
    entry->hash_len = dentry->d_name.hash_len;
    return address;
}

static __always_inline dc_u64 read_entry_slowly(struct fdtable *table, dc_u32 number,
                                                volatile struct entry *entry) {
    struct file *file = NULL;
    struct dentry *dentry = NULL;
    dc_u64 parent = 0, hash_len = 0;

    bpf_probe_read_kernel(&file, sizeof(file), table->fd + number);
    bpf_core_read(&dentry, sizeof(dentry), &file->f_path.dentry);
    bpf_core_read(&parent, sizeof(parent), &dentry->d_parent);
    bpf_core_read(&hash_len, sizeof(hash_len), &dentry->d_name.hash_len);
    entry->dentry = (dc_u64)dentry;
    entry->parent = parent;
    entry->hash_len = hash_len;
    return (dc_u64)file;
}

// What names a file as long as it keeps its place: the kernel reuses the memory of files
// and names, so the name's hash and its folder are a part of the key.
static __always_inline dc_u64 file_key(struct task_struct *task, struct task_state *state,
                                       dc_u64 descriptor) {
    struct fdtable *table = task->files->fdt;
    dc_u32 number = descriptor, slot = number & (DC_RECENT_FILES - 1);
    volatile struct entry *entry = &state->entry;
    dc_u64 file, key, name;
    dc_u8 *known;
    int seen;

    if (number >= table->max_fds)
        return 0;
    file = has_rdonly_cast ? read_entry(table, number, entry)
                           : read_entry_slowly(table, number, entry);
    if (!file)
        return 0;
    name = entry->hash_len;
    key = entry->dentry * 0x9e3779b97f4a7c15ULL + name;
    key = (key ^ key >> 29) * 0xbf58476d1ce4e5b9ULL + entry->parent;
    if (!(name >> 32))
        key += BPF_CORE_READ((struct file *)file, f_inode, i_ino);
    key = (key ^ key >> 32) | 1;
    // In profile mode sums are remembered in that place.
    if (!is_profile && state->recent[slot] == key)
        return key;
    if (!is_profile && folder_count && state->recent[slot] == key - 1)
        return EXCLUDED;
    known = bpf_map_lookup_elem(&seen_files, &key);
    seen = known ? *known : put_file(file, key);
    // What could not be written is tried again.
    if (!is_profile && seen)
        state->recent[slot] = seen == 2 ? key - 1 : key;
    return seen == 2 ? EXCLUDED : key;
}

// ---- system calls ----

static __always_inline dc_u64 argument(struct pt_regs *regs, dc_u32 number) {
    switch (number) {
    case 0:
        return regs->di;
    case 1:
        return regs->si;
    case 2:
        return regs->dx;
    case 3:
        return regs->r10;
    case 4:
        return regs->r8;
    default:
        return regs->r9;
    }
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long number) {
    struct task_struct *task;
    struct task_state *state;

    if ((unsigned long)number >= DC_SYSCALLS || !syscalls[number].wanted)
        return 0;
    task = bpf_get_current_task_btf();
    state = state_of(task);
    if (!state || !state->active)
        return 0;
    if (task->thread_info.status & TS_COMPAT) {
        count(&counts.compat);
        return 0;
    }
    state->number = number;
    if (syscalls[number].file && (!is_profile || folder_count)) {
        dc_u64 file = file_key(task, state, argument(regs, syscalls[number].file - 1));

        if (folder_count && (!file || file == EXCLUDED))
            return 0;
        state->file = file;
    } else if (folder_count && !syscalls[number].strings) {
        return 0;
    }
    state->entered = bpf_ktime_get_ns();
    return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long result) {
    struct task_struct *task;
    struct task_state *state;
    struct dc_record record;
    dc_u64 arguments[DC_ARGUMENTS];
    dc_u64 number = regs->orig_ax, file;

    // rt_sigreturn comes back with -1 here.
    if (number < DC_SYSCALLS && !syscalls[number].wanted)
        return 0;
    task = bpf_get_current_task_btf();
    state = state_of(task);
    if (!state || !state->entered)
        return 0;
    record.start = state->entered;
    record.duration = bpf_ktime_get_ns() - record.start;
    state->entered = 0;
    file = state->file;
    state->file = 0;
    number = state->number;
    if (number >= DC_SYSCALLS)
        return 0;
    if (folder_count && syscalls[number].opens && result >= 0) {
        file = file_key(task, state, result);
        if (file == EXCLUDED)
            return 0;
    }
    record.result = result;
    record.pid = state->pid;
    record.tid = state->tid;
    record.function = number;
    record.kind = DC_KIND_SYSCALL;
    record.flags = 0;
    record.values = syscalls[number].values;
    record.strings = syscalls[number].strings;
    arguments[0] = regs->di;
    arguments[1] = regs->si;
    arguments[2] = regs->dx;
    arguments[3] = regs->r10;
    arguments[4] = regs->r8;
    arguments[5] = regs->r9;
    put_call(state, &record, arguments, file,
             number == execve_number || number == execveat_number);
    return 0;
}

// ---- functions ----

#define COOKIE_INDEX(c) ((dc_u32)(c))
#define COOKIE_VALUES(c) (((c) >> 32) & 0xff)
#define COOKIE_STRINGS(c) (((c) >> 40) & 0xff)
#define COOKIE_FILE(c) (((c) >> 48) & 7)
// Whether anything but the result is kept.
#define COOKIE_CAPTURES(c) ((c) >> 32 & 0x7ffff)
// 1: returns -1 where it sets errno, 2: NULL, 0: sets none that can be found.
#define COOKIE_ERRNO(c) (((c) >> 51) & 3)
#define COOKIE_IS_KERNEL(c) ((c) >> 63)

// A frame by its place, NULL outside of the array. The barrier keeps the compiler from
// computing the address from anything but the index whose bound the verifier sees.
static __always_inline struct frame *frame_at(struct frames *frames, dc_u64 at) {
    asm volatile("" : "+r"(at));
    if (at >= DC_FRAMES)
        return NULL;
    return &frames->frame[at];
}

// A call that will not return: longjmp left it, exec replaced it, its thread ended.
// Global, so that the verifier looks at it once.
__noinline int put_incomplete(struct frames *frames, dc_u32 at, dc_u64 now) {
    struct dc_record record = {};
    struct frame *frame;

    if (!frames)
        return 0;
    frame = frame_at(frames, at);
    if (!frame)
        return 0;
    record.start = frame->start;
    record.duration = now - frame->start;
    record.pid = frames->pid;
    record.tid = frames->tid;
    record.function = COOKIE_INDEX(frame->cookie);
    record.kind = COOKIE_IS_KERNEL(frame->cookie) ? DC_KIND_KPROBE : DC_KIND_UPROBE;
    record.flags = DC_INCOMPLETE;
    if (folder_count && !frame->file)
        return 0;
    count(&counts.incomplete);
    if (!is_profile)
        put(ring_of_calls(), &record, sizeof(record));
    return 0;
}

struct abandoned {
    struct frames *frames;
    dc_u32 from;
    dc_u64 now;
};

static long abandon_one(dc_u32 step, struct abandoned *abandoned) {
    dc_u32 at = abandoned->from + step;

    if (at >= abandoned->frames->depth)
        return 1;
    put_incomplete(abandoned->frames, at, abandoned->now);
    return 0;
}

// Gives up the frames from a place on. Global, and with a loop that the verifier does not walk
// step by step: it looks at this in every program that calls it.
__noinline int abandon_frames(struct frames *frames, dc_u32 from, dc_u64 now) {
    struct abandoned abandoned = {.frames = frames, .from = from, .now = now};

    if (!frames)
        return 0;
    bpf_loop(DC_FRAMES, abandon_one, &abandoned, 0);
    frames->depth = from;
    return 0;
}

// A search through frames, from the last one on.
struct search {
    struct frames *frames;
    dc_u64 cookie;
    dc_u64 stack_pointer;   // 0: any
    dc_u32 at;
};

static long is_dead(dc_u32 step, struct search *search) {
    struct frame *frame = frame_at(search->frames, search->at - 1);

    if (!frame || frame->stack_pointer > search->stack_pointer)
        return 1;
    search->at--;
    return 0;
}

// Gives up the frames below the stack pointer: longjmp went past them.
__noinline int drop_dead_frames(struct frames *frames, dc_u64 stack_pointer) {
    struct search search = {.frames = frames, .stack_pointer = stack_pointer};

    if (!frames)
        return 0;
    search.at = frames->depth;
    bpf_loop(DC_FRAMES, is_dead, &search, 0);
    return abandon_frames(frames, search.at, bpf_ktime_get_ns());
}

// Whether a frame is that of a call that returns. In user space the return address has been popped since
// it began; the kernel's own calls always return, the last one first, and have no stack pointer here.
static __always_inline int is_frame_of(const struct frame *frame, dc_u64 cookie,
                                       dc_u64 stack_pointer) {
    return frame->cookie == cookie &&
           (!stack_pointer || frame->stack_pointer + 8 == stack_pointer);
}

static long is_other(dc_u32 step, struct search *search) {
    struct frame *frame = frame_at(search->frames, search->at);

    if (!frame || is_frame_of(frame, search->cookie, search->stack_pointer))
        return 1;
    search->at--;
    return 0;
}

// The place of the frame of a call that returns, DC_FRAMES or more where there is none.
__noinline int find_frame(struct frames *frames, dc_u64 cookie, dc_u64 stack_pointer) {
    struct search search = {.frames = frames, .cookie = cookie, .stack_pointer = stack_pointer};

    if (!frames)
        return DC_FRAMES;
    search.at = frames->depth - 1;
    bpf_loop(DC_FRAMES, is_other, &search, 0);
    return search.at;
}

// Where a function's arguments are: user space and kprobes have the registers, fentry's
// trampoline an array. A kernel function called through one has no stack pointer here and needs none:
// it always returns, the last one first.
enum place { IN_REGISTERS, IN_TRAMPOLINE };

static __always_inline void keep_arguments(struct frame *frame, void *ctx, enum place place) {
    struct pt_regs *regs = ctx;

    if (place == IN_TRAMPOLINE) {
#pragma unroll
        for (int i = 0; i < DC_ARGUMENTS; i++)
            // A function that has fewer leaves what the probe file did not ask for.
            if (bpf_get_func_arg(ctx, i, &frame->arguments[i]))
                frame->arguments[i] = 0;
        return;
    }
    frame->arguments[0] = regs->di;
    frame->arguments[1] = regs->si;
    frame->arguments[2] = regs->dx;
    frame->arguments[3] = regs->cx;
    frame->arguments[4] = regs->r8;
    frame->arguments[5] = regs->r9;
}

// Notes that a function begins; 1: its return is of interest. Its strings are read when it returns: by then it has had their pages brought
// in, for which no program here waits. One that did would hold up every tracer of the node that ends.
static __always_inline int enter(void *ctx, enum place place) {
    dc_u64 stack_pointer = place == IN_TRAMPOLINE ? 0 : ((struct pt_regs *)ctx)->sp;
    struct task_struct *task = bpf_get_current_task_btf();
    struct task_state *state;
    struct frames *frames;
    struct frame *frame;
    dc_u32 depth;

    state = state_of(task);
    if (!state || !state->active)
        return 0;
    frames = bpf_task_storage_get(&calls, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!frames) {
        count(&counts.lost_no_memory);
        return 0;
    }
    frames->pid = state->pid;
    frames->tid = state->tid;
    if (frames->depth >= DC_FRAMES)
        drop_dead_frames(frames, stack_pointer);
    depth = frames->depth;
    if (depth >= DC_FRAMES) {
        count(&counts.lost_too_deep);
        return 0;
    }
    frame = frame_at(frames, depth);
    if (!frame)
        return 0;
    frame->cookie = bpf_get_attach_cookie(ctx);
    frame->stack_pointer = place == IN_TRAMPOLINE ? ~0ULL : stack_pointer;
    if (place == IN_REGISTERS && COOKIE_ERRNO(frame->cookie))
        frame->address = ((struct pt_regs *)ctx)->ip;
    if (COOKIE_CAPTURES(frame->cookie))
        keep_arguments(frame, ctx, place);
    frame->file = 0;
    if (COOKIE_FILE(frame->cookie) && COOKIE_FILE(frame->cookie) <= DC_ARGUMENTS) {
        dc_u64 at = COOKIE_FILE(frame->cookie) - 1;

        asm volatile("" : "+r"(at));
        if (at < DC_ARGUMENTS)
            frame->file = file_key(task, state, frame->arguments[at]);
    }
    // Its return finds no frame then, and writes nothing.
    if (folder_count && (frame->file == EXCLUDED ||
                         (!frame->file && !COOKIE_STRINGS(frame->cookie))))
        return 0;
    frames->depth = depth + 1;
    frame->start = bpf_ktime_get_ns();
    return 1;
}

// How far behind a library function the word lies that says where in the thread's own memory (TLS)
// errno is, by the function's number; 0: unknown.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, dc_u32);
    __type(value, dc_u64);
} errno_places SEC(".maps");

// The thread's errno, 0 where it cannot be read.
static __always_inline dc_u32 errno_of(struct task_struct *task, const struct frame *frame) {
    dc_u32 function = COOKIE_INDEX(frame->cookie), number = 0;
    dc_u64 *distance = bpf_map_lookup_elem(&errno_places, &function);
    dc_u64 offset = 0;

    if (!distance || !*distance ||
        bpf_probe_read_user(&offset, sizeof(offset), (void *)(frame->address + *distance)) ||
        bpf_probe_read_user(&number, sizeof(number),
                            (void *)(BPF_CORE_READ(task, thread.fsbase) + offset)))
        return 0;
    return number < 4096 ? number : 0;
}

// Writes the call that a function's return ends.
static __always_inline int leave(void *ctx, dc_u8 kind, dc_u64 stack_pointer, dc_u64 result) {
    struct task_struct *task = bpf_get_current_task_btf();
    struct task_state *state = state_of(task);
    struct frames *frames;
    struct dc_record record;
    struct frame *frame;
    dc_u64 cookie, now;
    dc_u32 at;

    if (!state)
        return 0;
    now = bpf_ktime_get_ns();
    frames = bpf_task_storage_get(&calls, task, 0, 0);
    if (!frames || !frames->depth)
        return 0;
    cookie = bpf_get_attach_cookie(ctx);
    at = frames->depth - 1;
    frame = frame_at(frames, at);
    if (!frame || !is_frame_of(frame, cookie, stack_pointer)) {
        at = find_frame(frames, cookie, stack_pointer);
        frame = frame_at(frames, at);
        if (!frame)
            return 0;
    }
    if (at + 1 < frames->depth)
        abandon_frames(frames, at + 1, now);
    frames->depth = at;
    record.start = frame->start;
    record.duration = now - frame->start;
    record.result = result;
    record.pid = frames->pid;
    record.tid = frames->tid;
    record.function = COOKIE_INDEX(cookie);
    record.kind = kind;
    record.flags = 0;
    record.values = COOKIE_VALUES(cookie);
    record.strings = COOKIE_STRINGS(cookie);
    // Only what failed pays for the look. An int in a register has nothing above its 32 bits.
    if (kind == DC_KIND_UPROBE && COOKIE_ERRNO(cookie) &&
        (COOKIE_ERRNO(cookie) == 1 ? (dc_u32)result == 0xffffffff : !result)) {
        dc_u32 number = errno_of(task, frame);

        if (number) {
            record.flags = COOKIE_ERRNO(cookie) == 1 ? DC_ERRNO : DC_ERRNO_NULL;
            record.result = -(dc_s64)number;
        }
    }
    put_call(state, &record, frame->arguments, frame->file, 0);
    return 0;
}

SEC("uprobe")
int function_enter(struct pt_regs *ctx) {
    enter(ctx, IN_REGISTERS);
    return 0;
}

SEC("uprobe")
int function_return(struct pt_regs *ctx) {
    return leave(ctx, DC_KIND_UPROBE, ctx->sp, ctx->ax);
}

// Both in one (BPF_TRACE_UPROBE_SESSION, Linux 6.13). Where the entry answers 1 the kernel leaves the return
// address alone: that of every call which is not the job's.
SEC("uprobe")
int function_session(struct pt_regs *ctx) {
    // At its return the function has been left.
    if (ctx->ip != bpf_get_func_ip(ctx))
        return leave(ctx, DC_KIND_UPROBE, ctx->sp, ctx->ax);
    return !enter(ctx, IN_REGISTERS);
}

SEC("kprobe.multi")
int kernel_enter(struct pt_regs *ctx) {
    enter(ctx, IN_REGISTERS);
    return 0;
}

SEC("kretprobe.multi")
int kernel_return(struct pt_regs *ctx) {
    return leave(ctx, DC_KIND_KPROBE, 0, ctx->ax);
}

// Through BTF: the function itself calls the program, without a breakpoint or the registers' copy.
// Such a program belongs to one function, so there is a fixed number of them.
static __noinline int trampoline_enter(void *ctx) {
    enter(ctx, IN_TRAMPOLINE);
    return 0;
}

static __noinline int trampoline_leave(void *ctx) {
    dc_u64 result = 0;

    bpf_get_func_ret(ctx, &result);
    return leave(ctx, DC_KIND_KPROBE, 0, result);
}

#define TRAMPOLINE(number)                      \
    SEC("fentry")                               \
    int trampoline_enter_##number(void *ctx) {  \
        return trampoline_enter(ctx);           \
    }                                           \
    SEC("fexit")                                \
    int trampoline_leave_##number(void *ctx) {  \
        return trampoline_leave(ctx);           \
    }

TRAMPOLINE(0)
TRAMPOLINE(1)
TRAMPOLINE(2)
TRAMPOLINE(3)
TRAMPOLINE(4)
TRAMPOLINE(5)
TRAMPOLINE(6)
TRAMPOLINE(7)
TRAMPOLINE(8)
TRAMPOLINE(9)
TRAMPOLINE(10)
TRAMPOLINE(11)
TRAMPOLINE(12)
TRAMPOLINE(13)
TRAMPOLINE(14)
TRAMPOLINE(15)

// A place that a program names itself: no call, so no duration and no result.
SEC("usdt")
int static_probe(struct pt_regs *ctx) {
    struct task_struct *task = bpf_get_current_task_btf();
    struct task_state *state;
    struct dc_record record;
    dc_u64 arguments[DC_ARGUMENTS];
    dc_u64 cookie;
    int present;

    state = state_of(task);
    if (!state || !state->active)
        return 0;
    cookie = bpf_usdt_cookie(ctx);
    present = bpf_usdt_arg_cnt(ctx);
    record.start = bpf_ktime_get_ns();
    record.duration = 0;
    record.result = 0;
    record.pid = state->pid;
    record.tid = state->tid;
    record.function = COOKIE_INDEX(cookie);
    record.kind = DC_KIND_USDT;
    record.flags = 0;
    record.values = COOKIE_VALUES(cookie);
    record.strings = COOKIE_STRINGS(cookie);
#pragma unroll
    for (int i = 0; i < DC_ARGUMENTS; i++) {
        long value = 0;

        if (i < present)
            bpf_usdt_arg(ctx, i, &value);
        else {
            record.values &= ~(1 << i);
            record.strings &= ~(1 << i);
        }
        arguments[i] = value;
    }
    put_call(state, &record, arguments, 0, 0);
    return 0;
}

// A system call that will not return.
static __always_inline void put_pending_syscall(struct task_state *state, dc_u64 now) {
    struct dc_record record = {
        .start = state->entered,
        .duration = now - state->entered,
        .pid = state->pid,
        .tid = state->tid,
        .function = state->number,
        .kind = DC_KIND_SYSCALL,
        .flags = DC_INCOMPLETE,
    };

    if (!state->entered)
        return;
    state->entered = 0;
    // Which file it is about would have been looked at when it returned.
    if (folder_count && !state->file)
        return;
    count(&counts.incomplete);
    if (!is_profile)
        put(ring_of_calls(), &record, sizeof(record));
}

// ---- exec and exit ----

SEC("tp_btf/sched_process_exec")
int BPF_PROG(task_exec, struct task_struct *task, int old_pid, struct linux_binprm *program) {
    struct task_struct *current = bpf_get_current_task_btf();
    struct task_state *state;
    struct frames *frames;
    struct exec_path *path;

    state = old_pid == current->pid ? state_of(current) : move_state(current, old_pid);
    if (!state)
        return 0;
    frames = bpf_task_storage_get(&calls, current, 0, 0);
    if (frames)
        abandon_frames(frames, 0, bpf_ktime_get_ns());
    // A program that the kernel gave privileges is not the user's to look into.
    if (effective_user(current) != user_id ||
        BPF_CORE_READ_BITFIELD_PROBED(program, secureexec)) {
        // The scheduler's own, before it starts the user's program.
        if (!state->active)
            return 0;
        count(&counts.privileged);
        forget_state(current, current->pid);
        bpf_task_storage_delete(&calls, current);
        return 0;
    }
    state->active = 1;
    // exec by another thread than the first makes it the first.
    name_task(state, current);
    put_process(state, current, 0);
    if (!state->entered || state->number >= DC_SYSCALLS || !syscalls[state->number].strings)
        return 0;
    path = bpf_task_storage_get(&exec_paths, current, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (path) {
        long n = bpf_probe_read_kernel_str(path->bytes, sizeof(path->bytes),
                                           BPF_CORE_READ(program, filename));
        path->length = n > 0 ? n : 0;
    }
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(task_exit, struct task_struct *task) {
    struct task_struct *current = bpf_get_current_task_btf();
    struct task_state *state = state_of(current);
    struct frames *frames;
    dc_u64 now;

    if (!state)
        return 0;
    now = bpf_ktime_get_ns();
    put_pending_syscall(state, now);
    frames = bpf_task_storage_get(&calls, current, 0, 0);
    if (frames)
        abandon_frames(frames, 0, now);
    // Before its pid can be another task's.
    forget_state(current, current->pid);
    return 0;
}

// ---- the end ----

// Calls that are still in flight when the tracing stops.
SEC("iter/task")
int in_flight(struct bpf_iter__task *ctx) {
    struct task_struct *task = ctx->task;
    struct task_state *state;
    struct frames *frames;

    if (!task)
        return 0;
    state = state_of(task);
    if (!state)
        return 0;
    put_pending_syscall(state, bpf_ktime_get_ns());
    frames = bpf_task_storage_get(&calls, task, 0, 0);
    if (frames)
        abandon_frames(frames, 0, bpf_ktime_get_ns());
    return 0;
}
