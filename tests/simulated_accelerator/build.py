"""Compile the simulated accelerator once, and install it where only tests find it.

`python build.py [TARGET]` compiles; `install` is what the tests' fixture calls. What
was compiled is kept in the virtual environment, under a hash of sources, torch, Python.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(sys.prefix) / ".simulated_accelerator"
SOURCES = ("operators.cpp", "device.cpp", "timeline.cpp")
HEADERS = ("device.h", "timeline.h")
ENTRY_POINT = "[torch.backends]\nsimulated = simulated_accelerator.backend:autoload\n"
METADATA = "Metadata-Version: 2.1\nName: simulated-accelerator\nVersion: 0\n"


def compiler():
    """Return the C++ compiler, None where there is none."""
    return shutil.which(os.environ.get("CXX", "c++"))


def native():
    """Return the compiled library, compiling it (half a minute) where it is not kept.

    Raises:
        RuntimeError: with the compiler's messages.
    """
    text = b"".join((HERE / name).read_bytes() for name in SOURCES + HEADERS)
    key = hashlib.sha256(text + f"{version('torch')} {sys.version}".encode())
    library = CACHE / key.hexdigest()[:16] / "native.so"
    library.parent.mkdir(parents=True, exist_ok=True)
    with (library.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others wait for what one of them compiles
        if not library.exists():
            alone = dict(os.environ, TORCH_DEVICE_BACKEND_AUTOLOAD="0")
            command = [sys.executable, __file__, str(library)]
            done = subprocess.run(
                command, env=alone, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise RuntimeError(done.stderr[-4000:])
    return library


def install(site):
    """Install the device into a folder, as a package that torch loads by itself."""
    package, record = site / "simulated_accelerator", site / "simulated.dist-info"
    package.mkdir(parents=True)
    record.mkdir()
    shutil.copy(HERE / "backend.py", package)
    shutil.copy(native(), package)
    (record / "METADATA").write_text(METADATA)
    (record / "entry_points.txt").write_text(ENTRY_POINT)


def compile_to(library):
    """Compile all sources, side by side, and link them."""
    import torch
    from torch.utils import cpp_extension

    flags = ["-std=c++20", "-O1", "-fPIC"]
    flags += [f"-D_GLIBCXX_USE_CXX11_ABI={int(torch._C._GLIBCXX_USE_CXX11_ABI)}"]
    flags += [f"-I{path}" for path in cpp_extension.include_paths()]

    def compiled(name):
        target = library.with_name(f"{name}.{os.getpid()}.o")
        source = str(HERE / name)
        subprocess.run(
            [compiler(), *flags, "-c", source, "-o", str(target)], check=True
        )
        return str(target)

    with ThreadPoolExecutor() as pool:
        objects = list(pool.map(compiled, SOURCES))
    part = library.with_suffix(f".{os.getpid()}.part")
    folders = [f"-L{path}" for path in cpp_extension.library_paths()]
    libraries = ["-lc10", "-ltorch_cpu", "-ltorch"]
    subprocess.run(
        [compiler(), "-shared", *objects, *folders, *libraries, "-o", str(part)],
        check=True,
    )
    for name in objects:
        os.unlink(name)
    part.replace(library)  # whole or not at all


if __name__ == "__main__":
    if sys.argv[1:]:
        compile_to(Path(sys.argv[1]))
    else:
        native()
