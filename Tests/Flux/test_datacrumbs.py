"""The Flux CLI plugin against stand-ins for Flux's classes."""

import os
import pathlib
import sys
import tempfile
import types
import unittest


class Options(types.SimpleNamespace):
    """What argparse hands over."""


class CLIPlugin:
    """flux.cli.plugin's, as flux-python(1) documents it."""

    def __init__(self, prog, prefix=None):
        self.options = {}

    def add_option(self, name, **kwargs):
        self.options[name] = kwargs


class Jobspec:
    """Keeps what is set under attributes.system."""

    def __init__(self):
        self.system = {}

    def setattr(self, key, value):
        self.system[key] = value


flux = types.ModuleType("flux")
flux.cli = types.ModuleType("flux.cli")
flux.cli.plugin = types.ModuleType("flux.cli.plugin")
flux.cli.plugin.CLIPlugin = CLIPlugin
sys.modules.update(
    {"flux": flux, "flux.cli": flux.cli, "flux.cli.plugin": flux.cli.plugin}
)
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "contrib" / "flux"))
import datacrumbs  # noqa: E402


class FluxPluginTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "p.json.gz")
        open(self.file, "w").close()

    def test_a_request_is_put_into_the_jobspec(self):
        request = datacrumbs.wanted(Options(enable=True, probe_file=self.file), {})
        self.assertEqual(request, {"enable": "yes", "probe_file": self.file})

    def test_a_job_that_does_not_ask_keeps_its_jobspec(self):
        jobspec = Jobspec()
        plugin = datacrumbs.DatacrumbsPlugin("run")
        plugin.modify_jobspec(Options(enable=False, probe_file=""), jobspec)
        self.assertEqual(jobspec.system, {})

    def test_the_environment_gives_defaults_and_the_command_line_wins(self):
        environment = {"DATACRUMBS_ENABLE": "yes", "DATACRUMBS_PROBE_FILE": "/x"}
        request = datacrumbs.wanted(Options(enable=False, probe_file=self.file), environment)
        self.assertEqual(request["probe_file"], self.file)

    def test_a_relative_path_becomes_absolute(self):
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder.name)
        request = datacrumbs.wanted(Options(enable=True, probe_file="p.json.gz"), {})
        self.assertTrue(os.path.isabs(request["probe_file"]))

    def test_half_a_request_is_refused(self):
        for options in (
            Options(enable=True, probe_file=""),
            Options(enable=False, probe_file=self.file),
            Options(enable=True, probe_file=self.folder.name),
            Options(enable=True, probe_file="/nonexistent"),
        ):
            with self.assertRaises(ValueError):
                datacrumbs.wanted(options, {})

    def test_a_file_that_does_not_verify_is_refused_with_its_reason(self):
        verifier = os.path.join(self.folder.name, "verifier")
        with open(verifier, "w") as script:
            script.write("#!/bin/sh\necho 'datacrumbs_probes: forged' >&2\nexit 65\n")
        os.chmod(verifier, 0o755)
        with self.assertRaisesRegex(ValueError, "^forged$"):
            datacrumbs.verify(self.file, verifier)


if __name__ == "__main__":
    unittest.main()
