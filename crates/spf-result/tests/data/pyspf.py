"""Answers each line of standard input, a JSON object, with what pyspf says of it."""

import json
import socket
import sys

import spf

zone = {}


def lookup(name, kind, strict=True, timeout=None, level=0):
    if isinstance(name, bytes):
        name = name.decode()
    name = name.lower().rstrip(".")
    for each, value in zone.get(name, []):
        if each == kind:
            if value == "TIMEOUT":
                raise spf.TempError("DNS timeout")
            if kind == "AAAA":
                value = socket.inet_pton(socket.AF_INET6, value)
            elif kind == "TXT":
                value = (value.encode(),)
            elif kind == "MX":
                value = tuple(value)
            yield ((name, kind), value)


spf.DNSLookup = lambda *args, **named: list(lookup(*args, **named))

for line in sys.stdin:
    case = json.loads(line)
    zone = case["zone"]
    query = spf.query(
        i=case["ip"], s=case["mail_from"], h=case["helo"], receiver="unknown", strict=True
    )
    result, _, why = query.check()
    print(result, why, flush=True)
