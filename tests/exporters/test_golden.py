"""Datasets are byte for byte what they were when they were last looked at.

After a wanted change, remove ``golden``, run this file twice, and read what `git diff` shows.
"""

import shutil
from pathlib import Path

import pytest
from factories import clip, write_run

from autolabel.exporters import EXPORTERS, ExportOptions, export
from autolabel.labels import InputKind

GOLDEN = Path(__file__).parent / "golden"

COMPRESSED = ("davis", "parquet")
"""Formats whose bytes depend on the version of a compressor; their content is tested elsewhere."""


def texts(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


@pytest.mark.parametrize("format_name", [name for name in EXPORTERS if name not in COMPRESSED])
def test_labels_are_written_as_ever(tmp_path: Path, format_name: str) -> None:
    """A video and a folder of stills, with an overlap, a hole and a verified empty frame, give the known files."""
    run = write_run(tmp_path / "run", clip(), clip("photos", "photos", InputKind.IMAGES))
    export(run, format_name, tmp_path / "dataset", ExportOptions(images=False))
    if not (GOLDEN / format_name).exists():
        shutil.copytree(tmp_path / "dataset", GOLDEN / format_name)
        pytest.fail(f"wrote {GOLDEN / format_name}; read it, then run the test again")
    assert texts(tmp_path / "dataset") == texts(GOLDEN / format_name)
