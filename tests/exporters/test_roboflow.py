"""A dataset arrives at Roboflow whole and once, whatever happens on the way, and the key stays a secret.

Roboflow's own package runs in a process of its own, against a stand-in for the service on the loopback interface.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import roboflow_service
from factories import SIZE_WH, clip, textured, write_run, write_video_of
from pycocotools import mask as coco_mask
from roboflow_service import KEY, PROJECT, Service

from autolabel import masks
from autolabel.exporters import ExportOptions, export
from autolabel.files import read_lines
from benchmarks.commands import AUTOLABEL

FRAMES = 4


@pytest.fixture
def service() -> Iterator[Service]:
    """A service that works."""
    with roboflow_service.serve() as running:
        yield running


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """The frames of three short videos as COCO, one video for validation."""
    inputs, identities = [], []
    for number in range(3):
        path, random = tmp_path / f"clip-{number}.mp4", np.random.default_rng(number)
        identities.append(write_video_of(path, [textured(random, SIZE_WH) for _ in range(FRAMES)]))
        inputs.append(clip(f"clip-{number}", str(path)))
    run = write_run(tmp_path / "run", *inputs, identities=identities)
    export(run, "coco", tmp_path / "my dataset", ExportOptions(val_share=0.34))
    return tmp_path / "my dataset"


def start(dataset: Path, service: Service, *options: str, key: str | None = KEY) -> subprocess.Popen[str]:
    """Start the command; nobody's key and settings take part."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith("ROBOFLOW")}
    environment = keep | {"API_URL": service.url, "HOME": str(dataset.parent)}
    if key is not None:
        environment["ROBOFLOW_API_KEY"] = key
    command = [*AUTOLABEL, "upload", str(dataset), "--project", PROJECT, *options]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def upload(dataset: Path, service: Service, *options: str, key: str | None = KEY) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; the key is in nothing that it prints and writes."""
    process = start(dataset, service, *options, key=key)
    stdout, stderr = process.communicate()
    done = subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
    written = [file.read_bytes() for file in dataset.rglob("*") if file.is_file()]
    assert KEY not in done.stdout + done.stderr
    assert not any(KEY.encode() in content for content in written)
    return done


def called(file: str) -> str:
    """``images/clip/000001.jpg`` is ``clip_000001.jpg`` where there are no folders."""
    return file.removeprefix("images/").replace("/", "_")


def test_pictures_arrive_in_their_splits_with_their_masks(dataset: Path, service: Service) -> None:
    """Names, splits, tags and classes are the dataset's, and the polygons give its masks back."""
    done = upload(dataset, service, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"uploaded": 3 * FRAMES, "already": 0, "kept": [], "failed": {}}
    splits = {"train": "train", "valid": "val"}
    by_name = {picture["name"]: picture for picture in service.pictures.values()}
    assert {picture["split"] for picture in by_name.values()} == set(splits)
    for picture in by_name.values():
        content = json.loads((dataset / splits[picture["split"]] / "annotations.json").read_text())
        (entry,) = (each for each in content["images"] if called(each["file_name"]) == picture["name"])
        expected = [each for each in content["annotations"] if each["image_id"] == entry["id"]]
        assert picture["tags"] == [entry["video"]]
        assert picture["batch"] == picture["job"] == ["my-dataset"]
        assert picture["labels"]["images"][0]["file_name"] == picture["name"]
        assert picture["labels"]["categories"] == content["categories"]
        arrived = [each for each in picture["labels"]["annotations"] if each["image_id"] == entry["id"]]
        assert [each["category_id"] for each in arrived] == [each["category_id"] for each in expected]
        for sent, original in zip(arrived, expected, strict=True):
            drawn = coco_mask.merge(coco_mask.frPyObjects(sent["segmentation"], *SIZE_WH[::-1]))
            assert masks.iou([drawn], [original["segmentation"]])[0, 0] > 0.95


@pytest.mark.parametrize("dies_after", [0, 5])
def test_an_interrupted_upload_goes_on(dataset: Path, service: Service, dies_after: int) -> None:
    """When the service falls silent, one sentence says so, and the same command sends what is missing, once."""
    service.dies_after = dies_after
    stopped = upload(dataset, service)
    assert stopped.returncode == 2
    assert "run the same command again" in stopped.stderr
    assert len(stopped.stderr.strip().splitlines()) == 1
    service.dies_after = None
    done = upload(dataset, service, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["uploaded"] + report["already"] == len(service.pictures) == 3 * FRAMES
    assert all("labels" in picture for picture in service.pictures.values())
    sent_before = service.uploads.copy()
    again = upload(dataset, service, "--json")
    assert json.loads(again.stdout) == {"uploaded": 0, "already": 3 * FRAMES, "kept": [], "failed": {}}
    assert service.uploads == sent_before


def test_a_killed_upload_goes_on(dataset: Path, service: Service) -> None:
    """After SIGKILL, only what was under way is sent once more, and the service knows it by its content."""
    service.stalls_after = 5
    with start(dataset, service) as process:
        assert service.stalled.wait(60)
        process.kill()
    arrived = {json.loads(line)["file"] for line in read_lines(dataset / "roboflow.jsonl")}
    service.stalls_after = None
    service.stalled.clear()
    done = upload(dataset, service, "--json")
    assert done.returncode == 0, done.stderr
    assert len(service.pictures) == 3 * FRAMES
    assert all("labels" in picture for picture in service.pictures.values())
    assert all(service.uploads[called(file.partition("/")[2])] == 1 for file in arrived)


def test_busy_services_are_asked_again(dataset: Path, service: Service) -> None:
    """A service that has too many requests gets each picture, and its labels, a little later."""
    service.busy = 2
    assert upload(dataset, service).returncode == 0
    assert set(service.uploads.values()) == set(service.label_uploads.values()) == {3}
    assert len(service.pictures) == 3 * FRAMES


def test_a_picture_that_is_refused_stops_no_other(dataset: Path, service: Service) -> None:
    """The refusal is told with its reason; all others arrive; the exit code says that something is missing."""
    content = json.loads((dataset / "train" / "annotations.json").read_text())
    file = content["images"][0]["file_name"]
    service.broken = (called(file),)
    done = upload(dataset, service, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["failed"] == {f"train/{file}": "cannot read this picture"}
    assert len(service.pictures) == 3 * FRAMES - 1


def test_pictures_that_are_there_already_are_not_doubled(dataset: Path, service: Service) -> None:
    """Where nobody knows any more what was sent, the service's own answer counts; labels that stay are told."""
    upload(dataset, service)
    (dataset / "roboflow.jsonl").unlink()
    again = upload(dataset, service, "--json")
    assert again.returncode == 0
    assert len(service.pictures) == 3 * FRAMES
    report = json.loads(again.stdout)
    assert report["uploaded"] == 0
    assert len(report["kept"]) == 3 * FRAMES
    assert "12 pictures were in the project with labels" in again.stderr


@pytest.mark.parametrize(
    ("options", "key", "said"),
    [
        ((), None, "expected an API key"),
        ((), "wrongKey", "This API key does not exist"),
        ((), "coco-128-sample", "expected a private API key"),
        ((), "NO-LOWER-CASE", "expected a private API key"),
        (("--project", "none"), KEY, "not found"),
        (("--workspace", "none"), KEY, "not found"),
    ],
)
def test_what_the_service_does_not_know_is_said(
    dataset: Path, service: Service, options: tuple[str, ...], key: str | None, said: str
) -> None:
    """A missing or wrong key, project or workspace ends with one sentence and exit code 2."""
    done = upload(dataset, service, *options, key=key)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not service.pictures


def test_projects_without_places_are_refused(dataset: Path, service: Service) -> None:
    """A project that classifies whole pictures has no use for masks, which is said before anything is sent."""
    service.project_type = "classification"
    done = upload(dataset, service)
    assert done.returncode == 2
    assert "found classification" in done.stderr
    assert not service.pictures


def test_the_key_may_come_from_the_package(dataset: Path, service: Service) -> None:
    """Who has logged in with Roboflow's own command needs no environment variable."""
    store = dataset.parent / ".config" / "roboflow" / "config.json"
    store.parent.mkdir(parents=True)
    workspace = {"url": "team", "name": "team", "apiKey": KEY}
    store.write_text(json.dumps({"workspaces": {"1": workspace}, "RF_WORKSPACE": "team"}))
    assert upload(dataset, service, key=None).returncode == 0
    assert len(service.pictures) == 3 * FRAMES


def test_damaged_settings_of_the_package_are_told(dataset: Path, service: Service) -> None:
    """Half a file of the package's settings is told in one sentence, which does not quote it."""
    store = dataset.parent / ".config" / "roboflow" / "config.json"
    store.parent.mkdir(parents=True)
    store.write_text(f'{{"workspaces": {{"1": {{"apiKey": "{KEY}"')
    done = upload(dataset, service, key=None)
    assert done.returncode == 2
    assert "damaged file" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_other_folders_are_not_taken(tmp_path: Path, service: Service) -> None:
    """What is no dataset in COCO's format is told apart before anything is sent."""
    done = upload(tmp_path, service)
    assert done.returncode == 2
    assert "autolabel export" in done.stderr
