"""The `[launch]` table of a spec: the node types of a cluster, by name."""

import re
from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, StrictStr, field_validator

from crossover.files.untrusted import DEVICE, refused, shown
from crossover.spec.bounds import Strict

NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,38}[A-Za-z0-9_-]|[A-Za-z0-9]")
FLAG = re.compile(r"[a-z][a-z0-9-]{0,39}")
WORD = re.compile(r"[\x21-\x7e]{1,200}")
OURS = (
    "array", "chdir", "error", "exclusive", "job-name", "no-requeue", "nodes",
    "open-mode", "output", "requeue", "signal", "time", "wrap",
)  # fmt: skip
"""sbatch flags that we set ourselves; requeueing depends on them."""
MOST_MINUTES = 366 * 24 * 60


class NodeType(Strict):
    """What to ask the scheduler for, to get a node of this type for itself."""

    partition: StrictStr | None = None
    constraint: StrictStr | None = None
    gpus: Annotated[StrictInt, Field(ge=0, le=1000)] = 0
    limit_minutes: Annotated[StrictInt, Field(ge=2, le=MOST_MINUTES)] = 60
    """The scheduler ends a job after this time; it is queued again and goes on."""
    extra: dict[str, StrictBool | StrictInt | StrictStr] = Field(
        default={}, max_length=50
    )
    """More flags of sbatch: `account = "lab"` is `--account=lab`."""

    @field_validator("partition", "constraint")
    @classmethod
    def _one_word(cls, text: str | None) -> str | None:
        if text is not None and not WORD.fullmatch(text):
            raise ValueError(f"{shown(text)}: must be a word of at most 200 characters")
        return text

    @field_validator("extra")
    @classmethod
    def _flags(cls, extra: dict[str, bool | int | str]) -> dict[str, bool | int | str]:
        for name, value in extra.items():
            if not FLAG.fullmatch(name):
                must = "be a long flag of sbatch without its dashes, such as account"
                raise refused("flag", name, must)
            if name in OURS:
                must = f"be none of {', '.join(OURS)}, which crossover sets"
                raise refused("flag", name, must)
            if isinstance(value, str) and not WORD.fullmatch(value.replace(" ", "_")):
                raise refused(name, value, "be one line of at most 200 characters")
        return extra


class Launch(Strict):
    """The jobs of a run that is launched: one per node type and group of sweeps."""

    nodes: dict[str, NodeType] = Field(default={}, max_length=2000)
    sweeps_per_job: Annotated[StrictInt, Field(ge=1)] = 1
    """A sweep is never split: its contenders meet on one node, in one job."""

    @field_validator("nodes")
    @classmethod
    def _names(cls, nodes: dict[str, NodeType]) -> dict[str, NodeType]:
        taken: dict[str, str] = {}
        for name in nodes:  # it becomes a folder's
            if not NODE.fullmatch(name) or DEVICE.match(name):
                raise ValueError(
                    f"name = {shown(name)}: must be letters, digits and any of ._-, at "
                    "most 40, the first a letter or digit, the last no dot, and not "
                    "a name of Windows' own such as con"
                )
            if (other := taken.setdefault(name.casefold(), name)) != name:
                must = f"differ from {other} in more than case"
                raise refused("name", name, must)
        return nodes
