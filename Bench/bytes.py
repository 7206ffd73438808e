"""Bytes an event of a trace, and of the same events as DataCrumbs' own writer has them:
`id` first, whole microseconds, the path in each event, one stream of zlib's default level.
Prints both numbers."""
import gzip
import json
import os
import sys
import zlib

path = sys.argv[1]
names, count = {}, 0
packer = zlib.compressobj(6, zlib.DEFLATED, 31)
theirs = 0
with gzip.open(path, "rt", errors="surrogateescape") as lines:
    for line in lines:
        if not line.startswith("{"):
            continue
        event = json.loads(line)
        if event["name"] == "FH":
            names[event["args"]["value"]] = event["args"]["name"]
        if event["ph"] != "X":
            continue
        count += 1
        args = event["args"]
        args.pop("hhash", None)
        if "fhash" in args:
            args["fname"] = names.get(args.pop("fhash"))
        text = '{"id":%d,"name":"%s","cat":"%s","ph":"X","ts":%d,"dur":%d,"pid":%d,"tid":%d,"args":%s}\n' % (
            count, event["name"], event["cat"], event["ts"], event["dur"] + 1, event["pid"], event["tid"],
            json.dumps(args, separators=(",", ":")))
        theirs += len(packer.compress(text.encode(errors="surrogateescape")))
theirs += len(packer.flush())
print(f"{os.path.getsize(path) / count:.2f} {theirs / count:.2f}")
