// What crosses between the BPF programs and user space: both sides include this
// header, nothing else describes the records.
#ifndef DATACRUMBS_RECORD_H
#define DATACRUMBS_RECORD_H

#ifdef __bpf__
typedef unsigned char dc_u8;
typedef unsigned short dc_u16;
typedef unsigned int dc_u32;
typedef unsigned long long dc_u64;
typedef long long dc_s64;
#else
#include <stdint.h>
typedef uint8_t dc_u8;
typedef uint16_t dc_u16;
typedef uint32_t dc_u32;
typedef uint64_t dc_u64;
typedef int64_t dc_s64;
#endif

enum {
    DC_SYSCALLS = 512,          // numbers 0...511; x86-64 and arm64 stay below 480
    DC_ARGUMENTS = 6,           // what a system call can have
    DC_STRINGS = 2,             // most strings of one call (rename, link, symlink)
    DC_STRING_SIZE = 4096,      // PATH_MAX, with its NUL
    DC_NAME_SIZE = 16,          // of a process, with its NUL
    DC_FRAMES = 64,             // nested calls of one thread that are followed
    DC_RECENT_FILES = 8,        // files that a thread's state remembers
    DC_SEEN_FILES = 16384,      // files whose path was written lately
    DC_TRAMPOLINES = 16,        // kernel functions that can be traced through BTF
    DC_LEVELS = 8,              // of pid namespaces below each other
    DC_CGROUP_SIZE = 1024,      // of a cgroup's path, with its NUL (TRACE_CGROUP_PATH_LEN)
    DC_PROCESSES = 32768,       // of a cgroup, that run already when the tracer starts
    DC_FOLDERS = 16,            // inclusion paths
    DC_FOLDER_SIZE = 512,       // of one of them, with its NUL
    DC_COMPONENTS = 48,         // most names in a path that is followed up to the root
    DC_SLOTS = 16384,           // marked threads whose state is found by their pid alone
};

// A folder below which calls are kept: as a path has it, and as the way up from a file does, each
// name with a NUL behind it. No name and length 0: the root.
struct dc_folder {
    dc_u32 length;              // of either form
    char forward[DC_FOLDER_SIZE];
    char upward[DC_FOLDER_SIZE];
};

// What to keep of a call: bit n stands for argument n.
struct dc_capture {
    dc_u8 wanted : 1;
    dc_u8 opens : 1;            // the result is a descriptor of the file that the path names
    dc_u8 values;
    dc_u8 strings;
    dc_u8 file;                 // 1 + the argument whose file is looked up, 0: none
};

enum dc_kind {
    DC_KIND_SYSCALL = 0,
    DC_KIND_KPROBE = 1,
    DC_KIND_UPROBE = 2,
    DC_KIND_USDT = 3,
    DC_KIND_FILE = 4,           // no call: says which path a file key stands for
    DC_KIND_PROCESS = 5,        // no call: a process and its name
    DC_KIND_PROFILE = 6,        // no call: sums of an interval, made by user space
};

enum dc_flag {
    DC_INCOMPLETE = 1,          // the call never returned: no result, the duration ends with the thread
    DC_NO_STRING = 2,           // a string could not be read
    DC_HAS_FILE = 4,            // the payload begins with the key of the call's file
    DC_ERRNO = 8,               // a library function returned -1; the result is -errno
    DC_ERRNO_NULL = 16,         // it returned NULL; the result is -errno
};

// One call. Behind it: the key of its file, if it has one; the wanted arguments, 8 bytes each
// in the order of their numbers; then each wanted string as a 16-bit length and its
// bytes, no NUL.
//
// For DC_KIND_FILE `start` is the key, `duration` the inode's number, `result` the
// file system's magic number; behind it the names from the file up to the root, each with a NUL.
// For DC_KIND_PROCESS `result` is its parent where it has just been forked, else 0; behind it
// its name.
// For DC_KIND_PROFILE behind it a dc_profile; `flags` is the calls' own kind.
struct dc_record {
    dc_u64 start;               // ns, CLOCK_MONOTONIC
    dc_u64 duration;            // ns
    dc_s64 result;
    dc_u32 pid;                 // as the job's pid namespace has it
    dc_u32 tid;
    dc_u32 function;            // system call number, or index of the probe
    dc_u8 kind;
    dc_u8 flags;
    dc_u8 values;               // as in dc_capture
    dc_u8 strings;
};

// ---- the rings that records cross in ----

enum {
    DC_RING_DATA = 256,         // where a ring's records begin
    DC_RING_HEADER = 8,         // before each record
    DC_RING_SLACK = 12288,      // memory behind a ring's end, for a record that reaches over it
    DC_LONGEST_RECORD = 8448,   // bytes
};

// A ring. Positions only grow; a record lies at its position modulo the ring's size, and
// one that reaches over the end goes on behind it. Before each record are 8 bytes: its length in the
// lower half, how far the next one is in the upper half; 0 while it is being written. User space
// sets to 0 what it has read.
struct dc_ring {
    dc_u64 consumer;
    dc_u64 unused0[15];
    dc_u64 producer;
    dc_u64 unused1[15];
};

// ---- profile mode: sums in place of records ----

enum {
    DC_BUCKETS = 32,            // bucket n counts durations from 2^n to 2^(n+1) - 1 ns
    DC_SUMS = 16384,            // threads times functions of an interval
    DC_RECENT_SUMS = 16,        // sums that a thread's state remembers, a power of two
};

// What a thread's calls of a function came to in an interval, in the kernel. An interval is shorter
// than 2^32 calls take.
struct dc_sums {
    dc_u32 interval;
    dc_u32 tid;
    dc_u32 pid;
    dc_u32 function;
    dc_u32 kind;                // DC_KIND_...
    dc_u32 count;
    dc_u32 errors;              // system calls that failed
    dc_u32 unused;
    dc_u64 total;               // ns
    dc_u64 results;             // sum of the results above 0: bytes, where the function has a size
    dc_u64 minimum;             // ns
    dc_u64 maximum;             // ns
    dc_u32 buckets[DC_BUCKETS];
};

// What all threads of a process came to.
struct dc_profile {
    dc_u64 count;
    dc_u64 total;               // ns
    dc_u64 minimum;             // ns
    dc_u64 maximum;             // ns
    dc_u64 results;             // sum of the results above 0: bytes, where the function has a size
    dc_u64 errors;              // system calls that failed
    dc_u64 buckets[DC_BUCKETS];
};

// Counts that user space reads from the mapped .bss, no capability needed.
struct dc_counts {
    dc_u64 lost_ring_full;      // the ring was full: the job did not wait
    dc_u64 lost_too_deep;       // more nested calls than are followed
    dc_u64 lost_no_memory;      // no task storage could be had for a call
    dc_u64 lost_marks;          // a child could not be marked
    dc_u64 lost_profiles;       // there were more sums than fit
    dc_u64 unreadable_strings;
    dc_u64 incomplete;          // calls that did not return
    dc_u64 privileged;          // programs that gained privileges, left alone
    dc_u64 compat;              // calls through the 32-bit entry, left alone
    dc_u64 marked;              // tasks marked by the marker
};

#endif
