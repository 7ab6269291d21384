"""Uploads a dataset to a Roboflow project, with Roboflow's own package.

The dataset is one that `autolabel.exporters.export` wrote in the format ``coco``, so that what is uploaded was chosen,
split and can be looked at before. Pictures go into the project's splits train, valid and test, tagged with the name of
their input; masks go as one polygon each, along the edges of their pixels, from which Roboflow makes boxes where a
project is about boxes. A picture without objects is annotated with none. Roboflow keeps what it has: of equal pictures
it holds one, and labels that a picture has are not replaced; such pictures are told.

What has arrived is noted in ``roboflow.jsonl`` in the dataset's folder, so the same call goes on where a former one
was interrupted. The API key is read by the package, from ``ROBOFLOW_API_KEY`` or from where ``roboflow login`` left it,
and is neither printed nor stored.

Service: https://docs.roboflow.com/developer/rest-api/manage-images/upload-an-image.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from autolabel.errors import UserError
from autolabel.exporters.coco_pictures import CocoPicture, read_coco_pictures
from autolabel.files import append_line, read_lines, safe_name

if TYPE_CHECKING:
    from roboflow.adapters.rfapi import RoboflowError
    from roboflow.core.project import Project

__all__ = ["UploadReport", "upload"]

_JOURNAL: Final = "roboflow.jsonl"
_SPLITS: Final[Mapping[str, str]] = {"train": "train", "val": "valid", "test": "test"}
_TYPES: Final = ("object-detection", "instance-segmentation", "semantic-segmentation")
_CONNECTIONS: Final = 8
_RETRIES: Final = 5  # of each request, with growing pauses
_REFUSED: Final = (401, 403)  # would be answered to every picture


@dataclass
class UploadReport:
    """What became of the pictures of a dataset.

    Attributes:
        uploaded: Number of pictures that arrived, with their labels, in this call.
        already: Number of those that had arrived before.
        kept: Files that the project holds with labels of its own, which it keeps.
        failed: Why a picture or its labels did not arrive, by file.
    """

    uploaded: int = 0
    already: int = 0
    kept: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


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
            or no project of that name and a fitting type.
    """
    folder = Path(dataset)
    pictures, key = read_coco_pictures(folder), _api_key(workspace)
    with _explained(key):
        target = _open_project(key, workspace, project)
        journal = _Journal(folder / _JOURNAL, target.id)
        waiting = [picture for picture in pictures if picture.file not in journal.annotated]
        report = UploadReport(already=len(pictures) - len(waiting))
        for _ in range(report.already):
            on_picture()
        send = partial(_send, folder, target, journal, batch or safe_name(folder.absolute().name))
        for picture, outcome in _all_done(send, waiting):
            if isinstance(outcome, Exception):
                report.failed[picture.file] = _without(key, outcome)
            elif outcome:
                report.uploaded += 1
            else:
                report.kept.append(picture.file)
            on_picture()
    report.kept.sort()
    report.failed = dict(sorted(report.failed.items()))
    return report


def _all_done(
    send: Callable[[CocoPicture], bool], pictures: Sequence[CocoPicture]
) -> Iterator[tuple[CocoPicture, "bool | RoboflowError"]]:
    """Send pictures side by side; gives back what became of each, and raises errors that hold for all pictures."""
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
                yield futures[future], error or future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _send(folder: Path, target: "Project", journal: "_Journal", batch: str, picture: CocoPicture) -> bool:
    """Send a picture, if it has not arrived yet, and its labels; returns whether the project took these."""
    picture_id = journal.ids.get(picture.file)
    if picture_id is None:
        with TemporaryDirectory() as temporary:  # the package names a picture as its file is named
            answer, *_ = target.upload_image(
                copyfile(folder / picture.file, Path(temporary, picture.name)),
                split=_SPLITS[picture.split],
                num_retry_uploads=_RETRIES,
                batch_name=batch,
                tag_names=[picture.entry["video"]],
            )
        picture_id = answer["id"]
        journal.add(picture.file, picture_id, annotated=False)
    answer, *_ = target.save_annotation(
        {"name": "annotation.coco.json", "rawText": picture.coco()},
        image_id=picture_id,
        job_name=quote(batch),  # the package puts it into an address as it is
        num_retry_uploads=_RETRIES,
    )
    journal.add(picture.file, picture_id, annotated=True)
    return "warn" not in answer  # such as "already annotated"


def _api_key(workspace: str | None) -> str:
    """The key from the environment or from the package's own store.

    Raises:
        UserError: The package is not installed, its settings are damaged, or it knows no key.
    """
    try:
        from roboflow.config import load_roboflow_api_key
    except ImportError as error:
        raise UserError(
            "expected the package roboflow, found none; install it with `pip install openvocab-autolabel[roboflow]`"
        ) from error
    except ValueError:  # it reads its settings when it is imported; the error holds them, and so perhaps a key
        raise UserError(
            "expected JSON in the settings of the package roboflow (by default ~/.config/roboflow/config.json), found "
            "a damaged file; remove it, then run `roboflow login` again"
        ) from None
    key: str | None = load_roboflow_api_key(workspace)
    if not key:
        raise UserError("expected an API key in ROBOFLOW_API_KEY or from `roboflow login`, found none; set one")
    return key


def _open_project(key: str, workspace: str | None, project: str) -> "Project":
    """Find the project; the package tells of every step on stdout, which is not ours to fill."""
    import roboflow

    with redirect_stdout(io.StringIO()):
        account = roboflow.Roboflow(api_key=key)
        if not hasattr(account, "current_workspace"):  # the package did not ask the service about such a key
            raise UserError("expected a private API key in ROBOFLOW_API_KEY, found one of another form; set it")
        target: Project = account.workspace(workspace).project(project)
    if target.type not in _TYPES:
        raise UserError(f"expected a project about {', '.join(_TYPES)}, found {target.type}; make or name another")
    return target


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
    """What an error says, on one line and with the key blotted out."""
    return " ".join(str(error).replace(key, "***").replace(quote(key), "***").split())


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
