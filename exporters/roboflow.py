"""Uploads a dataset to a Roboflow project, with Roboflow's own package.

The dataset is one that `autolabel.exporters.export` wrote in the format ``coco``, so that what is uploaded was chosen,
split and can be looked at before. Pictures go into the project's splits train, valid and test, tagged with the name of
their input; masks go as one polygon each, along the edges of their pixels, from which Roboflow makes boxes where a
project is about boxes. A picture without objects is annotated with none.

What has arrived is noted in ``roboflow.jsonl`` in the dataset's folder, so the same call goes on where a former one
was interrupted. The API key is read by the package, from ``ROBOFLOW_API_KEY`` or from where ``roboflow login`` left it,
and is neither printed nor stored.

Service: https://docs.roboflow.com/developer/rest-api/manage-images/upload-an-image.
"""

import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from autolabel import masks
from autolabel.errors import UserError
from autolabel.exporters.polygons import along_edges
from autolabel.files import append_line, read_lines, safe_name

if TYPE_CHECKING:
    from roboflow.adapters.rfapi import RoboflowError
    from roboflow.core.project import Project

__all__ = ["UploadReport", "picture_count", "upload"]

_JOURNAL: Final = "roboflow.jsonl"
_SPLITS: Final[Mapping[str, str]] = {"train": "train", "val": "valid", "test": "test"}
_CONNECTIONS: Final = 8
_RETRIES: Final = 5  # of each request, with growing pauses
_REFUSED: Final = (401, 403)  # would be answered to every picture


@dataclass
class UploadReport:
    """What became of the pictures of a dataset.

    Attributes:
        uploaded: Number of pictures that arrived, with their labels, in this call.
        already: Number of those that had arrived before.
        failed: Why a picture or its labels did not arrive, by file.
    """

    uploaded: int = 0
    already: int = 0
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Picture:
    """One picture of the dataset: its file relative to the dataset, and its part of the COCO file."""

    file: str
    split: str
    entry: Mapping[str, Any]
    annotations: list[dict[str, Any]]
    categories: list[dict[str, Any]]

    @property
    def name(self) -> str:
        """What the picture is called where there are no folders."""
        return "_".join(Path(self.entry["file_name"]).parts[1:])

    def coco(self) -> str:
        """A COCO file about this picture alone, as the service wants it."""
        image = {**self.entry, "file_name": self.name}
        annotations = [{**annotation, "segmentation": [_polygon(annotation)]} for annotation in self.annotations]
        return json.dumps({"images": [image], "annotations": annotations, "categories": self.categories})


def upload(
    dataset: str | Path,
    project: str,
    *,
    workspace: str | None = None,
    batch: str | None = None,
    on_picture: Callable[[], None] = lambda: None,
) -> UploadReport:
    """Upload a dataset; pictures that have arrived are not sent again.

    Args:
        dataset: A folder that `export` wrote in the format ``coco``, with its pictures.
        project: The project's name in its address; it must exist.
        workspace: The same of the workspace; by default the one of the API key.
        batch: Name of the batch that the pictures are shown in; by default the dataset's folder's.
        on_picture: Called after every picture, also after one that had arrived before.

    Raises:
        UserError: The folder holds no such dataset, the package is not installed, or there is no API key, no workspace
            or no project of that name.
    """
    folder = Path(dataset)
    pictures, key = _pictures(folder), _api_key(workspace)
    with _explained(key):
        target = _open_project(key, workspace, project)
        journal = _Journal(folder / _JOURNAL, target.id)
        waiting = [picture for picture in pictures if picture.file not in journal.annotated]
        report = UploadReport(already=len(pictures) - len(waiting))
        for _ in range(report.already):
            on_picture()
        send = partial(_send, folder, target, journal, batch or safe_name(folder.absolute().name))
        for picture, error in _all_done(send, waiting):
            if error is None:
                report.uploaded += 1
            else:
                report.failed[picture.file] = _without(key, error)
            on_picture()
    report.failed = dict(sorted(report.failed.items()))
    return report


def picture_count(dataset: str | Path) -> int:
    """Number of pictures of a dataset in the format ``coco``; raises as `upload` does."""
    return sum(split["images"] for split in _record(Path(dataset))["splits"].values())


def _all_done(
    send: Callable[[_Picture], None], pictures: Sequence[_Picture]
) -> Iterator[tuple[_Picture, "RoboflowError | None"]]:
    """Send pictures side by side; gives back each with its error, and raises those that hold for all pictures."""
    from roboflow.adapters.rfapi import RoboflowError

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        futures = {pool.submit(send, picture): picture for picture in pictures}
        try:
            for future in as_completed(futures):
                error = future.exception()
                if isinstance(error, RoboflowError):
                    unreachable = error.__cause__ is not None
                    if unreachable or error.status_code in _REFUSED:
                        raise error
                elif error is not None:
                    raise error
                yield futures[future], error
        finally:
            pool.shutdown(cancel_futures=True)


def _send(folder: Path, target: "Project", journal: "_Journal", batch: str, picture: _Picture) -> None:
    """Send a picture, if it has not arrived yet, and its labels."""
    picture_id = journal.ids.get(picture.file)
    if picture_id is None:
        with TemporaryDirectory() as temporary:  # the package names a picture as its file is named
            answer, *_ = target.upload_image(
                copyfile(folder / picture.file, Path(temporary, picture.name)),
                split=picture.split,
                num_retry_uploads=_RETRIES,
                batch_name=batch,
                tag_names=[picture.entry["video"]],
            )
        picture_id = answer["id"]
        journal.add(picture.file, picture_id, annotated=False)
    target.save_annotation(
        {"name": "annotation.coco.json", "rawText": picture.coco()},
        image_id=picture_id,
        job_name=quote(batch),  # the package puts it into an address as it is
        num_retry_uploads=_RETRIES,
    )
    journal.add(picture.file, picture_id, annotated=True)


def _record(folder: Path) -> dict[str, Any]:
    """What the dataset says of itself.

    Raises:
        UserError: It is none in the format ``coco``, or was written without pictures.
    """
    file = folder / "dataset.json"
    record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if record.get("format") != "coco" or not record["options"]["images"]:
        raise UserError(
            f"expected a dataset in the format coco with its pictures at {folder}, found "
            f"{record.get('format', 'none')}; make one with `autolabel export RUN --format coco --out DATASET`"
        )
    return record


def _pictures(folder: Path) -> list[_Picture]:
    """All pictures of a dataset in the order of its COCO files; raises as `_record` does."""
    return [picture for split in _record(folder)["splits"] for picture in _pictures_of_split(folder, split)]


def _pictures_of_split(folder: Path, split: str) -> Iterator[_Picture]:
    content = json.loads((folder / split / "annotations.json").read_text(encoding="utf-8"))
    annotations: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for annotation in content["annotations"]:
        annotations[annotation["image_id"]].append(annotation)
    for entry in content["images"]:
        file = f"{split}/{entry['file_name']}"
        yield _Picture(file, _SPLITS[split], entry, annotations[entry["id"]], content["categories"])


def _polygon(annotation: Mapping[str, Any]) -> list[int]:
    """The mask of an annotation as one polygon ``[x, y, x, y, ...]``."""
    rle = annotation["segmentation"]
    mask = masks.decode({"size": rle["size"], "counts": rle["counts"].encode("ascii")})
    points: list[int] = along_edges(mask).flatten().tolist()
    return points


def _api_key(workspace: str | None) -> str:
    """The key from the environment or from the package's own store.

    Raises:
        UserError: The package is not installed, or knows no key.
    """
    try:
        from roboflow.config import load_roboflow_api_key
    except ImportError as error:
        raise UserError(
            "expected the package roboflow, found none; install it with `pip install openvocab-autolabel[roboflow]`"
        ) from error
    key: str | None = load_roboflow_api_key(workspace)
    if not key:
        raise UserError("expected an API key in ROBOFLOW_API_KEY or from `roboflow login`, found none; set one")
    return key


def _open_project(key: str, workspace: str | None, project: str) -> "Project":
    """Find the project; the package tells of every step on stdout, which is not ours to fill."""
    import roboflow

    with redirect_stdout(io.StringIO()):
        account = roboflow.Roboflow(api_key=key)
        if account.onboarding:
            raise UserError(
                "expected a private API key in ROBOFLOW_API_KEY, found none that the service knows; set one"
            )
        return account.workspace(workspace).project(project)


@contextmanager
def _explained(key: str) -> Iterator[None]:
    """Tell of what the service or the network refuse in one sentence, in which the key does not occur."""
    from requests import RequestException
    from roboflow.adapters.rfapi import RoboflowError

    try:
        yield
    except (RoboflowError, RequestException, RuntimeError) as error:
        # Not "from error", as the addresses in the package's messages hold the key.
        raise UserError(
            f"expected Roboflow to take the dataset, found: {_without(key, error)}; see that key, workspace and "
            "project are right, then run the same command again: it goes on with what has not arrived"
        ) from None


def _without(key: str, error: Exception) -> str:
    return str(error).replace(key, "***").replace(quote(key), "***")


class _Journal:
    """What has arrived in one project, by file of the dataset.

    Attributes:
        ids: The service's name of each picture that has arrived.
        annotated: Files whose labels have arrived, too.
    """

    def __init__(self, path: Path, project: str) -> None:
        self._path, self._project, self._lock = path, project, Lock()
        self.ids: dict[str, str] = {}
        self.annotated: set[str] = set()
        for line in read_lines(path):
            entry = json.loads(line)
            if entry["project"] == project:
                self._remember(entry["file"], entry["id"], annotated=entry["annotated"])

    def add(self, file: str, picture_id: str, *, annotated: bool) -> None:
        """Note an arrival; it is on the disk when this returns."""
        entry = {"project": self._project, "file": file, "id": picture_id, "annotated": annotated}
        with self._lock:
            append_line(self._path, json.dumps(entry))
            self._remember(file, picture_id, annotated=annotated)

    def _remember(self, file: str, picture_id: str, *, annotated: bool) -> None:
        self.ids[file] = picture_id
        if annotated:
            self.annotated.add(file)
