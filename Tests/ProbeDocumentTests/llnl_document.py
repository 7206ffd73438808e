#!/usr/bin/env python3
"""Builds a probe file by the rule of LLNL's DataCrumbs (hmac-sha256), without any code of ours.

The rule: HMAC-SHA256, with the secret file's bytes, over what json-c writes with
JSON_C_TO_STRING_PLAIN for {"summary", "categories", "checksum_algorithm"} in that order; the
checksum is appended in hexadecimal, and the file is packed by zlib's gzopen.

usage: llnl_document.py SECRET USER OUT.json.gz
"""
import hashlib
import hmac
import struct
import sys
import zlib

SHORT = {"\b": "\\b", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f",
         '"': '\\"', "\\": "\\\\", "/": "\\/"}


def text(value):
    """json-c's json_escape_str without JSON_C_TO_STRING_NOSLASHESCAPE."""
    out = []
    for letter in value:
        if letter in SHORT:
            out.append(SHORT[letter])
        elif ord(letter) < 0x20:
            out.append("\\u%04x" % ord(letter))
        else:
            out.append(letter)
    return '"' + "".join(out) + '"'


def json_c(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return "[" + ",".join(json_c(v) for v in value) + "]"
    return "{" + ",".join(text(k) + ":" + json_c(v) for k, v in value.items()) + "}"


def main():
    secret, user, path = sys.argv[1:]
    summary = {
        "user": user,
        "config_file_path": "/home/alice/caf\u00e9/configs \"quoted\"\\lead.yaml",
        "hostname": "login\u0001\n1",
        "probe_file_path": "/tmp/probes.json.gz",
        "install_user": "root",
    }
    categories = [
        {"type": 0, "name": "sys", "functions": ["openat", "read"],
         "function_arguments": {"openat": [
             {"index": 1, "label": "filename", "c_type": "const char *", "is_pointer": True,
              "num_bytes": 64}]}},
        {"type": 2, "name": "libc", "binary_path": "/usr/lib64/libc.so.6",
         "include_offsets": False, "functions": ["fopen:0x1234"]},
    ]
    document = {"summary": summary, "categories": categories,
                "checksum_algorithm": "hmac-sha256"}
    signed = json_c(document).encode()
    document["checksum"] = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    payload = json_c(document).encode()
    packer = zlib.compressobj(-1, zlib.DEFLATED, -15)
    body = packer.compress(payload) + packer.flush()
    with open(path, "wb") as out:
        out.write(b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + body
                  + struct.pack("<II", zlib.crc32(payload), len(payload)))


main()
