// The border between Slurm's C and the plugin's Swift. Above the line: what
// Slurm calls, forwarded to Swift. Below: what Swift asks of Slurm.
#ifndef DATACRUMBS_CSHIM_H
#define DATACRUMBS_CSHIM_H

#include <stdbool.h>
#include <stdint.h>

// ---- Swift entry points (Sources/SpankPlugin/EntryPoints.swift) ----

enum datacrumbs_option_value { DATACRUMBS_OPTION_ENABLE = 1, DATACRUMBS_OPTION_PROBE_FILE = 2 };

/// An option was given; NULL where it takes no argument.
void datacrumbs_option(enum datacrumbs_option_value value, const char *argument);

/// srun, sbatch or salloc has read its options. Exits the program with status
/// 1 where the request is refused.
void datacrumbs_submit(void *spank, bool is_srun, int argument_count, char **arguments);
void datacrumbs_job_prolog(void *spank, int argument_count, char **arguments);
/// slurmstepd begins a step, as root and before its tasks.
void datacrumbs_step_begin(void *spank, int argument_count, char **arguments);
void datacrumbs_job_epilog(void *spank, int argument_count, char **arguments);
void datacrumbs_user_init(void *spank, int argument_count, char **arguments);
/// Ends the task with _exit(1) where the site chose `on_failure: fail_job`.
void datacrumbs_task_init(void *spank, int argument_count, char **arguments);

// ---- Slurm's functions (CShim/slurm_calls.c) ----

/// The job id, or 0 where Slurm does not tell it here.
uint32_t cshim_job_id(void *spank);
/// The job's user, or UINT32_MAX where Slurm does not tell it here.
uint32_t cshim_job_uid(void *spank);
/// A variable of the job's environment in slurmstepd, until the next call;
/// NULL where it is not set or is longer than a path.
const char *cshim_job_getenv(void *spank, const char *name);
/// Sets a variable that job_prolog and job_epilog see as SPANK_<name>, and
/// the job as SLURM_SPANK_<name>.
bool cshim_job_control_setenv(void *spank, const char *name, const char *value);

/// The value that srun, sbatch or salloc holds for one of its own options, or
/// NULL. Slurm allocates it; the programs that call this exit soon.
const char *cshim_option_get(const char *name);
/// Sets one of the options of srun, sbatch or salloc. False where this
/// release of Slurm does not export what that takes.
bool cshim_option_set(const char *name, const char *value);

void cshim_error(const char *message);
void cshim_debug(const char *message);

// ---- The marker (CShim/mark_task.c) ----

/// Marks the calling task as one of the job's: the tracer holds a uprobe on it.
void datacrumbs_mark_task(uint64_t job_id);
/// The absolute path of the file that datacrumbs_mark_task was loaded from,
/// allocated; NULL where that is not known.
char *cshim_marker_path(void);

#endif
