"""Flux CLI plugin: --datacrumbs-enable and --datacrumbs-probe-file.

`flux run`, `flux submit`, `flux batch` and `flux alloc` gain the two options
that the Slurm plugin has. The request travels in the jobspec, under
attributes.system.datacrumbs, where the prolog finds it. Put this file into a
folder of FLUX_CLI_PLUGINPATH, or into /etc/flux/cli/plugins.
"""

import os
import subprocess

from flux.cli.plugin import CLIPlugin

VERIFIER = "/usr/bin/datacrumbs_probes"


def wanted(args, environment=os.environ):
    """The request of a command line and its environment, or None.

    The command line wins. A ValueError says what is wrong.
    """
    default = environment.get("DATACRUMBS_ENABLE", "").lower()
    path = args.probe_file or environment.get("DATACRUMBS_PROBE_FILE", "")
    if not args.enable and default not in ("1", "yes", "true"):
        if args.probe_file:
            raise ValueError(
                "a probe file without tracing: --datacrumbs-probe-file: "
                "add --datacrumbs-enable"
            )
        return None
    if not path:
        raise ValueError(
            "no probe file: --datacrumbs-enable: add --datacrumbs-probe-file=PATH"
        )
    path = os.path.join(os.getcwd(), path)
    if not os.path.isfile(path):
        raise ValueError(f"not a regular file: {path}: give a signed probe file")
    return {"enable": "yes", "probe_file": path}


def verify(path, verifier=VERIFIER):
    """Raises ValueError where the probe file does not verify here."""
    if not os.path.exists(verifier):
        return
    done = subprocess.run(
        [verifier, "verify", path], capture_output=True, text=True, timeout=30
    )
    if done.returncode != 0:
        raise ValueError(done.stderr.strip().removeprefix("datacrumbs_probes: "))


class DatacrumbsPlugin(CLIPlugin):
    """Adds the options and puts the request into the jobspec."""

    def __init__(self, prog, prefix="datacrumbs"):
        super().__init__(prog, prefix=prefix)
        self.add_option(
            "--enable", action="store_true", default=False, help="Trace this job"
        )
        self.add_option(
            "--probe-file",
            type=str,
            default="",
            metavar="PATH",
            help="Signed file that says what to trace",
        )

    def modify_jobspec(self, args, jobspec):
        request = wanted(args)
        if request is None:
            return
        verify(request["probe_file"])
        for key, value in request.items():
            jobspec.setattr(f"datacrumbs.{key}", value)
