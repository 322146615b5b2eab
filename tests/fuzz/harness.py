"""Coverage-guided fuzzing of a reader: `python tests/fuzz/harness.py READER [OPTIONS]`.

Needs atheris. Options are libFuzzer's, such as -max_total_time=600. Inputs that bring
something new are kept in .fuzz/READER, crashes in .fuzz/READER-crash-*.
"""

import random
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
with atheris.instrument_imports(include=["crossover", "softmax_core", "tomllib"]):
    import readers
    from trees import edit_text

JSON = ("run_directory", "two_runs", "asv", "pytest_benchmark", "foreign")


def mutated(data, most, seed, is_json):
    """Edit an input as a tree, or one of its lines as one, or its bytes."""
    rng = random.Random(seed)
    if not is_json or rng.random() < 0.25:
        return atheris.Mutate(data, most)
    parts = data.split(readers.PART)
    i = rng.randrange(len(parts))
    text = parts[i].decode("utf-8", "replace")
    rows = text.split("\n")
    if len(rows) > 2 and not text.startswith("{\n"):
        j = rng.randrange(len(rows))
        rows[j] = edit_text(rows[j], rng)
        text = "\n".join(rows)
    else:
        text = edit_text(text, rng)
    parts[i] = text.encode("utf-8", "surrogatepass")
    return readers.PART.join(parts)[:most]


def main():
    """Fuzz the reader named first."""
    name, *options = sys.argv[1:]
    reader = readers.READERS[name]
    found = Path(".fuzz") / name
    found.mkdir(parents=True, exist_ok=True)
    arguments = [
        sys.argv[0], str(found), str(HERE / "corpus" / name), "-max_len=100000",
        "-timeout=60", "-rss_limit_mb=4096", f"-artifact_prefix=.fuzz/{name}-",
        *options,
    ]  # fmt: skip
    atheris.Setup(
        arguments,
        lambda data: readers.quietly(reader, data),
        custom_mutator=lambda data, most, seed: mutated(data, most, seed, name in JSON),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
