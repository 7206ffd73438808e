// The system calls of the architecture that this is built for: name, number and
// arguments. The arguments are those that the kernel itself states in
// tracefs events/syscalls/sys_enter_*/format (Linux 6.18); the letter after the colon is
// the kind: s path, f file descriptor, z size, p pointer, x flags, u unsigned, d signed.
#include "CTracerBPF.h"

#include <asm/unistd.h>

static const struct datacrumbs_syscall calls[] = {
#ifdef __NR__sysctl
  {"_sysctl", __NR__sysctl, ""},
#endif
#ifdef __NR_accept
  {"accept", __NR_accept, "fd:f upeer_sockaddr:p upeer_addrlen:p"},
#endif
#ifdef __NR_accept4
  {"accept4", __NR_accept4, "fd:f upeer_sockaddr:p upeer_addrlen:p flags:x"},
#endif
#ifdef __NR_access
  {"access", __NR_access, "filename:s mode:x"},
#endif
#ifdef __NR_acct
  {"acct", __NR_acct, "name:s"},
#endif
#ifdef __NR_add_key
  {"add_key", __NR_add_key, "_type:p _description:p _payload:p plen:z ringid:d"},
#endif
#ifdef __NR_adjtimex
  {"adjtimex", __NR_adjtimex, "txc_p:p"},
#endif
#ifdef __NR_afs_syscall
  {"afs_syscall", __NR_afs_syscall, ""},
#endif
#ifdef __NR_alarm
  {"alarm", __NR_alarm, "seconds:u"},
#endif
#ifdef __NR_arch_prctl
  {"arch_prctl", __NR_arch_prctl, "option:d arg2:u"},
#endif
#ifdef __NR_bind
  {"bind", __NR_bind, "fd:f umyaddr:p addrlen:d"},
#endif
#ifdef __NR_bpf
  {"bpf", __NR_bpf, "cmd:d uattr:p size:z"},
#endif
#ifdef __NR_brk
  {"brk", __NR_brk, "brk:u"},
#endif
#ifdef __NR_cachestat
  {"cachestat", __NR_cachestat, "fd:f cstat_range:p cstat:p flags:x"},
#endif
#ifdef __NR_capget
  {"capget", __NR_capget, "header:d dataptr:d"},
#endif
#ifdef __NR_capset
  {"capset", __NR_capset, "header:d data:d"},
#endif
#ifdef __NR_chdir
  {"chdir", __NR_chdir, "filename:s"},
#endif
#ifdef __NR_chmod
  {"chmod", __NR_chmod, "filename:s mode:x"},
#endif
#ifdef __NR_chown
  {"chown", __NR_chown, "filename:s user:u group:d"},
#endif
#ifdef __NR_chroot
  {"chroot", __NR_chroot, "filename:s"},
#endif
#ifdef __NR_clock_adjtime
  {"clock_adjtime", __NR_clock_adjtime, "which_clock:d utx:p"},
#endif
#ifdef __NR_clock_adjtime64
  {"clock_adjtime64", __NR_clock_adjtime64, ""},
#endif
#ifdef __NR_clock_getres
  {"clock_getres", __NR_clock_getres, "which_clock:d tp:p"},
#endif
#ifdef __NR_clock_getres_time64
  {"clock_getres_time64", __NR_clock_getres_time64, ""},
#endif
#ifdef __NR_clock_gettime
  {"clock_gettime", __NR_clock_gettime, "which_clock:d tp:p"},
#endif
#ifdef __NR_clock_gettime64
  {"clock_gettime64", __NR_clock_gettime64, ""},
#endif
#ifdef __NR_clock_nanosleep
  {"clock_nanosleep", __NR_clock_nanosleep, "which_clock:d flags:x rqtp:p rmtp:p"},
#endif
#ifdef __NR_clock_nanosleep_time64
  {"clock_nanosleep_time64", __NR_clock_nanosleep_time64, ""},
#endif
#ifdef __NR_clock_settime
  {"clock_settime", __NR_clock_settime, "which_clock:d tp:p"},
#endif
#ifdef __NR_clock_settime64
  {"clock_settime64", __NR_clock_settime64, ""},
#endif
#ifdef __NR_clone
  {"clone", __NR_clone, "clone_flags:u newsp:u parent_tidptr:p child_tidptr:p tls:u"},
#endif
#ifdef __NR_clone3
  {"clone3", __NR_clone3, "uargs:p size:z"},
#endif
#ifdef __NR_close
  {"close", __NR_close, "fd:f"},
#endif
#ifdef __NR_close_range
  {"close_range", __NR_close_range, "fd:f max_fd:u flags:x"},
#endif
#ifdef __NR_connect
  {"connect", __NR_connect, "fd:f uservaddr:p addrlen:d"},
#endif
#ifdef __NR_copy_file_range
  {"copy_file_range", __NR_copy_file_range, "fd_in:f off_in:p fd_out:f off_out:p len:z flags:x"},
#endif
#ifdef __NR_creat
  {"creat", __NR_creat, "pathname:s mode:x"},
#endif
#ifdef __NR_create_module
  {"create_module", __NR_create_module, ""},
#endif
#ifdef __NR_delete_module
  {"delete_module", __NR_delete_module, ""},
#endif
#ifdef __NR_dup
  {"dup", __NR_dup, "fildes:f"},
#endif
#ifdef __NR_dup2
  {"dup2", __NR_dup2, "oldfd:f newfd:f"},
#endif
#ifdef __NR_dup3
  {"dup3", __NR_dup3, "oldfd:f newfd:f flags:x"},
#endif
#ifdef __NR_epoll_create
  {"epoll_create", __NR_epoll_create, "size:z"},
#endif
#ifdef __NR_epoll_create1
  {"epoll_create1", __NR_epoll_create1, "flags:x"},
#endif
#ifdef __NR_epoll_ctl
  {"epoll_ctl", __NR_epoll_ctl, "epfd:f op:d fd:f event:p"},
#endif
#ifdef __NR_epoll_ctl_old
  {"epoll_ctl_old", __NR_epoll_ctl_old, ""},
#endif
#ifdef __NR_epoll_pwait
  {"epoll_pwait", __NR_epoll_pwait, "epfd:f events:p maxevents:d timeout:d sigmask:p sigsetsize:z"},
#endif
#ifdef __NR_epoll_pwait2
  {"epoll_pwait2", __NR_epoll_pwait2, "epfd:f events:p maxevents:d timeout:p sigmask:p sigsetsize:z"},
#endif
#ifdef __NR_epoll_wait
  {"epoll_wait", __NR_epoll_wait, "epfd:f events:p maxevents:d timeout:d"},
#endif
#ifdef __NR_epoll_wait_old
  {"epoll_wait_old", __NR_epoll_wait_old, ""},
#endif
#ifdef __NR_eventfd
  {"eventfd", __NR_eventfd, "count:z"},
#endif
#ifdef __NR_eventfd2
  {"eventfd2", __NR_eventfd2, "count:z flags:x"},
#endif
#ifdef __NR_execve
  {"execve", __NR_execve, "filename:s argv:p envp:p"},
#endif
#ifdef __NR_execveat
  {"execveat", __NR_execveat, "fd:f filename:s argv:p envp:p flags:x"},
#endif
#ifdef __NR_exit
  {"exit", __NR_exit, "error_code:d"},
#endif
#ifdef __NR_exit_group
  {"exit_group", __NR_exit_group, "error_code:d"},
#endif
#ifdef __NR_faccessat
  {"faccessat", __NR_faccessat, "dfd:f filename:s mode:x"},
#endif
#ifdef __NR_faccessat2
  {"faccessat2", __NR_faccessat2, "dfd:f filename:s mode:x flags:x"},
#endif
#ifdef __NR_fadvise64
  {"fadvise64", __NR_fadvise64, "fd:f offset:d len:z advice:d"},
#endif
#ifdef __NR_fadvise64_64
  {"fadvise64_64", __NR_fadvise64_64, ""},
#endif
#ifdef __NR_fallocate
  {"fallocate", __NR_fallocate, "fd:f mode:x offset:d len:z"},
#endif
#ifdef __NR_fanotify_init
  {"fanotify_init", __NR_fanotify_init, "flags:x event_f_flags:u"},
#endif
#ifdef __NR_fanotify_mark
  {"fanotify_mark", __NR_fanotify_mark, "fanotify_fd:f flags:x mask:x dfd:f pathname:s"},
#endif
#ifdef __NR_fchdir
  {"fchdir", __NR_fchdir, "fd:f"},
#endif
#ifdef __NR_fchmod
  {"fchmod", __NR_fchmod, "fd:f mode:x"},
#endif
#ifdef __NR_fchmodat
  {"fchmodat", __NR_fchmodat, "dfd:f filename:s mode:x"},
#endif
#ifdef __NR_fchmodat2
  {"fchmodat2", __NR_fchmodat2, "dfd:f filename:s mode:x flags:x"},
#endif
#ifdef __NR_fchown
  {"fchown", __NR_fchown, "fd:f user:u group:d"},
#endif
#ifdef __NR_fchownat
  {"fchownat", __NR_fchownat, "dfd:f filename:s user:u group:d flag:x"},
#endif
#ifdef __NR_fcntl
  {"fcntl", __NR_fcntl, "fd:f cmd:u arg:u"},
#endif
#ifdef __NR_fcntl64
  {"fcntl64", __NR_fcntl64, ""},
#endif
#ifdef __NR_fdatasync
  {"fdatasync", __NR_fdatasync, "fd:f"},
#endif
#ifdef __NR_fgetxattr
  {"fgetxattr", __NR_fgetxattr, "fd:f name:s value:p size:z"},
#endif
#ifdef __NR_file_getattr
  {"file_getattr", __NR_file_getattr, "dfd:f filename:s ufattr:p usize:z at_flags:u"},
#endif
#ifdef __NR_file_setattr
  {"file_setattr", __NR_file_setattr, "dfd:f filename:s ufattr:p usize:z at_flags:u"},
#endif
#ifdef __NR_finit_module
  {"finit_module", __NR_finit_module, ""},
#endif
#ifdef __NR_flistxattr
  {"flistxattr", __NR_flistxattr, "fd:f list:p size:z"},
#endif
#ifdef __NR_flock
  {"flock", __NR_flock, "fd:f cmd:u"},
#endif
#ifdef __NR_fork
  {"fork", __NR_fork, ""},
#endif
#ifdef __NR_fremovexattr
  {"fremovexattr", __NR_fremovexattr, "fd:f name:s"},
#endif
#ifdef __NR_fsconfig
  {"fsconfig", __NR_fsconfig, "fd:f cmd:u _key:p _value:p aux:d"},
#endif
#ifdef __NR_fsetxattr
  {"fsetxattr", __NR_fsetxattr, "fd:f name:s value:p size:z flags:x"},
#endif
#ifdef __NR_fsmount
  {"fsmount", __NR_fsmount, "fs_fd:f flags:x attr_flags:u"},
#endif
#ifdef __NR_fsopen
  {"fsopen", __NR_fsopen, "_fs_name:p flags:x"},
#endif
#ifdef __NR_fspick
  {"fspick", __NR_fspick, "dfd:f path:s flags:x"},
#endif
#ifdef __NR_fstat
  {"fstat", __NR_fstat, "fd:f statbuf:p"},
#endif
#ifdef __NR_fstat64
  {"fstat64", __NR_fstat64, ""},
#endif
#ifdef __NR_fstatat
  {"fstatat", __NR_fstatat, ""},
#endif
#ifdef __NR_fstatat64
  {"fstatat64", __NR_fstatat64, ""},
#endif
#ifdef __NR_fstatfs
  {"fstatfs", __NR_fstatfs, "fd:f buf:p"},
#endif
#ifdef __NR_fstatfs64
  {"fstatfs64", __NR_fstatfs64, ""},
#endif
#ifdef __NR_fsync
  {"fsync", __NR_fsync, "fd:f"},
#endif
#ifdef __NR_ftruncate
  {"ftruncate", __NR_ftruncate, "fd:f length:d"},
#endif
#ifdef __NR_ftruncate64
  {"ftruncate64", __NR_ftruncate64, ""},
#endif
#ifdef __NR_futex
  {"futex", __NR_futex, "uaddr:p op:d val:u utime:p uaddr2:p val3:u"},
#endif
#ifdef __NR_futex_requeue
  {"futex_requeue", __NR_futex_requeue, "waiters:p flags:x nr_wake:d nr_requeue:d"},
#endif
#ifdef __NR_futex_time64
  {"futex_time64", __NR_futex_time64, ""},
#endif
#ifdef __NR_futex_wait
  {"futex_wait", __NR_futex_wait, "uaddr:p val:u mask:x flags:x timeout:p clockid:d"},
#endif
#ifdef __NR_futex_waitv
  {"futex_waitv", __NR_futex_waitv, "waiters:p nr_futexes:u flags:x timeout:p clockid:d"},
#endif
#ifdef __NR_futex_wake
  {"futex_wake", __NR_futex_wake, "uaddr:p mask:x nr:d flags:x"},
#endif
#ifdef __NR_futimesat
  {"futimesat", __NR_futimesat, "dfd:f filename:s utimes:p"},
#endif
#ifdef __NR_get_kernel_syms
  {"get_kernel_syms", __NR_get_kernel_syms, ""},
#endif
#ifdef __NR_get_mempolicy
  {"get_mempolicy", __NR_get_mempolicy, "policy:p nmask:p maxnode:u addr:u flags:x"},
#endif
#ifdef __NR_get_robust_list
  {"get_robust_list", __NR_get_robust_list, "pid:d head_ptr:p len_ptr:p"},
#endif
#ifdef __NR_get_thread_area
  {"get_thread_area", __NR_get_thread_area, ""},
#endif
#ifdef __NR_getcpu
  {"getcpu", __NR_getcpu, "cpup:p nodep:p unused:p"},
#endif
#ifdef __NR_getcwd
  {"getcwd", __NR_getcwd, "buf:p size:z"},
#endif
#ifdef __NR_getdents
  {"getdents", __NR_getdents, "fd:f dirent:p count:z"},
#endif
#ifdef __NR_getdents64
  {"getdents64", __NR_getdents64, "fd:f dirent:p count:z"},
#endif
#ifdef __NR_getegid
  {"getegid", __NR_getegid, ""},
#endif
#ifdef __NR_geteuid
  {"geteuid", __NR_geteuid, ""},
#endif
#ifdef __NR_getgid
  {"getgid", __NR_getgid, ""},
#endif
#ifdef __NR_getgroups
  {"getgroups", __NR_getgroups, "gidsetsize:d grouplist:p"},
#endif
#ifdef __NR_getitimer
  {"getitimer", __NR_getitimer, "which:d value:p"},
#endif
#ifdef __NR_getpeername
  {"getpeername", __NR_getpeername, "fd:f usockaddr:p usockaddr_len:p"},
#endif
#ifdef __NR_getpgid
  {"getpgid", __NR_getpgid, "pid:d"},
#endif
#ifdef __NR_getpgrp
  {"getpgrp", __NR_getpgrp, ""},
#endif
#ifdef __NR_getpid
  {"getpid", __NR_getpid, ""},
#endif
#ifdef __NR_getpmsg
  {"getpmsg", __NR_getpmsg, ""},
#endif
#ifdef __NR_getppid
  {"getppid", __NR_getppid, ""},
#endif
#ifdef __NR_getpriority
  {"getpriority", __NR_getpriority, "which:d who:d"},
#endif
#ifdef __NR_getrandom
  {"getrandom", __NR_getrandom, "ubuf:p len:z flags:x"},
#endif
#ifdef __NR_getresgid
  {"getresgid", __NR_getresgid, "rgidp:p egidp:p sgidp:p"},
#endif
#ifdef __NR_getresuid
  {"getresuid", __NR_getresuid, "ruidp:p euidp:p suidp:p"},
#endif
#ifdef __NR_getrlimit
  {"getrlimit", __NR_getrlimit, "resource:u rlim:p"},
#endif
#ifdef __NR_getrusage
  {"getrusage", __NR_getrusage, "who:d ru:p"},
#endif
#ifdef __NR_getsid
  {"getsid", __NR_getsid, "pid:d"},
#endif
#ifdef __NR_getsockname
  {"getsockname", __NR_getsockname, "fd:f usockaddr:p usockaddr_len:p"},
#endif
#ifdef __NR_getsockopt
  {"getsockopt", __NR_getsockopt, "fd:f level:d optname:d optval:p optlen:p"},
#endif
#ifdef __NR_gettid
  {"gettid", __NR_gettid, ""},
#endif
#ifdef __NR_gettimeofday
  {"gettimeofday", __NR_gettimeofday, "tv:p tz:p"},
#endif
#ifdef __NR_getuid
  {"getuid", __NR_getuid, ""},
#endif
#ifdef __NR_getxattr
  {"getxattr", __NR_getxattr, "pathname:s name:s value:p size:z"},
#endif
#ifdef __NR_getxattrat
  {"getxattrat", __NR_getxattrat, "dfd:f pathname:s at_flags:u name:s uargs:p usize:z"},
#endif
#ifdef __NR_init_module
  {"init_module", __NR_init_module, ""},
#endif
#ifdef __NR_inotify_add_watch
  {"inotify_add_watch", __NR_inotify_add_watch, "fd:f pathname:s mask:x"},
#endif
#ifdef __NR_inotify_init
  {"inotify_init", __NR_inotify_init, ""},
#endif
#ifdef __NR_inotify_init1
  {"inotify_init1", __NR_inotify_init1, "flags:x"},
#endif
#ifdef __NR_inotify_rm_watch
  {"inotify_rm_watch", __NR_inotify_rm_watch, "fd:f wd:d"},
#endif
#ifdef __NR_io_cancel
  {"io_cancel", __NR_io_cancel, "ctx_id:d iocb:p result:p"},
#endif
#ifdef __NR_io_destroy
  {"io_destroy", __NR_io_destroy, "ctx:d"},
#endif
#ifdef __NR_io_getevents
  {"io_getevents", __NR_io_getevents, "ctx_id:d min_nr:d nr:d events:p timeout:p"},
#endif
#ifdef __NR_io_pgetevents
  {"io_pgetevents", __NR_io_pgetevents, "ctx_id:d min_nr:d nr:d events:p timeout:p usig:p"},
#endif
#ifdef __NR_io_pgetevents_time64
  {"io_pgetevents_time64", __NR_io_pgetevents_time64, ""},
#endif
#ifdef __NR_io_setup
  {"io_setup", __NR_io_setup, "nr_events:u ctxp:p"},
#endif
#ifdef __NR_io_submit
  {"io_submit", __NR_io_submit, "ctx_id:d nr:d iocbpp:p"},
#endif
#ifdef __NR_io_uring_enter
  {"io_uring_enter", __NR_io_uring_enter, "fd:f to_submit:u min_complete:u flags:x argp:p argsz:z"},
#endif
#ifdef __NR_io_uring_register
  {"io_uring_register", __NR_io_uring_register, "fd:f opcode:u arg:p nr_args:u"},
#endif
#ifdef __NR_io_uring_setup
  {"io_uring_setup", __NR_io_uring_setup, "entries:u params:p"},
#endif
#ifdef __NR_ioctl
  {"ioctl", __NR_ioctl, "fd:f cmd:u arg:u"},
#endif
#ifdef __NR_ioperm
  {"ioperm", __NR_ioperm, "from:u num:u turn_on:d"},
#endif
#ifdef __NR_iopl
  {"iopl", __NR_iopl, "level:u"},
#endif
#ifdef __NR_ioprio_get
  {"ioprio_get", __NR_ioprio_get, "which:d who:d"},
#endif
#ifdef __NR_ioprio_set
  {"ioprio_set", __NR_ioprio_set, "which:d who:d ioprio:d"},
#endif
#ifdef __NR_kcmp
  {"kcmp", __NR_kcmp, "pid1:d pid2:d type:d idx1:u idx2:u"},
#endif
#ifdef __NR_kexec_file_load
  {"kexec_file_load", __NR_kexec_file_load, ""},
#endif
#ifdef __NR_kexec_load
  {"kexec_load", __NR_kexec_load, ""},
#endif
#ifdef __NR_keyctl
  {"keyctl", __NR_keyctl, "option:d arg2:u arg3:u arg4:u arg5:u"},
#endif
#ifdef __NR_kill
  {"kill", __NR_kill, "pid:d sig:d"},
#endif
#ifdef __NR_landlock_add_rule
  {"landlock_add_rule", __NR_landlock_add_rule, "ruleset_fd:d rule_type:d rule_attr:p flags:x"},
#endif
#ifdef __NR_landlock_create_ruleset
  {"landlock_create_ruleset", __NR_landlock_create_ruleset, "attr:p size:z flags:x"},
#endif
#ifdef __NR_landlock_restrict_self
  {"landlock_restrict_self", __NR_landlock_restrict_self, "ruleset_fd:d flags:x"},
#endif
#ifdef __NR_lchown
  {"lchown", __NR_lchown, "filename:s user:u group:d"},
#endif
#ifdef __NR_lgetxattr
  {"lgetxattr", __NR_lgetxattr, "pathname:s name:s value:p size:z"},
#endif
#ifdef __NR_link
  {"link", __NR_link, "oldname:s newname:s"},
#endif
#ifdef __NR_linkat
  {"linkat", __NR_linkat, "olddfd:f oldname:s newdfd:f newname:s flags:x"},
#endif
#ifdef __NR_listen
  {"listen", __NR_listen, "fd:f backlog:d"},
#endif
#ifdef __NR_listmount
  {"listmount", __NR_listmount, "req:p mnt_ids:p nr_mnt_ids:z flags:x"},
#endif
#ifdef __NR_listxattr
  {"listxattr", __NR_listxattr, "pathname:s list:p size:z"},
#endif
#ifdef __NR_listxattrat
  {"listxattrat", __NR_listxattrat, "dfd:f pathname:s at_flags:u list:p size:z"},
#endif
#ifdef __NR_llistxattr
  {"llistxattr", __NR_llistxattr, "pathname:s list:p size:z"},
#endif
#ifdef __NR_llseek
  {"llseek", __NR_llseek, ""},
#endif
#ifdef __NR_lookup_dcookie
  {"lookup_dcookie", __NR_lookup_dcookie, ""},
#endif
#ifdef __NR_lremovexattr
  {"lremovexattr", __NR_lremovexattr, "pathname:s name:s"},
#endif
#ifdef __NR_lseek
  {"lseek", __NR_lseek, "fd:f offset:d whence:u"},
#endif
#ifdef __NR_lsetxattr
  {"lsetxattr", __NR_lsetxattr, "pathname:s name:s value:p size:z flags:x"},
#endif
#ifdef __NR_lsm_get_self_attr
  {"lsm_get_self_attr", __NR_lsm_get_self_attr, "attr:u ctx:p size:p flags:x"},
#endif
#ifdef __NR_lsm_list_modules
  {"lsm_list_modules", __NR_lsm_list_modules, "ids:p size:p flags:x"},
#endif
#ifdef __NR_lsm_set_self_attr
  {"lsm_set_self_attr", __NR_lsm_set_self_attr, "attr:u ctx:p size:z flags:x"},
#endif
#ifdef __NR_lstat
  {"lstat", __NR_lstat, "filename:s statbuf:p"},
#endif
#ifdef __NR_lstat64
  {"lstat64", __NR_lstat64, ""},
#endif
#ifdef __NR_madvise
  {"madvise", __NR_madvise, "start:u len_in:z behavior:d"},
#endif
#ifdef __NR_mbind
  {"mbind", __NR_mbind, "start:u len:z mode:x nmask:p maxnode:u flags:x"},
#endif
#ifdef __NR_membarrier
  {"membarrier", __NR_membarrier, "cmd:d flags:x cpu_id:d"},
#endif
#ifdef __NR_memfd_create
  {"memfd_create", __NR_memfd_create, "uname:p flags:x"},
#endif
#ifdef __NR_memfd_secret
  {"memfd_secret", __NR_memfd_secret, "flags:x"},
#endif
#ifdef __NR_migrate_pages
  {"migrate_pages", __NR_migrate_pages, "pid:d maxnode:u old_nodes:p new_nodes:p"},
#endif
#ifdef __NR_mincore
  {"mincore", __NR_mincore, "start:u len:z vec:p"},
#endif
#ifdef __NR_mkdir
  {"mkdir", __NR_mkdir, "pathname:s mode:x"},
#endif
#ifdef __NR_mkdirat
  {"mkdirat", __NR_mkdirat, "dfd:f pathname:s mode:x"},
#endif
#ifdef __NR_mknod
  {"mknod", __NR_mknod, "filename:s mode:x dev:u"},
#endif
#ifdef __NR_mknodat
  {"mknodat", __NR_mknodat, "dfd:f filename:s mode:x dev:u"},
#endif
#ifdef __NR_mlock
  {"mlock", __NR_mlock, "start:u len:z"},
#endif
#ifdef __NR_mlock2
  {"mlock2", __NR_mlock2, "start:u len:z flags:x"},
#endif
#ifdef __NR_mlockall
  {"mlockall", __NR_mlockall, "flags:x"},
#endif
#ifdef __NR_mmap
  {"mmap", __NR_mmap, "addr:u len:z prot:x flags:x fd:f off:u"},
#endif
#ifdef __NR_mmap2
  {"mmap2", __NR_mmap2, ""},
#endif
#ifdef __NR_modify_ldt
  {"modify_ldt", __NR_modify_ldt, "func:d ptr:p bytecount:u"},
#endif
#ifdef __NR_mount
  {"mount", __NR_mount, "dev_name:s dir_name:s type:p flags:x data:p"},
#endif
#ifdef __NR_mount_setattr
  {"mount_setattr", __NR_mount_setattr, "dfd:f path:s flags:x uattr:p usize:z"},
#endif
#ifdef __NR_move_mount
  {"move_mount", __NR_move_mount, "from_dfd:f from_pathname:s to_dfd:f to_pathname:s flags:x"},
#endif
#ifdef __NR_move_pages
  {"move_pages", __NR_move_pages, "pid:d nr_pages:u pages:p nodes:p status:p flags:x"},
#endif
#ifdef __NR_mprotect
  {"mprotect", __NR_mprotect, "start:u len:z prot:x"},
#endif
#ifdef __NR_mq_getsetattr
  {"mq_getsetattr", __NR_mq_getsetattr, "mqdes:d u_mqstat:p u_omqstat:p"},
#endif
#ifdef __NR_mq_notify
  {"mq_notify", __NR_mq_notify, "mqdes:d u_notification:p"},
#endif
#ifdef __NR_mq_open
  {"mq_open", __NR_mq_open, "u_name:s oflag:d mode:x u_attr:p"},
#endif
#ifdef __NR_mq_timedreceive
  {"mq_timedreceive", __NR_mq_timedreceive, "mqdes:d u_msg_ptr:p msg_len:z u_msg_prio:p u_abs_timeout:p"},
#endif
#ifdef __NR_mq_timedreceive_time64
  {"mq_timedreceive_time64", __NR_mq_timedreceive_time64, ""},
#endif
#ifdef __NR_mq_timedsend
  {"mq_timedsend", __NR_mq_timedsend, "mqdes:d u_msg_ptr:p msg_len:z msg_prio:u u_abs_timeout:p"},
#endif
#ifdef __NR_mq_timedsend_time64
  {"mq_timedsend_time64", __NR_mq_timedsend_time64, ""},
#endif
#ifdef __NR_mq_unlink
  {"mq_unlink", __NR_mq_unlink, "u_name:s"},
#endif
#ifdef __NR_mremap
  {"mremap", __NR_mremap, "addr:u old_len:u new_len:u flags:x new_addr:u"},
#endif
#ifdef __NR_mseal
  {"mseal", __NR_mseal, "start:u len:z flags:x"},
#endif
#ifdef __NR_msgctl
  {"msgctl", __NR_msgctl, "msqid:d cmd:d buf:p"},
#endif
#ifdef __NR_msgget
  {"msgget", __NR_msgget, "key:d msgflg:d"},
#endif
#ifdef __NR_msgrcv
  {"msgrcv", __NR_msgrcv, "msqid:d msgp:p msgsz:z msgtyp:d msgflg:d"},
#endif
#ifdef __NR_msgsnd
  {"msgsnd", __NR_msgsnd, "msqid:d msgp:p msgsz:z msgflg:d"},
#endif
#ifdef __NR_msync
  {"msync", __NR_msync, "start:u len:z flags:x"},
#endif
#ifdef __NR_munlock
  {"munlock", __NR_munlock, "start:u len:z"},
#endif
#ifdef __NR_munlockall
  {"munlockall", __NR_munlockall, ""},
#endif
#ifdef __NR_munmap
  {"munmap", __NR_munmap, "addr:u len:z"},
#endif
#ifdef __NR_name_to_handle_at
  {"name_to_handle_at", __NR_name_to_handle_at, "dfd:f name:s handle:p mnt_id:p flag:x"},
#endif
#ifdef __NR_nanosleep
  {"nanosleep", __NR_nanosleep, "rqtp:p rmtp:p"},
#endif
#ifdef __NR_newfstatat
  {"newfstatat", __NR_newfstatat, "dfd:f filename:s statbuf:p flag:x"},
#endif
#ifdef __NR_nfsservctl
  {"nfsservctl", __NR_nfsservctl, ""},
#endif
#ifdef __NR_open
  {"open", __NR_open, "filename:s flags:x mode:x"},
#endif
#ifdef __NR_open_by_handle_at
  {"open_by_handle_at", __NR_open_by_handle_at, "mountdirfd:d handle:p flags:x"},
#endif
#ifdef __NR_open_tree
  {"open_tree", __NR_open_tree, "dfd:f filename:s flags:x"},
#endif
#ifdef __NR_open_tree_attr
  {"open_tree_attr", __NR_open_tree_attr, "dfd:f filename:s flags:x uattr:p usize:z"},
#endif
#ifdef __NR_openat
  {"openat", __NR_openat, "dfd:f filename:s flags:x mode:x"},
#endif
#ifdef __NR_openat2
  {"openat2", __NR_openat2, "dfd:f filename:s how:p usize:z"},
#endif
#ifdef __NR_pause
  {"pause", __NR_pause, ""},
#endif
#ifdef __NR_perf_event_open
  {"perf_event_open", __NR_perf_event_open, "attr_uptr:p pid:d cpu:d group_fd:f flags:x"},
#endif
#ifdef __NR_personality
  {"personality", __NR_personality, "personality:u"},
#endif
#ifdef __NR_pidfd_getfd
  {"pidfd_getfd", __NR_pidfd_getfd, "pidfd:f fd:f flags:x"},
#endif
#ifdef __NR_pidfd_open
  {"pidfd_open", __NR_pidfd_open, "pid:d flags:x"},
#endif
#ifdef __NR_pidfd_send_signal
  {"pidfd_send_signal", __NR_pidfd_send_signal, "pidfd:f sig:d info:p flags:x"},
#endif
#ifdef __NR_pipe
  {"pipe", __NR_pipe, "fildes:p"},
#endif
#ifdef __NR_pipe2
  {"pipe2", __NR_pipe2, "fildes:p flags:x"},
#endif
#ifdef __NR_pivot_root
  {"pivot_root", __NR_pivot_root, "new_root:s put_old:s"},
#endif
#ifdef __NR_pkey_alloc
  {"pkey_alloc", __NR_pkey_alloc, "flags:x init_val:u"},
#endif
#ifdef __NR_pkey_free
  {"pkey_free", __NR_pkey_free, "pkey:d"},
#endif
#ifdef __NR_pkey_mprotect
  {"pkey_mprotect", __NR_pkey_mprotect, "start:u len:z prot:x pkey:d"},
#endif
#ifdef __NR_poll
  {"poll", __NR_poll, "ufds:p nfds:u timeout_msecs:d"},
#endif
#ifdef __NR_ppoll
  {"ppoll", __NR_ppoll, "ufds:p nfds:u tsp:p sigmask:p sigsetsize:z"},
#endif
#ifdef __NR_ppoll_time64
  {"ppoll_time64", __NR_ppoll_time64, ""},
#endif
#ifdef __NR_prctl
  {"prctl", __NR_prctl, "option:d arg2:u arg3:u arg4:u arg5:u"},
#endif
#ifdef __NR_pread64
  {"pread64", __NR_pread64, "fd:f buf:p count:z pos:d"},
#endif
#ifdef __NR_preadv
  {"preadv", __NR_preadv, "fd:f vec:p vlen:z pos_l:u pos_h:u"},
#endif
#ifdef __NR_preadv2
  {"preadv2", __NR_preadv2, "fd:f vec:p vlen:z pos_l:u pos_h:u flags:x"},
#endif
#ifdef __NR_prlimit64
  {"prlimit64", __NR_prlimit64, "pid:d resource:u new_rlim:p old_rlim:p"},
#endif
#ifdef __NR_process_madvise
  {"process_madvise", __NR_process_madvise, "pidfd:f vec:p vlen:z behavior:d flags:x"},
#endif
#ifdef __NR_process_mrelease
  {"process_mrelease", __NR_process_mrelease, "pidfd:f flags:x"},
#endif
#ifdef __NR_process_vm_readv
  {"process_vm_readv", __NR_process_vm_readv, "pid:d lvec:p liovcnt:u rvec:p riovcnt:u flags:x"},
#endif
#ifdef __NR_process_vm_writev
  {"process_vm_writev", __NR_process_vm_writev, "pid:d lvec:p liovcnt:u rvec:p riovcnt:u flags:x"},
#endif
#ifdef __NR_pselect6
  {"pselect6", __NR_pselect6, "n:d inp:p outp:p exp:p tsp:p sig:p"},
#endif
#ifdef __NR_pselect6_time64
  {"pselect6_time64", __NR_pselect6_time64, ""},
#endif
#ifdef __NR_ptrace
  {"ptrace", __NR_ptrace, "request:d pid:d addr:u data:u"},
#endif
#ifdef __NR_putpmsg
  {"putpmsg", __NR_putpmsg, ""},
#endif
#ifdef __NR_pwrite64
  {"pwrite64", __NR_pwrite64, "fd:f buf:p count:z pos:d"},
#endif
#ifdef __NR_pwritev
  {"pwritev", __NR_pwritev, "fd:f vec:p vlen:z pos_l:u pos_h:u"},
#endif
#ifdef __NR_pwritev2
  {"pwritev2", __NR_pwritev2, "fd:f vec:p vlen:z pos_l:u pos_h:u flags:x"},
#endif
#ifdef __NR_query_module
  {"query_module", __NR_query_module, ""},
#endif
#ifdef __NR_quotactl
  {"quotactl", __NR_quotactl, "cmd:u special:s id:d addr:p"},
#endif
#ifdef __NR_quotactl_fd
  {"quotactl_fd", __NR_quotactl_fd, "fd:f cmd:u id:d addr:p"},
#endif
#ifdef __NR_read
  {"read", __NR_read, "fd:f buf:p count:z"},
#endif
#ifdef __NR_readahead
  {"readahead", __NR_readahead, "fd:f offset:d count:z"},
#endif
#ifdef __NR_readlink
  {"readlink", __NR_readlink, "path:s buf:p bufsiz:z"},
#endif
#ifdef __NR_readlinkat
  {"readlinkat", __NR_readlinkat, "dfd:f pathname:s buf:p bufsiz:z"},
#endif
#ifdef __NR_readv
  {"readv", __NR_readv, "fd:f vec:p vlen:z"},
#endif
#ifdef __NR_reboot
  {"reboot", __NR_reboot, "magic1:d magic2:d cmd:u arg:p"},
#endif
#ifdef __NR_recvfrom
  {"recvfrom", __NR_recvfrom, "fd:f ubuf:p size:z flags:x addr:p addr_len:p"},
#endif
#ifdef __NR_recvmmsg
  {"recvmmsg", __NR_recvmmsg, "fd:f mmsg:p vlen:z flags:x timeout:p"},
#endif
#ifdef __NR_recvmmsg_time64
  {"recvmmsg_time64", __NR_recvmmsg_time64, ""},
#endif
#ifdef __NR_recvmsg
  {"recvmsg", __NR_recvmsg, "fd:f msg:p flags:x"},
#endif
#ifdef __NR_remap_file_pages
  {"remap_file_pages", __NR_remap_file_pages, "start:u size:z prot:x pgoff:u flags:x"},
#endif
#ifdef __NR_removexattr
  {"removexattr", __NR_removexattr, "pathname:s name:s"},
#endif
#ifdef __NR_removexattrat
  {"removexattrat", __NR_removexattrat, "dfd:f pathname:s at_flags:u name:s"},
#endif
#ifdef __NR_rename
  {"rename", __NR_rename, "oldname:s newname:s"},
#endif
#ifdef __NR_renameat
  {"renameat", __NR_renameat, "olddfd:f oldname:s newdfd:f newname:s"},
#endif
#ifdef __NR_renameat2
  {"renameat2", __NR_renameat2, "olddfd:f oldname:s newdfd:f newname:s flags:x"},
#endif
#ifdef __NR_request_key
  {"request_key", __NR_request_key, "_type:p _description:p _callout_info:p destringid:d"},
#endif
#ifdef __NR_restart_syscall
  {"restart_syscall", __NR_restart_syscall, ""},
#endif
#ifdef __NR_rmdir
  {"rmdir", __NR_rmdir, "pathname:s"},
#endif
#ifdef __NR_rseq
  {"rseq", __NR_rseq, "rseq:p rseq_len:u flags:x sig:u"},
#endif
#ifdef __NR_rt_sigaction
  {"rt_sigaction", __NR_rt_sigaction, "sig:d act:p oact:p sigsetsize:z"},
#endif
#ifdef __NR_rt_sigpending
  {"rt_sigpending", __NR_rt_sigpending, "uset:p sigsetsize:z"},
#endif
#ifdef __NR_rt_sigprocmask
  {"rt_sigprocmask", __NR_rt_sigprocmask, "how:d nset:p oset:p sigsetsize:z"},
#endif
#ifdef __NR_rt_sigqueueinfo
  {"rt_sigqueueinfo", __NR_rt_sigqueueinfo, "pid:d sig:d uinfo:p"},
#endif
#ifdef __NR_rt_sigreturn
  {"rt_sigreturn", __NR_rt_sigreturn, ""},
#endif
#ifdef __NR_rt_sigsuspend
  {"rt_sigsuspend", __NR_rt_sigsuspend, "unewset:p sigsetsize:z"},
#endif
#ifdef __NR_rt_sigtimedwait
  {"rt_sigtimedwait", __NR_rt_sigtimedwait, "uthese:p uinfo:p uts:p sigsetsize:z"},
#endif
#ifdef __NR_rt_sigtimedwait_time64
  {"rt_sigtimedwait_time64", __NR_rt_sigtimedwait_time64, ""},
#endif
#ifdef __NR_rt_tgsigqueueinfo
  {"rt_tgsigqueueinfo", __NR_rt_tgsigqueueinfo, "tgid:d pid:d sig:d uinfo:p"},
#endif
#ifdef __NR_sched_get_priority_max
  {"sched_get_priority_max", __NR_sched_get_priority_max, "policy:d"},
#endif
#ifdef __NR_sched_get_priority_min
  {"sched_get_priority_min", __NR_sched_get_priority_min, "policy:d"},
#endif
#ifdef __NR_sched_getaffinity
  {"sched_getaffinity", __NR_sched_getaffinity, "pid:d len:z user_mask_ptr:p"},
#endif
#ifdef __NR_sched_getattr
  {"sched_getattr", __NR_sched_getattr, "pid:d uattr:p usize:u flags:x"},
#endif
#ifdef __NR_sched_getparam
  {"sched_getparam", __NR_sched_getparam, "pid:d param:p"},
#endif
#ifdef __NR_sched_getscheduler
  {"sched_getscheduler", __NR_sched_getscheduler, "pid:d"},
#endif
#ifdef __NR_sched_rr_get_interval
  {"sched_rr_get_interval", __NR_sched_rr_get_interval, "pid:d interval:p"},
#endif
#ifdef __NR_sched_rr_get_interval_time64
  {"sched_rr_get_interval_time64", __NR_sched_rr_get_interval_time64, ""},
#endif
#ifdef __NR_sched_setaffinity
  {"sched_setaffinity", __NR_sched_setaffinity, "pid:d len:z user_mask_ptr:p"},
#endif
#ifdef __NR_sched_setattr
  {"sched_setattr", __NR_sched_setattr, "pid:d uattr:p flags:x"},
#endif
#ifdef __NR_sched_setparam
  {"sched_setparam", __NR_sched_setparam, "pid:d param:p"},
#endif
#ifdef __NR_sched_setscheduler
  {"sched_setscheduler", __NR_sched_setscheduler, "pid:d policy:d param:p"},
#endif
#ifdef __NR_sched_yield
  {"sched_yield", __NR_sched_yield, ""},
#endif
#ifdef __NR_seccomp
  {"seccomp", __NR_seccomp, "op:u flags:x uargs:p"},
#endif
#ifdef __NR_security
  {"security", __NR_security, ""},
#endif
#ifdef __NR_select
  {"select", __NR_select, "n:d inp:p outp:p exp:p tvp:p"},
#endif
#ifdef __NR_semctl
  {"semctl", __NR_semctl, "semid:d semnum:d cmd:d arg:u"},
#endif
#ifdef __NR_semget
  {"semget", __NR_semget, "key:d nsems:d semflg:d"},
#endif
#ifdef __NR_semop
  {"semop", __NR_semop, "semid:d tsops:p nsops:u"},
#endif
#ifdef __NR_semtimedop
  {"semtimedop", __NR_semtimedop, "semid:d tsops:p nsops:u timeout:p"},
#endif
#ifdef __NR_semtimedop_time64
  {"semtimedop_time64", __NR_semtimedop_time64, ""},
#endif
#ifdef __NR_sendfile
  {"sendfile", __NR_sendfile, "out_fd:f in_fd:f offset:p count:z"},
#endif
#ifdef __NR_sendfile64
  {"sendfile64", __NR_sendfile64, "out_fd:f in_fd:f offset:p count:z"},
#endif
#ifdef __NR_sendmmsg
  {"sendmmsg", __NR_sendmmsg, "fd:f mmsg:p vlen:z flags:x"},
#endif
#ifdef __NR_sendmsg
  {"sendmsg", __NR_sendmsg, "fd:f msg:p flags:x"},
#endif
#ifdef __NR_sendto
  {"sendto", __NR_sendto, "fd:f buff:p len:z flags:x addr:p addr_len:d"},
#endif
#ifdef __NR_set_mempolicy
  {"set_mempolicy", __NR_set_mempolicy, "mode:x nmask:p maxnode:u"},
#endif
#ifdef __NR_set_mempolicy_home_node
  {"set_mempolicy_home_node", __NR_set_mempolicy_home_node, "start:u len:z home_node:u flags:x"},
#endif
#ifdef __NR_set_robust_list
  {"set_robust_list", __NR_set_robust_list, "head:p len:z"},
#endif
#ifdef __NR_set_thread_area
  {"set_thread_area", __NR_set_thread_area, ""},
#endif
#ifdef __NR_set_tid_address
  {"set_tid_address", __NR_set_tid_address, "tidptr:p"},
#endif
#ifdef __NR_setdomainname
  {"setdomainname", __NR_setdomainname, "name:s len:z"},
#endif
#ifdef __NR_setfsgid
  {"setfsgid", __NR_setfsgid, "gid:d"},
#endif
#ifdef __NR_setfsuid
  {"setfsuid", __NR_setfsuid, "uid:u"},
#endif
#ifdef __NR_setgid
  {"setgid", __NR_setgid, "gid:d"},
#endif
#ifdef __NR_setgroups
  {"setgroups", __NR_setgroups, "gidsetsize:d grouplist:p"},
#endif
#ifdef __NR_sethostname
  {"sethostname", __NR_sethostname, "name:s len:z"},
#endif
#ifdef __NR_setitimer
  {"setitimer", __NR_setitimer, "which:d value:p ovalue:p"},
#endif
#ifdef __NR_setns
  {"setns", __NR_setns, "fd:f flags:x"},
#endif
#ifdef __NR_setpgid
  {"setpgid", __NR_setpgid, "pid:d pgid:d"},
#endif
#ifdef __NR_setpriority
  {"setpriority", __NR_setpriority, "which:d who:d niceval:d"},
#endif
#ifdef __NR_setregid
  {"setregid", __NR_setregid, "rgid:d egid:d"},
#endif
#ifdef __NR_setresgid
  {"setresgid", __NR_setresgid, "rgid:d egid:d sgid:d"},
#endif
#ifdef __NR_setresuid
  {"setresuid", __NR_setresuid, "ruid:u euid:u suid:u"},
#endif
#ifdef __NR_setreuid
  {"setreuid", __NR_setreuid, "ruid:u euid:u"},
#endif
#ifdef __NR_setrlimit
  {"setrlimit", __NR_setrlimit, "resource:u rlim:p"},
#endif
#ifdef __NR_setsid
  {"setsid", __NR_setsid, ""},
#endif
#ifdef __NR_setsockopt
  {"setsockopt", __NR_setsockopt, "fd:f level:d optname:d optval:p optlen:d"},
#endif
#ifdef __NR_settimeofday
  {"settimeofday", __NR_settimeofday, "tv:p tz:p"},
#endif
#ifdef __NR_setuid
  {"setuid", __NR_setuid, "uid:u"},
#endif
#ifdef __NR_setxattr
  {"setxattr", __NR_setxattr, "pathname:s name:s value:p size:z flags:x"},
#endif
#ifdef __NR_setxattrat
  {"setxattrat", __NR_setxattrat, "dfd:f pathname:s at_flags:u name:s uargs:p usize:z"},
#endif
#ifdef __NR_shmat
  {"shmat", __NR_shmat, "shmid:d shmaddr:p shmflg:d"},
#endif
#ifdef __NR_shmctl
  {"shmctl", __NR_shmctl, "shmid:d cmd:d buf:p"},
#endif
#ifdef __NR_shmdt
  {"shmdt", __NR_shmdt, "shmaddr:p"},
#endif
#ifdef __NR_shmget
  {"shmget", __NR_shmget, "key:d size:z shmflg:d"},
#endif
#ifdef __NR_shutdown
  {"shutdown", __NR_shutdown, "fd:f how:d"},
#endif
#ifdef __NR_sigaltstack
  {"sigaltstack", __NR_sigaltstack, "uss:p uoss:p"},
#endif
#ifdef __NR_signalfd
  {"signalfd", __NR_signalfd, "ufd:f user_mask:p sizemask:z"},
#endif
#ifdef __NR_signalfd4
  {"signalfd4", __NR_signalfd4, "ufd:f user_mask:p sizemask:z flags:x"},
#endif
#ifdef __NR_socket
  {"socket", __NR_socket, "family:d type:d protocol:d"},
#endif
#ifdef __NR_socketpair
  {"socketpair", __NR_socketpair, "family:d type:d protocol:d usockvec:p"},
#endif
#ifdef __NR_splice
  {"splice", __NR_splice, "fd_in:f off_in:p fd_out:f off_out:p len:z flags:x"},
#endif
#ifdef __NR_stat
  {"stat", __NR_stat, "filename:s statbuf:p"},
#endif
#ifdef __NR_stat64
  {"stat64", __NR_stat64, ""},
#endif
#ifdef __NR_statfs
  {"statfs", __NR_statfs, "pathname:s buf:p"},
#endif
#ifdef __NR_statfs64
  {"statfs64", __NR_statfs64, ""},
#endif
#ifdef __NR_statmount
  {"statmount", __NR_statmount, "req:p buf:p bufsize:z flags:x"},
#endif
#ifdef __NR_statx
  {"statx", __NR_statx, "dfd:f filename:s flags:x mask:x buffer:p"},
#endif
#ifdef __NR_swapoff
  {"swapoff", __NR_swapoff, "specialfile:s"},
#endif
#ifdef __NR_swapon
  {"swapon", __NR_swapon, "specialfile:s swap_flags:d"},
#endif
#ifdef __NR_symlink
  {"symlink", __NR_symlink, "oldname:s newname:s"},
#endif
#ifdef __NR_symlinkat
  {"symlinkat", __NR_symlinkat, "oldname:s newdfd:f newname:s"},
#endif
#ifdef __NR_sync
  {"sync", __NR_sync, ""},
#endif
#ifdef __NR_sync_file_range
  {"sync_file_range", __NR_sync_file_range, "fd:f offset:d nbytes:d flags:x"},
#endif
#ifdef __NR_sync_file_range2
  {"sync_file_range2", __NR_sync_file_range2, ""},
#endif
#ifdef __NR_syncfs
  {"syncfs", __NR_syncfs, "fd:f"},
#endif
#ifdef __NR_sysfs
  {"sysfs", __NR_sysfs, "option:d arg1:u arg2:u"},
#endif
#ifdef __NR_sysinfo
  {"sysinfo", __NR_sysinfo, "info:p"},
#endif
#ifdef __NR_syslog
  {"syslog", __NR_syslog, "type:d buf:p len:z"},
#endif
#ifdef __NR_tee
  {"tee", __NR_tee, "fdin:f fdout:f len:z flags:x"},
#endif
#ifdef __NR_tgkill
  {"tgkill", __NR_tgkill, "tgid:d pid:d sig:d"},
#endif
#ifdef __NR_time
  {"time", __NR_time, "tloc:p"},
#endif
#ifdef __NR_timer_create
  {"timer_create", __NR_timer_create, "which_clock:d timer_event_spec:p created_timer_id:p"},
#endif
#ifdef __NR_timer_delete
  {"timer_delete", __NR_timer_delete, "timer_id:d"},
#endif
#ifdef __NR_timer_getoverrun
  {"timer_getoverrun", __NR_timer_getoverrun, "timer_id:d"},
#endif
#ifdef __NR_timer_gettime
  {"timer_gettime", __NR_timer_gettime, "timer_id:d setting:p"},
#endif
#ifdef __NR_timer_gettime64
  {"timer_gettime64", __NR_timer_gettime64, ""},
#endif
#ifdef __NR_timer_settime
  {"timer_settime", __NR_timer_settime, "timer_id:d flags:x new_setting:p old_setting:p"},
#endif
#ifdef __NR_timer_settime64
  {"timer_settime64", __NR_timer_settime64, ""},
#endif
#ifdef __NR_timerfd_create
  {"timerfd_create", __NR_timerfd_create, "clockid:d flags:x"},
#endif
#ifdef __NR_timerfd_gettime
  {"timerfd_gettime", __NR_timerfd_gettime, "ufd:f otmr:p"},
#endif
#ifdef __NR_timerfd_gettime64
  {"timerfd_gettime64", __NR_timerfd_gettime64, ""},
#endif
#ifdef __NR_timerfd_settime
  {"timerfd_settime", __NR_timerfd_settime, "ufd:f flags:x utmr:p otmr:p"},
#endif
#ifdef __NR_timerfd_settime64
  {"timerfd_settime64", __NR_timerfd_settime64, ""},
#endif
#ifdef __NR_times
  {"times", __NR_times, "tbuf:p"},
#endif
#ifdef __NR_tkill
  {"tkill", __NR_tkill, "pid:d sig:d"},
#endif
#ifdef __NR_truncate
  {"truncate", __NR_truncate, "path:s length:d"},
#endif
#ifdef __NR_truncate64
  {"truncate64", __NR_truncate64, ""},
#endif
#ifdef __NR_tuxcall
  {"tuxcall", __NR_tuxcall, ""},
#endif
#ifdef __NR_umask
  {"umask", __NR_umask, "mask:x"},
#endif
#ifdef __NR_umount2
  {"umount2", __NR_umount2, "name:s flags:x"},
#endif
#ifdef __NR_uname
  {"uname", __NR_uname, "name:p"},
#endif
#ifdef __NR_unlink
  {"unlink", __NR_unlink, "pathname:s"},
#endif
#ifdef __NR_unlinkat
  {"unlinkat", __NR_unlinkat, "dfd:f pathname:s flag:x"},
#endif
#ifdef __NR_unshare
  {"unshare", __NR_unshare, "unshare_flags:u"},
#endif
#ifdef __NR_uprobe
  {"uprobe", __NR_uprobe, ""},
#endif
#ifdef __NR_uretprobe
  {"uretprobe", __NR_uretprobe, ""},
#endif
#ifdef __NR_uselib
  {"uselib", __NR_uselib, ""},
#endif
#ifdef __NR_userfaultfd
  {"userfaultfd", __NR_userfaultfd, "flags:x"},
#endif
#ifdef __NR_ustat
  {"ustat", __NR_ustat, "dev:u ubuf:p"},
#endif
#ifdef __NR_utime
  {"utime", __NR_utime, "filename:s times:p"},
#endif
#ifdef __NR_utimensat
  {"utimensat", __NR_utimensat, "dfd:f filename:s utimes:p flags:x"},
#endif
#ifdef __NR_utimensat_time64
  {"utimensat_time64", __NR_utimensat_time64, ""},
#endif
#ifdef __NR_utimes
  {"utimes", __NR_utimes, "filename:s utimes:p"},
#endif
#ifdef __NR_vfork
  {"vfork", __NR_vfork, ""},
#endif
#ifdef __NR_vhangup
  {"vhangup", __NR_vhangup, ""},
#endif
#ifdef __NR_vmsplice
  {"vmsplice", __NR_vmsplice, "fd:f uiov:p nr_segs:z flags:x"},
#endif
#ifdef __NR_vserver
  {"vserver", __NR_vserver, ""},
#endif
#ifdef __NR_wait4
  {"wait4", __NR_wait4, "upid:d stat_addr:p options:d ru:p"},
#endif
#ifdef __NR_waitid
  {"waitid", __NR_waitid, "which:d upid:d infop:p options:d ru:p"},
#endif
#ifdef __NR_write
  {"write", __NR_write, "fd:f buf:p count:z"},
#endif
#ifdef __NR_writev
  {"writev", __NR_writev, "fd:f vec:p vlen:z"},
#endif
};

const unsigned int datacrumbs_syscall_count = sizeof(calls) / sizeof(calls[0]);

const struct datacrumbs_syscall *datacrumbs_syscall_at(unsigned int index) {
    return index < datacrumbs_syscall_count ? &calls[index] : NULL;
}
