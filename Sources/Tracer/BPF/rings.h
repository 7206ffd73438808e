// Where records go: rings in memory that user space maps, so that a record costs plain stores and no
// call into the kernel. A ring serves one CPU, or several where there are more CPUs than rings; the
// last ring is for definitions (DC_KIND_FILE, DC_KIND_PROCESS), which user space reads before it reads the calls, and
// in their order.
#ifndef DATACRUMBS_RINGS_H
#define DATACRUMBS_RINGS_H

// Set before loading: how many rings there are for calls, a power of two; and how
// many bytes of records each holds, a power of two as well.
const volatile dc_u32 rings_count = 1;
const volatile dc_u64 ring_bytes = 1 << 16;
// From how many bytes on a waiting reader is woken.
const volatile dc_u64 wake_bytes = 1 << 15;

// Shared with user space through the mapped .bss. Set by user space before it waits, taken back by
// the program that wakes it.
dc_u32 reader_waits = 0;

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 2);
    __uint(key_size, 4);
    // User space sets the sizes before loading.
    __uint(value_size, DC_RING_DATA + (1 << 16) + DC_RING_SLACK);
} rings SEC(".maps");

// What user space waits on.
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} doorbell SEC(".maps");

// Out of line: only one record in thousands finds the reader waiting.
static __noinline int wake_reader(void) {
    dc_u64 bell = 0;

    reader_waits = 0;
    bpf_ringbuf_output(&doorbell, &bell, sizeof(bell), BPF_RB_FORCE_WAKEUP);
    return 0;
}

static __always_inline struct dc_ring *ring_at(dc_u32 index) {
    return bpf_map_lookup_elem(&rings, &index);
}

static __always_inline struct dc_ring *ring_of_calls(void) {
    return ring_at(bpf_get_smp_processor_id() & (rings_count - 1));
}

static __always_inline struct dc_ring *ring_of_definitions(void) {
    return ring_at(rings_count);
}

// Takes room where another CPU, or a program that this one was interrupted for, got in between.
// Returns where the room begins, and -1 where the ring is full. Global, so that the
// verifier looks at it once.
__noinline dc_s64 reserve_again(struct dc_ring *ring, dc_u64 size) {
    dc_u64 at, seen;

    if (!ring)
        return -1;
    at = *(volatile dc_u64 *)&ring->producer;
    for (int i = 0; i < 16; i++) {
        if (at + size - *(volatile dc_u64 *)&ring->consumer > ring_bytes)
            break;
        seen = __sync_val_compare_and_swap(&ring->producer, at, at + size);
        if (seen == at)
            return at;
        at = seen;
    }
    return -1;
}

// Takes room for a record of `length` bytes, and 8 more that may be overwritten with anything. NULL:
// the ring is full, the record is lost and the job does not wait.
//
// The room never wraps: the memory goes on behind the ring's end for as long as the longest record is.
static __always_inline dc_u8 *reserve(struct dc_ring *ring, dc_u64 length) {
    dc_u64 size = (length + DC_RING_HEADER + 8 + 7) & ~7ULL;
    dc_u64 at = *(volatile dc_u64 *)&ring->producer;
    dc_u64 limit = *(volatile dc_u64 *)&ring->consumer + ring_bytes;

    if (at + size > limit ||
        __sync_val_compare_and_swap(&ring->producer, at, at + size) != at) {
        at = reserve_again(ring, size);
        if ((dc_s64)at < 0) {
            count(&counts.lost_ring_full);
            return NULL;
        }
    }
    return (dc_u8 *)ring + DC_RING_DATA + (at & (ring_bytes - 1));
}

// Makes a record visible to the reader, which takes no record whose header is 0.
static __always_inline void commit(struct dc_ring *ring, dc_u8 *bytes, dc_u64 length) {
    dc_u64 size = (length + DC_RING_HEADER + 8 + 7) & ~7ULL;

#ifdef __TARGET_ARCH_x86
    // Stores are seen in their order.
    asm volatile("" ::: "memory");
    *(volatile dc_u64 *)bytes = length | size << 32;
#else
    __sync_lock_test_and_set((dc_u64 *)bytes, length | size << 32);
#endif
    if (reader_waits && ring->producer - ring->consumer >= wake_bytes)
        wake_reader();
}

// Writes a record of a size that the compiler knows.
static __always_inline void put(struct dc_ring *ring, const void *record, const dc_u64 length) {
    dc_u8 *bytes;

    if (!ring)
        return;
    bytes = reserve(ring, length);
    if (!bytes)
        return;
    __builtin_memcpy(bytes + DC_RING_HEADER, record, length);
    commit(ring, bytes, length);
}

// Writes a record of any size. Returns whether there was room.
static __always_inline int put_long(struct dc_ring *ring, const void *record, dc_u64 length) {
    dc_u8 *bytes;

    if (!ring || length > DC_LONGEST_RECORD)
        return 0;
    bytes = reserve(ring, length);
    if (!bytes)
        return 0;
    asm volatile("" : "+r"(length));
    if (length > DC_LONGEST_RECORD)
        return 0;
    bpf_probe_read_kernel(bytes + DC_RING_HEADER, length, record);
    commit(ring, bytes, length);
    return 1;
}

// How many bits are set.
static __always_inline dc_u32 bits_in(dc_u8 bits) {
    dc_u32 n = bits - (bits >> 1 & 0x55);

    n = (n & 0x33) + (n >> 2 & 0x33);
    return (n + (n >> 4)) & 15;
}

// Writes a call and its wanted integers. Without a branch for each argument, which the
// verifier would have to follow both ways: what is not wanted is overwritten by what comes next.
static __always_inline void put_integers(const struct dc_record *record, const dc_u64 *arguments,
                                         dc_u64 file) {
    struct dc_ring *ring = ring_of_calls();
    dc_u64 n = file != 0, length;
    dc_u8 *bytes;

    length = sizeof(*record) + 8 * (n + bits_in(record->values));
    if (!ring)
        return;
    bytes = reserve(ring, length);
    if (!bytes)
        return;
    __builtin_memcpy(bytes + DC_RING_HEADER, record, sizeof(*record));
    {
        dc_u64 *to = (dc_u64 *)(bytes + DC_RING_HEADER + sizeof(*record));

        to[0] = file;
#pragma unroll
        for (int i = 0; i < DC_ARGUMENTS; i++) {
            asm volatile("" : "+r"(n));
            to[n & 7] = arguments[i];
            n += record->values >> i & 1;
        }
    }
    commit(ring, bytes, length);
}

#endif
