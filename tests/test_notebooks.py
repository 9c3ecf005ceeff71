from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import papermill
import pytest

import mltasks
from notebooks import executed
from support import incident

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def shown(notebook: Any) -> list[str]:
    """Return what the cells show, as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [str(output.get("text") or output.get("data", {}).get("text/plain")) for output in outputs]


# ipykernel warns of its own transport; it is not ours to mend
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_it_was_kept_with(path: Path) -> None:
    kept = nbformat.read(path, as_version=4)
    assert shown(executed(path)) == shown(kept)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_keeps_its_outputs_and_no_path_of_a_machine(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs for cell in code if "parameters" not in cell.metadata.get("tags", []))
    assert not re.search(r"/(home|root|tmp|Users|work)/", path.read_text(encoding="utf-8"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning", "ignore::UserWarning")
def test_papermill_fills_the_week_of_the_weekly_notebook(tmp_path: Path) -> None:
    week = {"since": "2026-11-09", "until": "2026-11-12"}
    done = papermill.execute_notebook(
        FOLDER / "03_weekly.ipynb", tmp_path / "week.ipynb", week, cwd=FOLDER, progress_bar=False, kernel_name="python3"
    )
    texts = shown(done)
    assert sum("2026-11-09" in text and "2026-11-11" in text for text in texts) >= 2  # timeline and failures, by day
    assert not any("2026-11-14" in text for text in texts)


def test_the_tasks_of_the_notebooks_are_what_their_script_writes() -> None:
    kept = mltasks.load(incident.PATH)
    pd.testing.assert_frame_equal(kept, incident.load())
    assert mltasks.unfinished(kept)["verdict"].tolist() == ["lost"] * len(incident.LOST)
