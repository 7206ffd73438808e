// Profile mode: what calls cost in an interval, for each thread and function. A sum belongs to one
// thread, so it needs no atomic operation; user space adds the threads of a process up.
#ifndef DATACRUMBS_SUMS_H
#define DATACRUMBS_SUMS_H

// Shared with user space through the mapped .bss: the number of the interval that calls are summed
// into, and how many sums the odd and the even intervals have.
dc_u32 interval = 0;
dc_u32 sums_used[2] = {};

// The sums of the even intervals, then those of the odd ones: while calls are added to one half, user
// space takes the other one's and empties it.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 2 * DC_SUMS);
    __type(key, dc_u32);
    __type(value, struct dc_sums);
} sums SEC(".maps");

struct sums_key {
    dc_u32 interval;
    dc_u32 pid;     // a thread's id may be that of another process's thread before the interval ends
    dc_u32 tid;
    dc_u32 function;
    dc_u32 kind;
};

// Where a thread's sums are that its state has no room to remember. What is forgotten begins anew
// in another place, and user space adds it up.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 2 * DC_SUMS);
    __type(key, struct sums_key);
    __type(value, dc_u32);
} sums_places SEC(".maps");

static __always_inline dc_u32 bucket_of(dc_u64 duration) {
    dc_u32 bucket = 0, word = duration >> 32 ? 0xffffffff : duration;

#pragma unroll
    for (int step = 16; step > 0; step >>= 1) {
        dc_u32 more = word >= 1U << step;

        word >>= more * step;
        bucket += more * step;
    }
    return bucket;
}

// The place of new sums. Global, so that the verifier looks at it once.
__noinline int new_sums(const struct dc_record *record, dc_u32 now) {
    struct sums_key key = {.interval = now};
    struct dc_sums *found;
    dc_u32 *known, place;

    if (!record)
        return -1;
    key.pid = record->pid;
    key.tid = record->tid;
    key.function = record->function;
    key.kind = record->kind;
    known = bpf_map_lookup_elem(&sums_places, &key);
    if (known)
        return *known;
    // Beyond the end the number need not grow.
    if (sums_used[now & 1] >= DC_SUMS)
        return -1;
    place = __sync_fetch_and_add(&sums_used[now & 1], 1);
    if (place >= DC_SUMS)
        return -1;
    place += (now & 1) * DC_SUMS;
    found = bpf_map_lookup_elem(&sums, &place);
    if (!found)
        return -1;
    found->interval = now;
    found->tid = record->tid;
    found->pid = record->pid;
    found->function = record->function;
    found->kind = record->kind;
    found->minimum = ~0ULL;
    bpf_map_update_elem(&sums_places, &key, &place, BPF_ANY);
    return place;
}

static __always_inline void add_to_sums(struct task_state *state, const struct dc_record *record) {
    dc_u32 now = *(volatile dc_u32 *)&interval, slot = record->function & (DC_RECENT_SUMS - 1);
    dc_u64 duration = record->duration;
    dc_u32 place = state->sums[slot];
    struct dc_sums *to = bpf_map_lookup_elem(&sums, &place);

    if (!to || to->interval != now || to->pid != record->pid || to->tid != record->tid ||
        to->function != record->function || to->kind != record->kind) {
        place = new_sums(record, now);
        to = bpf_map_lookup_elem(&sums, &place);
        if (!to) {
            count(&counts.lost_profiles);
            return;
        }
        state->sums[slot] = place;
    }
    to->count++;
    to->total += duration;
    // Bytes only where the function has a size: user space knows.
    if (record->result > 0)
        to->results += record->result;
    else if (record->result < 0 && record->kind == DC_KIND_SYSCALL)
        to->errors++;
    if (duration < to->minimum)
        to->minimum = duration;
    if (duration > to->maximum)
        to->maximum = duration;
    to->buckets[bucket_of(duration) & (DC_BUCKETS - 1)]++;
}

#endif
