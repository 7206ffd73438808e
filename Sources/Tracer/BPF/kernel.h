// The few kernel types that the programs look into. Offsets are taken from the running
// kernel's BTF (CO-RE), so only names and types matter here and no vmlinux.h is needed.
#ifndef DATACRUMBS_KERNEL_H
#define DATACRUMBS_KERNEL_H

// bpf_tracing.h then takes the registers' names from pt_regs below.
#define __VMLINUX_H__

#include <linux/bpf.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
    unsigned int inum;
};

struct pid_namespace {
    struct ns_common ns;
};

struct upid {
    int nr;
    struct pid_namespace *ns;
};

struct pid {
    unsigned int level;
    struct upid numbers[1];
};

typedef struct {
    unsigned int val;
} kuid_t;

struct super_block {
    unsigned long s_magic;
};

struct inode {
    struct super_block *i_sb;
    unsigned long i_ino;
};

struct qstr {
    unsigned long long hash_len;
    const unsigned char *name;
};

struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
};

struct vfsmount {
    struct dentry *mnt_root;
};

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
};

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

struct file {
    struct path f_path;
    struct inode *f_inode;
};

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};

struct files_struct {
    struct fdtable *fdt;
};

struct bpf_local_storage;

// 64 bits, whose member's name changed with Linux 6.3.
typedef struct {
} kernel_cap_t;

struct user_namespace {
    int level;
};

struct cred {
    kuid_t uid;
    kuid_t suid;
    kuid_t euid;
    kernel_cap_t cap_permitted;
    struct user_namespace *user_ns;
};

struct thread_info {
    unsigned int status;
};

struct thread_struct {
    unsigned long fsbase;
};

struct task_struct {
    struct thread_info thread_info;
    struct pid *thread_pid;
    struct task_struct *group_leader;
    const struct cred *cred;
    struct files_struct *files;
    struct bpf_local_storage *bpf_storage;
    unsigned int flags;
    int pid;
    int tgid;
    unsigned long long start_boottime;
    char comm[16];
    struct thread_struct thread;
};

struct cgroup;

struct linux_binprm {
    unsigned int secureexec : 1;
    const char *filename;
};

struct pt_regs {
    unsigned long r15;
    unsigned long r14;
    unsigned long r13;
    unsigned long r12;
    unsigned long bp;
    unsigned long bx;
    unsigned long r11;
    unsigned long r10;
    unsigned long r9;
    unsigned long r8;
    unsigned long ax;
    unsigned long cx;
    unsigned long dx;
    unsigned long si;
    unsigned long di;
    unsigned long orig_ax;
    unsigned long ip;
    unsigned long cs;
    unsigned long flags;
    unsigned long sp;
    unsigned long ss;
};

struct bpf_iter_meta;

struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
};

#pragma clang attribute pop

#define TS_COMPAT 0x0002  // arch/x86/include/asm/thread_info.h: in a 32-bit system call

#endif
