/// Functions that must not be probed, or that carry secrets, with the reason of each. It is part of
/// the program, so that no configuration is needed to be safe.
public let shippedDenyList: [Policy.Denial] = [
  // Secrets.
  .init(
    .syscalls, ["keyctl", "add_key", "request_key"],
    "its arguments are keys and tickets of the kernel's keyring"),
  .init(
    .kprobe, ["*_setkey", "*_set_key", "crypto_*key*", "key_*", "keyctl_*", "user_preparse"],
    "its arguments are cryptographic keys"),
  .init(
    .kprobe, ["tty_*", "n_tty_*", "pty_*", "uart_*", "con_write*", "kbd_*", "input_event*"],
    "it carries what people type, passwords included"),
  .init(
    .kprobe, ["get_random_*", "extract_entropy*", "_get_random_*", "crng_*"],
    "it returns the random numbers that keys are made of"),
  .init(
    .uprobe, ["crypt", "crypt_r", "crypt_rn", "crypt_ra", "getpass", "pam_*", "PEM_*passwd*"],
    "it takes passwords"),
  .init(
    .uprobe,
    [
      "EVP_*Key*", "EVP_PKEY_*", "EVP_*Init*", "HMAC*", "SSL_*", "gnutls_*", "RSA_*", "EC_KEY_*",
      "munge_*", "gss_*", "krb5_*", "slurm_auth_*", "auth_g_*",
    ],
    "it carries keys, tickets or what a connection encrypts"),

  // Functions that do not survive a probe, or that the tracer itself runs through.
  .init(
    .syscalls, ["rt_sigreturn", "sigreturn", "restart_syscall"],
    "it does not return where it was called"),
  .init(
    .kprobe,
    [
      "kprobe*", "*_kprobe*", "uprobe*", "*_uprobe*", "kretprobe*", "optprobe*", "arch_*probe*",
      "do_int3", "exc_*", "asm_*", "*int3*", "text_poke*", "ftrace_*", "trace_*", "tracing_*",
      "ring_buffer_*", "perf_*", "__perf_*", "bpf_*", "__bpf_*", "htab_*", "array_map_*",
    ],
    "the tracer itself runs through it"),
  .init(
    .kprobe,
    [
      "_raw_spin_*", "_raw_read_*", "_raw_write_*", "queued_*", "native_*", "lock_acquire*",
      "lock_release*", "rcu_*", "__rcu_*", "preempt_*", "irq*", "__irq*", "tick_*", "hrtimer_*",
      "sched_*", "__schedule*", "finish_task_switch*", "ct_*", "context_tracking*", "smp_*",
    ],
    "it runs in every interrupt or lock; a probe there slows or stalls the node"),
  .init(
    .kprobe, ["nmi_*", "*_nmi", "mce_*", "machine_check*", "panic*", "crash_*", "kexec*", "die*"],
    "the kernel calls it when it must not be disturbed"),
  .init(
    .uprobe,
    [
      "setjmp", "_setjmp", "__sigsetjmp", "sigsetjmp", "longjmp", "_longjmp", "siglongjmp",
      "getcontext", "setcontext", "swapcontext", "makecontext", "vfork", "__vfork", "clone",
      "__clone", "clone3", "_start", "__restore_rt", "_Unwind_*", "__cxa_throw", "__cxa_rethrow",
    ],
    "it returns elsewhere or twice, which a return probe does not survive"),
  .init(
    .uprobe, ["_dl_runtime_*", "_dl_fixup*", "_dl_tlsdesc*", "__tls_get_addr*"],
    "the dynamic loader calls it with registers that a probe does not keep"),
]
