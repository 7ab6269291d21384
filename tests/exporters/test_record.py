"""What a dataset says of itself, to people and to programs, is true, repeatable, and works."""

import json
import re
import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import supervision as sv
from factories import AWKWARD_NAMES, CLASS_NAMES, SIZE_WH, clip, textured, write_run, write_video_of

from autolabel import to_supervision
from autolabel.errors import UserError
from autolabel.exporters import EXPORTERS, ExportOptions, ExportReport, Selection, export
from autolabel.labels import InputKind
from autolabel.ontologies import Ontology
from autolabel.store import InputIdentity, Run, RunWriter, load_run

LABELS_ALONE = ExportOptions(images=False)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Four videos that are there, labelled by models that left their names."""
    ontology = Ontology.parse(
        [{"name": "car", "prompts": ["car", "auto|mobile"], "threshold": 0.4}, "traffic light", {"name": "no"}]
    )
    configuration = {
        "ontology": ontology.to_dict(),
        "detector": {"name": "grounding-dino", "weights_sha256": "ab" * 32},
        "tracker": {"name": "sam2", "weights_sha256": "cd" * 32},
        "engine": {"keyframe_every": 12},
    }
    writer = RunWriter(tmp_path / "run", configuration)
    for number in range(4):
        path = tmp_path / f"clip-{number}.mp4"
        random = np.random.default_rng(number)
        identity = write_video_of(path, [textured(random, SIZE_WH) for _ in range(4)])
        writer.write_input(clip(f"clip-{number}", str(path)), identity)
    return load_run(writer.path)


def record_of(folder: Path) -> Any:
    return json.loads((folder / "dataset.json").read_text(encoding="utf-8"))


def programs(folder: Path, dataset: Path) -> dict[str, Path]:
    """The card's programs by library, as files that read this dataset."""
    card = (dataset / "README.md").read_text(encoding="utf-8")
    files = {}
    for library, program in re.findall(r"With (\S+):\n\n```python\n(.*?)```", card, re.DOTALL):
        files[library] = folder / f"{library}.py"
        files[library].write_text(program.replace("DATASET", dataset.as_posix()), encoding="utf-8")
    return files


@pytest.mark.parametrize("format_name", EXPORTERS)
def test_every_dataset_has_a_record_and_a_card(run: Run, tmp_path: Path, format_name: str) -> None:
    """They agree with each other and with the report, twice to the byte, and hold no time and no place."""
    options = ExportOptions(images=False, every=2, seed=7, licence="CC BY 4.0", val_share=0.3)
    report = export(run, format_name, tmp_path / "a", options)
    export(run, format_name, tmp_path / "b", options)
    for name in ("dataset.json", "README.md"):
        text = (tmp_path / "a" / name).read_text(encoding="utf-8")
        assert text == (tmp_path / "b" / name).read_text(encoding="utf-8")
        assert str(tmp_path) not in text
        assert not re.search(r"\b20\d\d-\d\d-\d\d|\d\d:\d\d:\d\d", text)
        for told in ("CC BY 4.0", "grounding-dino", "ab" * 32, "cd" * 32, "between those that were asked for"):
            assert told in text
    record = record_of(tmp_path / "a")
    assert (record["options"]["seed"], record["format"]) == (7, format_name)
    assert {split: entry["images"] for split, entry in record["splits"].items()} == report.image_counts
    assert record["image_sizes"] == {"48x32": 8}
    assert record["notes"] == report.notes
    assert [entry["file"] for entry in record["inputs"]] == [f"clip-{number}.mp4" for number in range(4)]
    assert record["runs"][0]["thresholds"] == {"car": 0.4, "traffic light": None, "no": None}
    assert record["classes"][0]["prompts"] == ["car", "auto|mobile"]


def test_the_assignment_is_written_down(run: Run, tmp_path: Path) -> None:
    """From the record alone every picture's split can be told, and it is the one that it is in."""
    options = ExportOptions(images=False, every=3, val_share=0.3, test_share=0.3)
    export(run, "coco", tmp_path / "dataset", options)
    written: dict[tuple[str, int], str] = {}
    for split in ("train", "val", "test"):
        images = json.loads((tmp_path / f"dataset/{split}/annotations.json").read_text())["images"]
        written |= {(image["video"], image["frame_index"]): split for image in images}
    told = {
        (name, index): group["split"]
        for group in record_of(tmp_path / "dataset")["assignment"]
        for name, ranges in group["members"].items()
        for first, last in ranges
        for index in range(first, last + 1, 3)
    }
    assert told == written


def test_the_seed_decides(tmp_path: Path) -> None:
    """Another seed gives another assignment; the same seed the same, whatever the order of the runs."""
    runs = [
        write_run(tmp_path / str(number), clip(f"v{number}"), identities=[InputIdentity(f"{number:064x}", 1)])
        for number in range(8)
    ]

    def splits(seed: int, order: int, out: str) -> dict[str, str]:
        export(runs[::order], "coco", tmp_path / out, replace(LABELS_ALONE, seed=seed))
        return {group["group"]: group["split"] for group in record_of(tmp_path / out)["assignment"]}

    assert splits(0, 1, "a") == splits(0, -1, "b")
    assert len({tuple(sorted(splits(seed, 1, f"seed-{seed}").items())) for seed in range(4)}) > 1


def test_gap_is_told(tmp_path: Path) -> None:
    """One video: the parts that it is cut into, and how far they are apart."""
    export(write_run(tmp_path / "run", clip()), "yolo", tmp_path / "dataset", replace(LABELS_ALONE, val_share=0.25))
    record = record_of(tmp_path / "dataset")
    assert record["gap_frames"] == 1
    assert [(group["split"], group["members"]) for group in record["assignment"]] == [
        ("train", {"clip": [[0, 1]]}),
        ("val", {"clip": [[3, 3]]}),
    ]
    assert "more than 1 frames apart" in (tmp_path / "dataset/README.md").read_text()


def test_card_shows_awkward_names_as_they_are(tmp_path: Path) -> None:
    """Names with signs of Markdown stay in their cell; the default licence asks to be set."""
    names = ("a|b", "*c*", *AWKWARD_NAMES)
    export(write_run(tmp_path / "run", replace(clip(), class_names=names)), "coco", tmp_path / "dataset", LABELS_ALONE)
    card = (tmp_path / "dataset/README.md").read_text(encoding="utf-8")
    rows = [line for line in card.splitlines() if re.match(r"\| \d+ \|", line)]
    assert len(rows) == len(names)
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 6 for row in rows)
    assert "Licence: unknown: set it" in card


@pytest.mark.parametrize("format_name", ["coco", "voc", "yolo", "yolo-seg"])
def test_what_the_card_tells_to_run_runs(run: Run, tmp_path: Path, format_name: str) -> None:
    """Programs for supervision and torchvision read the training pictures; those that need weights can be compiled."""
    export(run, format_name, tmp_path / "dataset")
    count = 16 if format_name == "voc" else record_of(tmp_path / "dataset")["splits"]["train"]["images"]
    files = programs(tmp_path, tmp_path / "dataset")
    for library, file in files.items():
        if library in ("supervision", "torchvision"):
            variables = runpy.run_path(str(file))
            dataset = variables["dataset" if format_name == "voc" else "train"]
            assert len(dataset) == count
            assert dataset[0]
        else:
            compile(file.read_text(), str(file), "exec")
    if format_name != "voc":
        assert len(files) >= 3


class WithACard:
    """A third party's format that has a card of its own."""

    def export(self, selection: Selection, out: Path, options: ExportOptions) -> ExportReport:
        (out / "README.md").write_text("mine")
        return ExportReport()


def test_a_plugin_keeps_its_card(run: Run, tmp_path: Path) -> None:
    """What it wrote stays, and the record stands beside it."""
    export(run, f"{__name__}:WithACard", tmp_path / "dataset")
    assert (tmp_path / "dataset/README.md").read_text() == "mine"
    assert record_of(tmp_path / "dataset")["format"] == f"{__name__}:WithACard"


# --- supervision, in memory ------------------------------------------------------------------------------------------


def test_to_supervision(run: Run, tmp_path: Path) -> None:
    """Every split is a dataset with the pictures, boxes, classes and exact masks; supervision draws and writes it."""
    datasets = to_supervision(run, tmp_path / "pictures", ExportOptions(val_share=0.3))
    assert {split: len(dataset) for split, dataset in datasets.items()} == {"train": 12, "val": 4}
    labels = {each.name: each for each in run}
    for dataset in datasets.values():
        assert tuple(dataset.classes) == CLASS_NAMES
        for path, image, found in dataset:
            assert image.shape == (32, 48, 3)
            expected = labels[Path(path).parent.name].detections(int(Path(path).stem))
            np.testing.assert_array_equal(found.xyxy, expected.xyxy)
            if len(expected):
                np.testing.assert_array_equal(np.asarray(found.mask), expected.mask)
                assert found.class_id.tolist() == expected.class_id.tolist()
    assert record_of(tmp_path / "pictures")["format"] == "supervision"
    annotated = sv.MaskAnnotator().annotate(image.copy(), found)
    assert annotated.shape == image.shape
    datasets["val"].as_coco(str(tmp_path / "images"), str(tmp_path / "coco.json"))
    again = sv.DetectionDataset.from_coco(str(tmp_path / "images"), str(tmp_path / "coco.json"), force_masks=True)
    assert sorted(len(each) for each in again.annotations.values()) == [0, 1, 2, 2]
    with pytest.raises(UserError, match="expected a new or empty folder"):
        to_supervision(run, tmp_path / "pictures")


def test_to_supervision_without_pictures(tmp_path: Path) -> None:
    """Labels of stills alone; the files are named and not written."""
    run = write_run(tmp_path / "run", clip("photos", "photos", InputKind.IMAGES))
    datasets = to_supervision(run, tmp_path / "pictures", replace(LABELS_ALONE, val_share=0))
    assert [Path(path).name for path in datasets["train"].image_paths] == ["0.png", "1.png", "2.png", "3.png"]
    assert [len(each) for each in datasets["train"].annotations.values()] == [2, 2, 1, 0]
