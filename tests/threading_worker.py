"""A worker that starts a thread as it loads, so that it is not to be forked from."""

import threading

threading.Thread(target=threading.Event().wait, daemon=True).start()


def serve(requests, replies):
    for _ in requests:
        print("{}", file=replies, flush=True)
