"""A worker without torch that tells of itself."""

import json
import os
import stat
import sys


def serve(requests, replies):
    for line in requests:
        reply = {} if json.loads(line)["op"] == "close" else told()
        print(json.dumps(reply), file=replies, flush=True)


def told():
    kinds = [stat.filemode(os.fstat(number).st_mode)[0] for number in range(3)]
    return {
        "environment": dict(os.environ),
        "session": os.getsid(0),
        "folder": os.getcwd(),
        "pipes": kinds,
        "argv": sys.orig_argv,
    }
