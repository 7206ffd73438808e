// The marked tasks: which threads are the job's, and what is kept of each.
//
// A task's state lies in a slot that its pid names, found without a call into the kernel. Two marked
// tasks whose pids name one slot: the first has it, the other's state is in task storage.
#ifndef DATACRUMBS_TASKS_H
#define DATACRUMBS_TASKS_H

// What a file is called and where, read from its directory entry.
struct entry {
    dc_u64 dentry;
    dc_u64 parent;
    dc_u64 hash_len;
};

// One marked task (a thread): two cache lines, of which most calls need the first.
struct task_state {
    dc_u64 owner;       // whose this is, as owner_of says, 0: nobody's
    dc_u64 entered;     // when the call in flight began, 0: none
    dc_u64 file;        // key of the file of the call in flight, 0: none
    dc_u32 crowded;     // of a slot: how many tasks have their state elsewhere because it was taken
    dc_u32 pid;
    dc_u32 tid;
    dc_u16 number;      // of the call in flight
    dc_u8 level;        // depth of the pid namespace that pid and tid belong to
    dc_u8 active;       // 0: marked by a task that has not become the user's yet
    // Through memory, addresses become numbers to the verifier.
    volatile struct entry entry;
    union {
        dc_u64 recent[DC_RECENT_FILES];     // keys of files
        dc_u32 sums[DC_RECENT_SUMS];        // in profile mode: places of sums
    };
};

// Beyond any pid (PID_MAX_LIMIT, include/linux/threads.h).
#define OWNED 0x80000000U
// An owner that no task is: the slot is being emptied.
#define LEAVING 1ULL

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, DC_SLOTS);
    __type(key, dc_u32);
    __type(value, struct task_state);
} slots SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct task_state);
} crowded_states SEC(".maps");

// A task by its pid in the initial namespace and the lower half of the nanosecond in which it began: a
// slot whose task has gone unseen is not that of the next task with its pid, whoever that is.
static __always_inline dc_u64 owner_of(const struct task_struct *task, dc_u32 pid) {
    return task->start_boottime << 32 | pid | OWNED;
}

static __always_inline struct task_state *slot_of(dc_u32 pid) {
    dc_u32 index = pid & (DC_SLOTS - 1);

    return bpf_map_lookup_elem(&slots, &index);
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

// The state of a task. NULL: it is not marked.
static __always_inline struct task_state *state_of(struct task_struct *task) {
    struct task_state *state = slot_of(task->pid);

    if (!state || state->owner == owner_of(task, task->pid))
        return state;
    if (!state->crowded)
        return NULL;
    return bpf_task_storage_get(&crowded_states, task, 0, 0);
}

static __always_inline void empty_state(struct task_state *state) {
    state->entered = 0;
    state->file = 0;
    state->active = 0;
    __builtin_memset(state->recent, 0, sizeof(state->recent));
}

// Empties a slot between two owners. Two may want to: the task that ends, and who was marking it just
// then. The one that comes second, for which this is 0, must not touch what is the next one's by then.
static __always_inline int empty_slot(struct task_state *slot, dc_u64 from, dc_u64 to) {
    if (__sync_val_compare_and_swap(&slot->owner, from, LEAVING) != from)
        return 0;
    empty_state(slot);
    asm volatile("" ::: "memory");
    slot->owner = to;
    return 1;
}

// Marks a task. What is not new of its state is what it was. NULL: no memory, which is counted.
static __always_inline struct task_state *claim_state(struct task_struct *task) {
    dc_u64 owner = owner_of(task, task->pid), before;
    struct task_state *state = state_of(task), *slot;

    if (state)
        return state;
    slot = slot_of(owner);
    if (!slot)
        return NULL;
    before = slot->owner;
    // What another task with this pid has left: it has gone.
    if ((dc_u32)before == (dc_u32)owner) {
        if (empty_slot(slot, before, owner))
            return slot;
    } else if (!__sync_val_compare_and_swap(&slot->owner, 0, owner)) {
        return slot;
    }
    state = bpf_task_storage_get(&crowded_states, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!state) {
        count(&counts.lost_marks);
        return NULL;
    }
    state->owner = owner;
    __sync_fetch_and_add(&slot->crowded, 1);
    return state;
}

// Takes the mark off a task that had, or has, a pid.
static __always_inline void forget_state(struct task_struct *task, dc_u32 pid) {
    struct task_state *slot = slot_of(pid);
    dc_u64 owner;

    if (!slot)
        return;
    owner = slot->owner;
    if ((dc_u32)owner == (pid | OWNED)) {
        empty_slot(slot, owner, 0);
    } else if (slot->crowded && !bpf_task_storage_delete(&crowded_states, task)) {
        __sync_fetch_and_add(&slot->crowded, -1);
    }
}

// Follows a task that exec has given another pid: its process's, where it was another thread than
// the first. The first has ended by then, and it has its begin from it (de_thread, fs/exec.c), so that
// its process tells whether the state is its own.
static __always_inline struct task_state *move_state(struct task_struct *task, dc_u32 old_pid) {
    struct task_state *from = slot_of(old_pid), *to;
    struct task_state kept;

    if (from && (dc_u32)from->owner != (old_pid | OWNED))
        from = from->crowded ? bpf_task_storage_get(&crowded_states, task, 0, 0) : NULL;
    if (!from || from->pid != pid_at(task, from->level))
        return NULL;
    kept = *from;
    forget_state(task, old_pid);
    to = claim_state(task);
    if (!to)
        return NULL;
    to->entered = kept.entered;
    to->file = kept.file;
    to->number = kept.number;
    to->level = kept.level;
    to->active = kept.active;
    return to;
}

#endif
