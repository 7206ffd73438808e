// What Slurm loads: one function a callback, each a switch over the context.
// No logic here; it is in Sources/SpankPlugin.

#include <slurm/spank.h>

#include "CShim.h"

SPANK_PLUGIN(datacrumbs, 1)

// A symbol that only Slurm calls is exported by spank_datacrumbs.map; without
// `used` a linker that drops unreferenced sections would drop it.
#define CALLBACK __attribute__((used)) int

static int option_given(int value, const char *argument, int remote) {
    if (!remote) datacrumbs_option(value, argument);
    return 0;
}

static struct spank_option options[] = {
    {.name = "datacrumbs-enable",
     .usage = "Trace the job's I/O with DataCrumbs; needs --datacrumbs-probe-file",
     .val = DATACRUMBS_OPTION_ENABLE,
     .cb = option_given},
    {.name = "datacrumbs-probe-file",
     .arginfo = "path",
     .usage = "Signed probe file (.json.gz) that names the functions to trace",
     .has_arg = 1,
     .val = DATACRUMBS_OPTION_PROBE_FILE,
     .cb = option_given},
};

CALLBACK slurm_spank_init(spank_t spank, int ac, char **av) {
    (void)ac, (void)av;
    for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        spank_option_register(spank, &options[i]);
    return 0;
}

CALLBACK slurm_spank_init_post_opt(spank_t spank, int ac, char **av) {
    switch (spank_context()) {
    case S_CTX_LOCAL: datacrumbs_submit(spank, true, ac, av); break;
    case S_CTX_ALLOCATOR: datacrumbs_submit(spank, false, ac, av); break;
    case S_CTX_REMOTE: datacrumbs_step_begin(spank, ac, av); break;
    default: break;
    }
    return 0;
}

CALLBACK slurm_spank_job_prolog(spank_t spank, int ac, char **av) {
    datacrumbs_job_prolog(spank, ac, av);
    return 0;  // an error would drain the node
}

CALLBACK slurm_spank_job_epilog(spank_t spank, int ac, char **av) {
    datacrumbs_job_epilog(spank, ac, av);
    return 0;
}

CALLBACK slurm_spank_user_init(spank_t spank, int ac, char **av) {
    datacrumbs_user_init(spank, ac, av);
    return 0;
}

CALLBACK slurm_spank_task_init_privileged(spank_t spank, int ac, char **av) {
    (void)ac, (void)av;
    datacrumbs_mark_task(cshim_job_id(spank));
    return 0;
}

CALLBACK slurm_spank_task_init(spank_t spank, int ac, char **av) {
    datacrumbs_task_init(spank, ac, av);
    return 0;
}
