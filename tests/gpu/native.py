"""A kernel for the CPU: the LLVM IR that numba-cuda writes for it, turned into x86.

numba-cuda hands this IR to NVVM. Here LLVM, which comes with numba, compiles the same
IR, with the functions of `grid.cpp` in the place of what only a GPU has.
"""

import ctypes
import re
from ctypes.util import find_library

import llvmlite.binding as llvm

BODY = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
"""A native kernel: it takes the addresses of its arguments, as a driver does."""
IN_GRID = {
    "gpu.read.ptx.sreg.tid.x": "grid_thread",
    "gpu.read.ptx.sreg.tid.y": "grid_zero",
    "gpu.read.ptx.sreg.tid.z": "grid_zero",
    "gpu.read.ptx.sreg.ctaid.x": "grid_block",
    "gpu.read.ptx.sreg.ctaid.y": "grid_zero",
    "gpu.read.ptx.sreg.ctaid.z": "grid_zero",
    "gpu.barrier0": "grid_block_barrier",
    "gpu.shared": "grid_shared",
    "gpu.shared_bytes": "grid_shared_bytes",
    "cudaCGGetIntrinsicHandle": "grid_handle",
    "cudaCGSynchronize": "grid_barrier",
}
"""Names in the changed IR, and the functions of `grid.cpp` that stand for them."""
IN_LIBM = {
    "__nv_expf": "expf",
    "__nv_exp": "exp",
    "__nv_fmaxf": "fmaxf",
    "__nv_fmax": "fmax",
}
SHARED = re.compile(
    r"addrspacecast \[0 x \w+\] addrspace\(3\)\* @\"?_cudapy_smem_\d+\"? to i8\*"
)
"""The address of the shared memory whose size a launch gives."""
SHARED_BYTES = 'call i32 asm sideeffect "mov.u32 $0, %dynamic_smem_size;", "=r"()'
UNNEEDED = re.compile(
    r"^(target .*|!nvvm\.annotations = .*|@\"?_cudapy_smem_\d+\"? = external .*)$", re.M
)


def native(irs, entry, grid):
    """Compile a kernel for this processor.

    Args:
        irs: the texts of the kernel's modules of LLVM IR.
        entry: the kernel's name.
        grid: the library of `grid.cpp`.

    Returns:
        The kernel, a `BODY`, and what must live as long as it.

    Raises:
        ValueError: when the kernel uses what neither `grid.cpp` nor libm stands for.
    """
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(for_cpu(irs[0]))
    for ir in irs[1:]:
        module.link_in(llvm.parse_assembly(for_cpu(ir)))
    module.link_in(llvm.parse_assembly(body_of(module.get_function(entry))))
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name != "body":
            value.linkage = "internal"  # so that it is inlined and not kept beside
    stand_in(module, grid)
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(opt=2, reloc="static", jit=True)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    tuning = llvm.create_pipeline_tuning_options(speed_level=2)
    passes = llvm.create_pass_builder(machine, tuning)
    passes.getModulePassManager().run(module, passes)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return BODY(engine.get_function_address("body")), engine


def for_cpu(ir):
    """Replace what is not of the CPU in the text of a module."""
    ir = UNNEEDED.sub("", ir).replace("@llvm.nvvm.", "@gpu.")
    ir = ir.replace('@"llvm.nvvm.', '@"gpu.')
    ir, uses = SHARED.subn('call i8* @"gpu.shared"()', ir)
    ir = ir.replace(SHARED_BYTES, 'call i32 @"gpu.shared_bytes"()')
    if uses:
        ir += 'declare i8* @"gpu.shared"()\ndeclare i32 @"gpu.shared_bytes"()\n'
    if left := re.search(r".*(addrspace\(|asm ).*", ir):
        raise ValueError(f"IR of a GPU that nothing stands for: {left[0].strip()}")
    return ir


def body_of(kernel):
    """Return IR that calls a kernel with the arguments at the addresses it is given."""
    kinds = [str(argument.type) for argument in kernel.arguments]
    lines = ["define void @body(ptr %packed) {"]
    for i, kind in enumerate(kinds):
        lines += [
            f"%at{i} = getelementptr ptr, ptr %packed, i64 {i}",
            f"%address{i} = load ptr, ptr %at{i}",
            f"%value{i} = load {kind}, ptr %address{i}",
        ]
    values = ", ".join(f"{kind} %value{i}" for i, kind in enumerate(kinds))
    lines += [f'call void @"{kernel.name}"({values})', "ret void", "}"]
    return f'declare void @"{kernel.name}"({", ".join(kinds)})\n' + "\n".join(lines)


def stand_in(module, grid):
    """Tell LLVM where the functions are that a module only declares."""
    libm = ctypes.CDLL(find_library("m"))
    for function in module.functions:
        name = function.name
        if not function.is_declaration or name.startswith("llvm."):
            continue
        if name not in IN_GRID and name not in IN_LIBM:
            raise ValueError(f"a function of a GPU that nothing stands for: {name}")
        real = getattr(grid, IN_GRID[name]) if name in IN_GRID else None
        real = real or getattr(libm, IN_LIBM[name])
        llvm.add_symbol(name, ctypes.cast(real, ctypes.c_void_p).value)
