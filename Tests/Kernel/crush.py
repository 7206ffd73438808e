"""Checks the trace of `crush THREADS ROUNDS` (Tests/TracerTests/Fixtures): every thread's calls are there,
whole and in their order. Reads the trace's lines from standard input.
usage: crush.py THREADS ROUNDS"""
import collections
import json
import sys

threads, rounds = int(sys.argv[1]), int(sys.argv[2])
calls = collections.defaultdict(list)
names, lost = {}, None
for line in sys.stdin:
    line = line[line.find("{"):]
    if not line.startswith("{"):
        continue
    event = json.loads(line)
    if event["name"] == "FH":
        names[event["args"]["value"]] = event["args"]["name"]
    elif event["name"] == "end":
        lost = {reason: n for reason, n in event["args"]["lost"].items() if n}
    elif event["ph"] == "X":
        args = event["args"]
        path = names.get(args.get("fhash"))
        if event["name"] == "read" and path != "/dev/zero":
            continue
        if event["name"] == "openat" and not path.startswith("/crush/"):
            continue
        calls[event["name"], event["tid"]].append((event["ts"], args, path))
assert lost == {}, lost


def of(name):
    return {tid: [call[1:] for call in sorted(made, key=lambda call: call[0])]
            for (kind, tid), made in calls.items() if kind == name}


reads, functions, opens, kernel = of("read"), of("crush_function"), of("openat"), of("vfs_read")
assert len(reads) == len(opens) == threads, (len(reads), len(opens))
for tid, made in reads.items():
    expected = [1 + i % 500 for i in range(rounds)]
    assert [args["ret"] for args, _ in made] == expected
    assert [args["count"] for args, _ in made] == expected
    assert [(args["i"], args["ret"]) for args, _ in functions[tid]] == [(i, 3 * i + 1) for i in range(rounds)]
    # The program's own loading reads files too.
    assert not kernel or [args["ret"] for args, _ in kernel[tid]][-rounds:] == expected
    paths = [path for _, path in opens[tid]]
    number = paths[0][len("/crush/"):].split("-")[0]
    assert paths == [f"/crush/{number}-{i}" for i in range(0, rounds, 16)]
print(f"crush: {sum(map(len, calls.values()))} calls of {threads} threads are whole")
