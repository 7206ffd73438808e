// Slurm's functions for Swift, which cannot call variadic ones
// (spank_get_item, slurm_error) nor name a weak symbol.

#include <limits.h>
#include <slurm/spank.h>
#include <stddef.h>
#include <sys/types.h>

#include "CShim.h"

// The options of srun, sbatch and salloc: exported by their binaries and
// declared in no installed header (src/common/slurm_opt.h). The same from
// 19.05 to 26.05. Weak, so that a release without them still loads the plugin.
extern char opt[] __attribute__((weak));
extern int slurm_option_set(void *opt, const char *name, const char *value, bool early)
    __attribute__((weak));
extern char *slurm_option_get(void *opt, const char *name) __attribute__((weak));

uint32_t cshim_job_id(void *spank) {
    uint32_t job_id = 0;
    if (spank_get_item(spank, S_JOB_ID, &job_id) != ESPANK_SUCCESS) return 0;
    return job_id;
}

uint32_t cshim_job_uid(void *spank) {
    uid_t uid = UINT32_MAX;
    if (spank_get_item(spank, S_JOB_UID, &uid) != ESPANK_SUCCESS) return UINT32_MAX;
    return uid;
}

const char *cshim_job_getenv(void *spank, const char *name) {
    static char value[PATH_MAX];
    return spank_getenv(spank, name, value, sizeof(value)) == ESPANK_SUCCESS ? value : NULL;
}

bool cshim_job_control_setenv(void *spank, const char *name, const char *value) {
    return spank_job_control_setenv(spank, name, value, 1) == ESPANK_SUCCESS;
}

const char *cshim_option_get(const char *name) {
    return opt && slurm_option_get ? slurm_option_get(opt, name) : NULL;
}

bool cshim_option_set(const char *name, const char *value) {
    return opt && slurm_option_set && slurm_option_set(opt, name, value, false) == 0;
}

void cshim_error(const char *message) { slurm_error("datacrumbs: %s", message); }

void cshim_debug(const char *message) { slurm_debug("datacrumbs: %s", message); }
