"""Compares what Perfetto and DFAnalyzer say of a merged trace with what its nodes' files say.

usage: readers.py FOLDER_OF_THE_NODES_FILES FOLDER_OF_THE_MERGED_FILE
"""

import collections
import functools
import glob
import gzip
import http.server
import json
import os
import subprocess
import sys
import threading

import viztracer
from playwright.sync_api import sync_playwright


def expected(folder):
    """Calls and microseconds by function, processes and nodes, by Python's own gzip and json."""
    functions, processes, nodes = collections.defaultdict(lambda: [0, 0]), set(), set()
    for path in glob.glob(folder + "/*.pfw.gz"):
        for line in gzip.open(path):
            if not line.startswith(b"{"):
                continue
            event = json.loads(line)
            if event["ph"] == "X":
                functions[event["name"]][0] += 1
                functions[event["name"]][1] += event["dur"]
                processes.add((path, event["pid"]))
                nodes.add(event["args"]["hhash"])
    return dict(functions), len(processes), len(nodes)


class Server(http.server.SimpleHTTPRequestHandler):
    """Perfetto's UI, and the trace."""

    def __init__(self, trace, *arguments, **options):
        self.trace = trace
        super().__init__(*arguments, **options)

    def do_GET(self):
        if not self.path.startswith("/all.pfw.gz"):
            return super().do_GET()
        with open(self.trace, "rb") as file:
            content = file.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


QUERY = """async (sql) => {
  const result = await self.app.trace.engine.query(sql);
  const columns = result.columns(), rows = [];
  for (const row = result.iter({}); row.valid(); row.next())
    rows.push(columns.map((column) => String(row.get(column))));
  return rows;
}"""


def perfetto(trace):
    """The same by Perfetto's trace processor, its errors, and the names of the processes."""
    ui = os.path.join(os.path.dirname(viztracer.__file__), "web_dist")
    # The one port from which the UI opens a trace by itself.
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 9001), functools.partial(Server, trace, directory=ui)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = "http://127.0.0.1:9001/"
    with sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto(f"{address}#!/?url={address}all.pfw.gz")
        page.wait_for_function("() => self.app?.trace?.engine", timeout=120_000)
        functions = page.evaluate(
            QUERY, "select name, count(*), sum(dur) / 1000 from slice group by name"
        )
        processes = page.evaluate(
            QUERY, "select name from process where pid > 0 order by name"
        )
        errors = page.evaluate(
            QUERY,
            "select name, value from stats where severity in ('error', 'data_loss') and value > 0",
        )
        browser.close()
    server.shutdown()
    return (
        {name: [int(calls), int(time)] for name, calls, time in functions},
        [name for (name,) in processes],
        errors,
    )


def dfanalyzer(folder):
    """What DFAnalyzer counts."""
    subprocess.run(
        ["dfanalyzer", "analyzer/preset=posix", "output=json", "view_types=[file_name]"]
        + [f"trace_path={folder}", "hydra.run.dir=analysis"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with open("analysis/dfanalyzer_output.json", encoding="utf-8") as file:
        result = json.load(file)
    return result["raw_stats"], result["views"]["file_name"]["summary"]["layers"]["posix"]


def check(what, value, wanted):
    print(f"{'ok' if value == wanted else 'FAIL'} {what}: {value}")
    if value != wanted:
        print(f"  wanted {wanted}")
        check.failed = True


check.failed = False
nodes_folder, merged_folder = sys.argv[1:]
functions, processes, nodes = expected(nodes_folder)

seen, names, errors = perfetto(merged_folder + "/all.pfw.gz")
check("Perfetto: calls and microseconds by function", seen, functions)
check("Perfetto: processes", len(names), processes)
check("Perfetto: nodes in their names", len({name.split()[0] for name in names}), nodes)
check("Perfetto: errors", errors, [])

stats, layer = dfanalyzer(merged_folder)
check(
    "DFAnalyzer: calls",
    stats["total_event_count"],
    sum(calls for calls, _ in functions.values()),
)
check("DFAnalyzer: processes", stats["unique_process_count"], processes)
check("DFAnalyzer: nodes", stats["unique_host_count"], nodes)
check("DFAnalyzer: has times", layer["time_s"] > 0, True)
# Each file of 300,000 bytes is written once and read once; pipes and /dev do not count.
check("DFAnalyzer: has sizes", layer["size_bytes"] >= 2 * 10 * 2 * 300_000, True)
sys.exit(check.failed)
