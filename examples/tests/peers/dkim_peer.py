"""Signs and verifies by dkimpy: one JSON object a line in, one a line out.

{"do": "sign", "message", "key" (PEM or base64 seed), "headers", "forms", "algorithm"} -> {"field"}
{"do": "verify", "message", "record"} -> {"pass"}; without "pass" where it takes no
such message
Octets are in base64.
"""
import base64
import json
import sys

import dkim


def octets(text):
    return base64.b64decode(text)


for line in sys.stdin:
    case = json.loads(line)
    message = octets(case["message"])
    try:
        if case["do"] == "sign":
            field = dkim.sign(
                message, b"s", b"a.example", octets(case["key"]),
                canonicalize=tuple(form.encode() for form in case["forms"]),
                signature_algorithm=case["algorithm"].encode(),
                include_headers=[name.encode() for name in case["headers"]])
            answer = {"field": base64.b64encode(field).decode()}
        else:
            # It takes this for the first line of a mailbox, and leaves it out.
            if b"\nFrom " in message or message.startswith(b"From "):
                raise dkim.MessageFormatError("From and a blank")
            record = case["record"].encode()
            answer = {"pass": dkim.DKIM(message).verify(dnsfunc=lambda *_, **__: record)}
    except dkim.MessageFormatError as error:
        answer = {"error": repr(error)}
    except Exception as error:
        answer = {"error": repr(error), "pass": False}
    print(json.dumps(answer), flush=True)
