"""A Python process that has the simulated accelerator, and runs a test's functions.

The tests' own process has not: to load a device is for good, and all other tests would
see it. `Child.run(function, 3, kernel_s=1e-3)` calls `function(3)` there.
"""

import inspect
import json
import os
import subprocess
import sys
import traceback
from importlib.util import module_from_spec, spec_from_file_location


class Child:
    """One such process; it ends with its input."""

    def __init__(self, environment):
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def run(self, function, *arguments, **costs):
        """Return what the function returns there, as JSON has it.

        Args:
            function: at the top of a test's file.
            arguments: of it, as JSON has them.
            costs: settings of the device (timeline.h); the others are the default's.

        Raises:
            AssertionError: with the traceback of what the function raised.
        """
        file, name = inspect.getsourcefile(function), function.__name__
        self._process.stdin.write(json.dumps([file, name, arguments, costs]) + "\n")
        self._process.stdin.flush()
        returned, raised = json.loads(self._process.stdout.readline())
        assert raised is None, raised
        return returned

    def stop(self):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def serve():
    """Answer one request a line."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else prints
    import torch  # noqa: F401  which loads the device
    from simulated_accelerator import backend

    modules = {}
    for line in sys.stdin:
        file, name, arguments, costs = json.loads(line)
        try:
            if file not in modules:
                spec = spec_from_file_location(f"inside{len(modules)}", file)
                modules[file] = module_from_spec(spec)
                spec.loader.exec_module(modules[file])
            backend.start_anew(**costs)
            reply = getattr(modules[file], name)(*arguments), None
        except Exception:
            reply = None, traceback.format_exc()
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    # This folder holds the sources; the installed package has their name.
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
    serve()
