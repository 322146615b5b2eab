"""The Python half of the simulated accelerator: `torch.<name>`, its settings, counters.

torch calls `autoload` on import, through the entry point group `torch.backends`. The
environment variables are read then: SIMULATED_ACCELERATOR_NAME is the device's kind,
SIMULATED_ACCELERATOR its settings, JSON or the path of a JSON file (timeline.h).
"""

import ctypes
import json
import os
import types
from pathlib import Path

import torch

NAME = os.environ.get("SIMULATED_ACCELERATOR_NAME", "simulated")
FAULTS = ("none", "wrong", "hang", "lost", "abort", "tf32")
COUNTERS = (
    "launches", "host_to_device", "host_to_device_bytes", "device_to_host",
    "device_to_host_bytes", "device_to_device", "synchronisations", "live_bytes",
    "peak_bytes", "allocations", "busy_s",
)  # fmt: skip
SETTINGS = {
    "devices": 1, "memory_bytes": 2**30, "launch_s": 0, "kernel_s": 0,
    "bytes_per_s": 0, "multiply_adds_per_s": 0, "skip_products": 0,
    "queue_depth": 1024, "idle_share": 1, "transfer_s": 0, "pageable_bytes_per_s": 0,
    "pinned_bytes_per_s": 0, "first_use_s": 0, "first_launch_s": 0,
    "throttle_after_s": 0, "throttle_factor": 2, "fault": "none", "fault_rows": 0,
    "fault_device": -1,
}  # fmt: skip
"""As in timeline.h, which says what they are."""
HIGHEST_MHZ = 1000
_native = ctypes.CDLL(str(Path(__file__).with_name("native.so")))
_native.simulated_set.argtypes = [ctypes.c_char_p, ctypes.c_double]
_native.simulated_set.restype = ctypes.c_bool
_native.simulated_counter.argtypes = [ctypes.c_int, ctypes.c_char_p]
for _name in ("setting", "counter", "pending", "clock_share"):
    getattr(_native, f"simulated_{_name}").restype = ctypes.c_double


def set_costs(**values):
    """Change settings of timeline.h; `fault` is one of FAULTS."""
    for name, value in values.items():
        number = FAULTS.index(value) if name == "fault" else float(value)
        if not _native.simulated_set(name.encode(), number):
            raise ValueError(f"{name} = {value!r}: is not a setting of timeline.h")


def setting(name):
    return _native.simulated_setting(name.encode())


def counters(device=None):
    """Return what was counted on a device since `reset_counters`."""
    index = _index(device)
    found = {n: _native.simulated_counter(index, n.encode()) for n in COUNTERS}
    return {n: v if n.endswith("_s") else int(v) for n, v in found.items()}


def reset_counters(device=None):
    """Count anew; live bytes stay, and the peak starts from them."""
    _native.simulated_reset(_index(device))


def start_anew(**values):
    """Set every setting; the devices are as in a new process, but for their memory."""
    kept = {"devices": setting("devices")}
    set_costs(**SETTINGS | kept | values)
    for device in range(int(setting("devices"))):
        _native.simulated_start_anew(device)


def pending_s(device=None):
    """Return the seconds of queued work that is not yet done."""
    return _native.simulated_pending(_index(device))


def _index(device):
    if device is None:
        return torch.accelerator.current_device_index()
    if isinstance(device, int):
        return device
    index = torch.device(device).index
    return torch.accelerator.current_device_index() if index is None else index


def _properties(device=None):
    return types.SimpleNamespace(
        name=f"simulated accelerator {_index(device)} (no hardware)",
        total_memory=int(setting("memory_bytes")),
        clock_rate=1000 * HIGHEST_MHZ,
    )


def _synchronize(device=None):
    torch.accelerator.synchronize(_index(device))


def _sleep(cycles):
    """Keep the current device busy for so many cycles, as torch.cuda._sleep does."""
    seconds = cycles / (1e6 * HIGHEST_MHZ)
    torch.ops.simulated_accelerator.occupy(_index(None), seconds)


def _module():
    module = types.ModuleType(f"torch.{NAME}")
    functions = {
        "_is_in_bad_fork": lambda: False,
        "_sleep": _sleep,
        "clock_rate": lambda device=None: (
            HIGHEST_MHZ * _native.simulated_clock_share(_index(device))
        ),
        "current_device": torch.accelerator.current_device_index,
        "device_count": lambda: int(setting("devices")),
        "empty_cache": lambda: None,
        "get_device_name": lambda device=None: _properties(device).name,
        "get_device_properties": _properties,
        "is_available": lambda: setting("devices") > 0,
        "manual_seed": lambda seed: None,
        "manual_seed_all": lambda seed: None,
        "max_memory_allocated": lambda device=None: counters(device)["peak_bytes"],
        "mem_get_info": lambda device=None: (
            int(setting("memory_bytes")) - counters(device)["live_bytes"],
            int(setting("memory_bytes")),
        ),
        "memory_allocated": lambda device=None: counters(device)["live_bytes"],
        "reset_peak_memory_stats": reset_counters,
        "set_device": torch.accelerator.set_device_index,
        "synchronize": _synchronize,
    }
    for name, function in functions.items():
        setattr(module, name, function)
    module.is_simulated = True
    return module


def autoload():
    """Register the device; torch calls this when it is imported."""
    text = os.environ.get("SIMULATED_ACCELERATOR", "{}")
    set_costs(
        **json.loads(
            text if text.startswith("{") else Path(text).read_text(encoding="utf-8")
        )
    )
    torch.utils.rename_privateuse1_backend(NAME)
    torch._register_device_module(NAME, _module())
