"""Which ways of doing things this system has.

Unix forks, polls pipes, ends what a process leaves behind and, as Linux, tells who
waits for a core. Where that is lacking, as on Windows, the same is done in ways that
every system has, or is unknown. `CROSSOVER_PORTABLE=1` takes those ways everywhere.
"""

import os
import select
import signal
import subprocess
import sys
from typing import Any

PORTABLE = "CROSSOVER_PORTABLE"
"""Variable that, set to 1, forces the ways that every system has."""
KILLED = -int(getattr(signal, "SIGKILL", 9))
"""The return code of a process that was killed."""


def is_portable() -> bool:
    """Tell whether only those ways are taken that every system has."""
    needed = (os, "fork"), (os, "killpg"), (os, "setsid"), (select, "poll")
    lacks = not all(hasattr(module, name) for module, name in needed)
    return lacks or os.environ.get(PORTABLE) == "1"


def is_linux() -> bool:
    """Tell whether the kernel may be asked about processes, as Linux lets one."""
    return sys.platform.startswith("linux") and not is_portable()


def apart() -> dict[str, Any]:
    """Return arguments of `Popen` that keep a terminal's signals from a process."""
    flag = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", None)
    if flag is not None:
        return {"creationflags": flag}
    return {"start_new_session": True}


def load_1min() -> float | None:
    """Return the machine's load in the last minute; None where it is not told."""
    read = getattr(os, "getloadavg", None)
    try:
        return None if read is None else float(read()[0])
    except OSError:
        return None
