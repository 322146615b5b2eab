"""The notebook runs as it is committed, and shows an answer, a picture and tables."""

import base64
import io
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "examples/crossover.ipynb"
LIVE = "torch.accelerator.is_available()", 'budget="2m"'
pytestmark = pytest.mark.slow


def executed(folder, change=lambda text: text):
    """Run the notebook in a folder; return the outputs of each cell of code."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        cell.source = change(cell.source)
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=300, resources=resources)
    client.execute()
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def printed(outputs):
    return "".join(out.text for out in outputs if out.output_type == "stream")


def data(outputs):
    (out,) = [out for out in outputs if out.output_type == "execute_result"]
    return out.data


def assert_shown(outputs):
    """Check what the notebook shows; return the answer that it prints."""
    installs, job, answer, result, table, figure = outputs
    assert installs == job == []
    html = data(result)["text/html"]
    assert "<img alt=" in html
    assert html.count("<table>") >= 1
    assert "size by size" in html
    assert "<script" not in html
    assert "<td>" in data(table)["text/html"]
    assert "speedup" in data(table)["text/plain"]
    picture = Image.open(io.BytesIO(base64.b64decode(data(figure)["image/png"])))
    assert picture.width > 600
    return printed(answer)


def test_without_an_accelerator_it_shows_the_recorded_run():
    torch = pytest.importorskip("torch")
    if torch.accelerator.is_available():
        pytest.skip("there is an accelerator here")
    said = assert_shown(executed(NOTEBOOK.parent))
    assert said.startswith("no accelerator here: a recorded run\nOver batch size at ")


def test_where_it_measures_it_says_so(tmp_path):
    def quickly(text):
        for before, now in zip(LIVE, ("True", 'budget="40s"'), strict=True):
            text = text.replace(before, now)
        return text

    outputs = executed(tmp_path, quickly)
    said = assert_shown(outputs)
    assert "measured here\n" in said
    assert "all rounds are of one process" in said
    lines = [out for out in outputs[2] if out.output_type == "display_data"]
    assert [line.data["text/plain"] for line in lines] == ["crossover: measured"]


def test_it_is_kept_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code] == [[]] * len(code)
    assert {cell.execution_count for cell in code} == {None}
    assert LIVE[0] in "".join(cell.source for cell in code)
    assert LIVE[1] in "".join(cell.source for cell in code)
