// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
// The tracer's kernel side. Marked tasks carry their state in task storage: a task
// without a mark costs one look-up, a call of a marked one costs one ring
// buffer record, written when the call returns and holding only what was asked for.
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "datacrumbs_record.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

// Set before loading.
const volatile dc_u32 job_id = 0;
const volatile dc_u32 user_id = 0;
const volatile dc_u64 namespace_device = 0;
const volatile dc_u64 namespace_inode = 0;
const volatile dc_u64 wake_bytes = 1 << 18;
const volatile dc_u32 execve_number = 0;
const volatile dc_u32 execveat_number = 0;
const volatile struct dc_capture syscalls[DC_SYSCALLS] = {};

// Shared with user space through the mapped .bss.
struct dc_counts counts = {};
// Set by user space before it waits, taken back by the program that wakes it.
dc_u32 reader_waits = 0;

// One marked task (a thread).
struct task_state {
    dc_u64 entered;     // when the call in flight began, 0: none
    dc_u32 number;      // its number
    dc_u32 pid;
    dc_u32 tid;
    dc_u32 level;       // depth of the pid namespace that pid and tid belong to
    dc_u32 active;      // 0: marked by a task that has not become the user's yet
};

// One function call in flight.
struct frame {
    dc_u64 start;
    dc_u64 stack_pointer;
    dc_u64 cookie;
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
    struct dc_record record;
    dc_u8 payload[DC_ARGUMENTS * 8 + DC_STRINGS * (DC_STRING_SIZE + 2) + 64];
};

// The path that exec runs, kept from where the kernel knows it to the call's end.
struct exec_path {
    dc_u32 length;
    char bytes[DC_STRING_SIZE];
};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 24);
} events SEC(".maps");

#define TASK_STORAGE(name, value_type)             \
    struct {                                       \
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);   \
        __uint(map_flags, BPF_F_NO_PREALLOC);      \
        __type(key, int);                          \
        __type(value, value_type);                 \
    } name SEC(".maps")

TASK_STORAGE(marks, struct task_state);
TASK_STORAGE(calls, struct frames);
TASK_STORAGE(scratches, struct scratch);
TASK_STORAGE(exec_paths, struct exec_path);

static __always_inline void count(dc_u64 *counter) {
    __sync_fetch_and_add(counter, 1);
}

static __always_inline dc_u64 wake_flags(void) {
    if (!reader_waits || bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) < wake_bytes)
        return BPF_RB_NO_WAKEUP;
    reader_waits = 0;
    return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void put(void *record, dc_u64 size) {
    if (bpf_ringbuf_output(&events, record, size, wake_flags()))
        count(&counts.lost_ring_full);
}

// A record of a call and its wanted integers, put together on the stack.
struct small_record {
    struct dc_record record;
    dc_u64 values[DC_ARGUMENTS];
};

static __always_inline dc_u32 copy_values(dc_u64 *to, const dc_u64 *arguments, dc_u32 values) {
    dc_u32 n = 0;

#pragma unroll
    for (int i = 0; i < DC_ARGUMENTS; i++)
        if (values & (1 << i)) {
            if (n < DC_ARGUMENTS)
                to[n] = arguments[i];
            n++;
        }
    return n;
}

// Out of line: only calls with strings pay for it.
static __noinline int put_with_strings(const struct dc_record *base, const dc_u64 *arguments,
                                       int is_exec) {
    struct task_struct *task = bpf_get_current_task_btf();
    struct scratch *scratch;
    struct exec_path *exec = NULL;
    dc_u32 at = 0, strings;

    if (!base || !arguments)
        return 0;
    scratch = bpf_task_storage_get(&scratches, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!scratch) {
        count(&counts.lost_no_memory);
        return 0;
    }
    if (is_exec)
        exec = bpf_task_storage_get(&exec_paths, task, 0, 0);
    if (exec && !exec->length)
        exec = NULL;
    scratch->record = *base;
#pragma unroll
    for (int i = 0; i < DC_ARGUMENTS; i++)
        if (base->values & (1 << i)) {
            *(dc_u64 *)&scratch->payload[at & 63] = arguments[i];
            at += 8;
        }
    strings = base->strings;
#pragma unroll
    for (int i = 0; i < DC_ARGUMENTS; i++) {
        long n;
        dc_u16 length = 0;

        if (!(strings & (1 << i)))
            continue;
        if (at > DC_ARGUMENTS * 8 + (DC_STRINGS - 1) * (DC_STRING_SIZE + 2))
            break;
        if (exec) {
            n = bpf_probe_read_kernel_str(&scratch->payload[at + 2], DC_STRING_SIZE, exec->bytes);
            exec->length = 0;
        } else {
            n = bpf_probe_read_user_str(&scratch->payload[at + 2], DC_STRING_SIZE,
                                        (const void *)arguments[i]);
        }
        if (n > 0 && n <= DC_STRING_SIZE) {
            length = n - 1;
        } else {
            scratch->record.flags |= DC_NO_STRING;
            count(&counts.unreadable_strings);
        }
        scratch->payload[at] = length & 0xff;
        scratch->payload[at + 1] = length >> 8;
        at += 2 + (length & (DC_STRING_SIZE - 1));
    }
    if (at > sizeof(scratch->payload))
        return 0;
    put(scratch, sizeof(scratch->record) + at);
    return 0;
}

static __always_inline void put_call(struct small_record *small, const dc_u64 *arguments,
                                     int is_exec) {
    dc_u32 n;

    if (small->record.strings) {
        put_with_strings(&small->record, arguments, is_exec);
        return;
    }
    n = copy_values(small->values, arguments, small->record.values);
    if (n <= DC_ARGUMENTS)
        put(small, sizeof(small->record) + 8 * n);
}

// The pid of a task at a depth of pid namespaces.
static __always_inline dc_u32 pid_at(struct task_struct *task, dc_u32 level) {
    struct pid *pid = BPF_CORE_READ(task, thread_pid);
    int nr = 0;

    bpf_core_read(&nr, sizeof(nr),
                  (void *)pid + bpf_core_field_offset(struct pid, numbers) +
                      level * bpf_core_type_size(struct upid) +
                      bpf_core_field_offset(struct upid, nr));
    return nr;
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

SEC("uprobe")
int mark(struct pt_regs *ctx) {
    struct task_struct *task;
    struct task_state *state;
    struct bpf_pidns_info ids = {};

    if ((dc_u32)ctx->di != job_id)
        return 0;
    if (bpf_get_ns_current_pid_tgid(namespace_device, namespace_inode, &ids, sizeof(ids)))
        return 0;
    task = bpf_get_current_task_btf();
    state = bpf_task_storage_get(&marks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!state) {
        count(&counts.lost_marks);
        return 0;
    }
    state->pid = ids.tgid;
    state->tid = ids.pid;
    state->level = BPF_CORE_READ(task, thread_pid, level);
    // Before it becomes the user's, the task runs the scheduler's code: no part of the job.
    state->active = effective_user(task) == user_id;
    count(&counts.marked);
    return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(task_fork, struct task_struct *parent, struct task_struct *child) {
    struct task_state *from = bpf_task_storage_get(&marks, parent, 0, 0);
    struct task_state *to;

    if (!from)
        return 0;
    to = bpf_task_storage_get(&marks, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!to) {
        count(&counts.lost_marks);
        return 0;
    }
    to->level = from->level;
    to->active = from->active;
    name_task(to, child);
    return 0;
}

// ---- system calls ----

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long number) {
    struct task_struct *task;
    struct task_state *state;

    if ((unsigned long)number >= DC_SYSCALLS || !syscalls[number].wanted)
        return 0;
    task = bpf_get_current_task_btf();
    state = bpf_task_storage_get(&marks, task, 0, 0);
    if (!state || !state->active)
        return 0;
    if (task->thread_info.status & TS_COMPAT) {
        count(&counts.compat);
        return 0;
    }
    state->number = number;
    state->entered = bpf_ktime_get_ns();
    return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long result) {
    struct task_state *state;
    struct small_record small;
    dc_u64 arguments[DC_ARGUMENTS];
    dc_u64 number = regs->orig_ax;

    // rt_sigreturn comes back with -1 here.
    if (number < DC_SYSCALLS && !syscalls[number].wanted)
        return 0;
    state = bpf_task_storage_get(&marks, bpf_get_current_task_btf(), 0, 0);
    if (!state || !state->entered)
        return 0;
    small.record.start = state->entered;
    small.record.duration = bpf_ktime_get_ns() - state->entered;
    state->entered = 0;
    number = state->number;
    if (number >= DC_SYSCALLS)
        return 0;
    small.record.result = result;
    small.record.pid = state->pid;
    small.record.tid = state->tid;
    small.record.function = number;
    small.record.kind = DC_KIND_SYSCALL;
    small.record.flags = 0;
    small.record.values = syscalls[number].values;
    small.record.strings = syscalls[number].strings;
    if (small.record.values | small.record.strings) {
        arguments[0] = regs->di;
        arguments[1] = regs->si;
        arguments[2] = regs->dx;
        arguments[3] = regs->r10;
        arguments[4] = regs->r8;
        arguments[5] = regs->r9;
        put_call(&small, arguments, number == execve_number || number == execveat_number);
    } else {
        put(&small, sizeof(small.record));
    }
    return 0;
}

// ---- functions ----

#define COOKIE_INDEX(c) ((dc_u32)(c))
#define COOKIE_VALUES(c) (((c) >> 32) & 0xff)
#define COOKIE_STRINGS(c) (((c) >> 40) & 0xff)

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
    record.kind = DC_KIND_UPROBE;
    record.flags = DC_INCOMPLETE;
    count(&counts.incomplete);
    put(&record, sizeof(record));
    return 0;
}

// Gives up the frames from a place on. Global, so that the verifier looks at it once.
__noinline int abandon_frames(struct frames *frames, dc_u32 from, dc_u64 now) {
    if (!frames)
        return 0;
    for (dc_u32 i = 0; i < DC_FRAMES; i++)
        if (i >= from && i < frames->depth)
            put_incomplete(frames, i, now);
    frames->depth = from;
    return 0;
}

SEC("uprobe")
int function_enter(struct pt_regs *ctx) {
    struct task_struct *task = bpf_get_current_task_btf();
    struct task_state *state = bpf_task_storage_get(&marks, task, 0, 0);
    struct frames *frames;
    struct frame *frame;
    dc_u32 depth;

    if (!state || !state->active)
        return 0;
    frames = bpf_task_storage_get(&calls, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!frames) {
        count(&counts.lost_no_memory);
        return 0;
    }
    frames->pid = state->pid;
    frames->tid = state->tid;
    depth = frames->depth;
    if (depth >= DC_FRAMES) {
        // Frames below the stack pointer are dead: longjmp went past them.
        for (int i = 0; i < DC_FRAMES; i++) {
            frame = frame_at(frames, depth - 1);
            if (!frame || frame->stack_pointer > ctx->sp)
                break;
            depth--;
        }
        abandon_frames(frames, depth, bpf_ktime_get_ns());
        if (depth >= DC_FRAMES) {
            count(&counts.lost_too_deep);
            return 0;
        }
    }
    frame = frame_at(frames, depth);
    if (!frame)
        return 0;
    frame->cookie = bpf_get_attach_cookie(ctx);
    frame->stack_pointer = ctx->sp;
    if (frame->cookie >> 32) {
        frame->arguments[0] = ctx->di;
        frame->arguments[1] = ctx->si;
        frame->arguments[2] = ctx->dx;
        frame->arguments[3] = ctx->cx;
        frame->arguments[4] = ctx->r8;
        frame->arguments[5] = ctx->r9;
    }
    frames->depth = depth + 1;
    frame->start = bpf_ktime_get_ns();
    return 0;
}

SEC("uprobe")
int function_return(struct pt_regs *ctx) {
    struct task_struct *task = bpf_get_current_task_btf();
    dc_u64 now = bpf_ktime_get_ns();
    struct frames *frames = bpf_task_storage_get(&calls, task, 0, 0);
    struct small_record small;
    struct frame *frame;
    dc_u64 cookie;
    dc_u32 at;

    if (!frames || !frames->depth)
        return 0;
    cookie = bpf_get_attach_cookie(ctx);
    // The frame of this call: the return address has been popped since it began.
    at = frames->depth - 1;
    for (int i = 0; i < DC_FRAMES; i++) {
        frame = frame_at(frames, at);
        if (!frame || (frame->stack_pointer + 8 == ctx->sp && frame->cookie == cookie))
            break;
        at--;
    }
    frame = frame_at(frames, at);
    if (!frame)
        return 0;
    if (at + 1 < frames->depth)
        abandon_frames(frames, at + 1, now);
    frames->depth = at;
    small.record.start = frame->start;
    small.record.duration = now - frame->start;
    small.record.result = ctx->ax;
    small.record.pid = frames->pid;
    small.record.tid = frames->tid;
    small.record.function = COOKIE_INDEX(cookie);
    small.record.kind = DC_KIND_UPROBE;
    small.record.flags = 0;
    small.record.values = COOKIE_VALUES(cookie);
    small.record.strings = COOKIE_STRINGS(cookie);
    if (small.record.values | small.record.strings)
        put_call(&small, frame->arguments, 0);
    else
        put(&small, sizeof(small.record));
    return 0;
}

// ---- exec and exit ----

SEC("tp_btf/sched_process_exec")
int BPF_PROG(task_exec, struct task_struct *task, int old_pid, struct linux_binprm *program) {
    struct task_struct *current = bpf_get_current_task_btf();
    struct task_state *state = bpf_task_storage_get(&marks, current, 0, 0);
    struct frames *frames;
    struct exec_path *path;

    if (!state)
        return 0;
    frames = bpf_task_storage_get(&calls, current, 0, 0);
    if (frames)
        abandon_frames(frames, 0, bpf_ktime_get_ns());
    // A program that the kernel gave privileges is not the user's to look into.
    if (effective_user(current) != user_id ||
        BPF_CORE_READ_BITFIELD_PROBED(program, secureexec)) {
        count(&counts.privileged);
        bpf_task_storage_delete(&marks, current);
        bpf_task_storage_delete(&calls, current);
        return 0;
    }
    state->active = 1;
    // exec by another thread than the first makes it the first.
    name_task(state, current);
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
    struct task_state *state = bpf_task_storage_get(&marks, current, 0, 0);
    struct frames *frames;
    dc_u64 now;

    if (!state)
        return 0;
    now = bpf_ktime_get_ns();
    if (state->entered) {
        struct dc_record record = {
            .start = state->entered,
            .duration = now - state->entered,
            .pid = state->pid,
            .tid = state->tid,
            .function = state->number,
            .kind = DC_KIND_SYSCALL,
            .flags = DC_INCOMPLETE,
        };

        state->entered = 0;
        count(&counts.incomplete);
        put(&record, sizeof(record));
    }
    frames = bpf_task_storage_get(&calls, current, 0, 0);
    if (frames)
        abandon_frames(frames, 0, now);
    return 0;
}
