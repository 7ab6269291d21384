"""Runs in: labels of one input at a time."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from autolabel.edits import Edited, apply_edits
from autolabel.errors import OntologyError, RunError
from autolabel.files import file_sha256
from autolabel.labels import FrameLabels, InputKind, Rejected, VideoLabels
from autolabel.ontologies import Ontology
from autolabel.store import layout, tables
from autolabel.store.edit_log import EditLog
from autolabel.store.identity import InputIdentity

__all__ = ["InputRecord", "Run", "load_run", "read_configuration", "read_state"]


@dataclass(frozen=True)
class InputRecord:
    """What ``input.json`` says about an input that is labelled to the end.

    Attributes:
        path: The video file, or the folder of stills, as the user gave it.
        kind: Whether its frames follow each other in time.
        fps: Frames per second; None for stills.
        frame_count: Number of frames as decoded, looked at or not.
        identity: Which bytes it consisted of.
        class_count: For how many classes of the run, from the first one on, it is labelled.
    """

    path: str
    kind: InputKind
    fps: float | None
    frame_count: int
    identity: InputIdentity
    class_count: int


@dataclass(frozen=True)
class Run:
    """A run on disk. Iterate over it for the labels of its inputs, read one at a time, by name.

    Attributes:
        path: The run's folder.
        configuration: What ``run.yaml`` says.
        records: The inputs that are labelled to the end, by name.
        failures: Why other inputs could not be labelled, by name.
    """

    path: Path
    configuration: Mapping[str, Any]
    records: Mapping[str, InputRecord]
    failures: Mapping[str, str]

    @cached_property
    def ontology(self) -> Ontology:
        """The classes that were looked for."""
        return Ontology.parse(self.configuration["ontology"])

    @property
    def has_masks(self) -> bool:
        """Whether the models gave masks; if not, objects are known by boxes, and their masks are these, filled."""
        return bool(self.configuration.get("engine", {}).get("masks", True))

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[VideoLabels]:
        return (self.input(name) for name in self.records)

    def input(self, name: str) -> VideoLabels:
        """Labels of one input as they stand, people's edits included.

        Raises:
            RunError: The run has no finished input of this name, or its files are missing or damaged.
        """
        return self.edited(name).labels

    def edited(self, name: str) -> Edited:
        """Labels of one input as they stand, what is locked in them, and the edits that found no object any more.

        Raises:
            RunError: The run has no finished input of this name, or its files are missing or damaged.
        """
        found = self.found(name)
        edits = self.edit_log(name).read()
        return apply_edits(found, edits, self.digest(name)) if edits else Edited(found)

    def edit_log(self, name: str) -> EditLog:
        """What people changed about one input.

        Raises:
            RunError: The run has no finished input of this name.
        """
        self.record(name)
        return EditLog(layout.input_folder(self.path, name) / layout.EDITS)

    def digest(self, name: str) -> str:
        """Digest of what the models found in one input, in hexadecimal."""
        return file_sha256(layout.input_folder(self.path, name) / layout.LABELS)

    def found(self, name: str) -> VideoLabels:
        """What the models found in one input, without people's edits.

        Raises:
            RunError: The run has no finished input of this name, or its files are missing or damaged.
        """
        record = self.record(name)
        masklets = tables.masklets_of(self._table(name, layout.OBJECTS), self._table(name, layout.LABELS))
        if not self.has_masks:
            masklets = tuple(replace(masklet, boxes=masklet.xyxy) for masklet in masklets)
        return VideoLabels(
            name=name,
            path=record.path,
            kind=record.kind,
            class_names=self.ontology.class_names,
            frames=self.frames(name),
            masklets=masklets,
            fps=record.fps,
            frame_count=record.frame_count,
        )

    def found_class_ids(self, name: str) -> NDArray[np.int64]:
        """Class of every object that the models found in one input, without reading the objects, shape ``(N,)``.

        Raises:
            RunError: The run has no finished input of this name, or its file is missing or damaged.
        """
        self.record(name)
        with self._parquet(name, layout.OBJECTS) as file:
            return np.asarray(file.read(columns=["class_id"])["class_id"].to_numpy(), dtype=np.int64)

    def frames(self, name: str) -> tuple[FrameLabels, ...]:
        """Frames of one input that were looked at, without their labels.

        Raises:
            RunError: The run has no finished input of this name, or its file is missing or damaged.
        """
        self.record(name)
        return tables.frames_of(self._table(name, layout.FRAMES))

    def record(self, name: str) -> InputRecord:
        """What is known of one finished input beside its labels.

        Raises:
            RunError: The run has no finished input of this name.
        """
        if name in self.records:
            return self.records[name]
        known = ", ".join(self.records) or "none"
        raise RunError(
            f"expected one of the finished inputs of {self.path} ({known}), found {name!r}; choose one of them"
        )

    def rejected(self, name: str) -> tuple[Rejected, ...]:
        """Masklets of one finished input that were found and not kept.

        Raises:
            RunError: The run has no finished input of this name, or its file is missing or damaged.
        """
        self.record(name)
        return tables.rejected_of(self._table(name, layout.REJECTED))

    def _table(self, name: str, file_name: str) -> pa.Table:
        with self._parquet(name, file_name) as file:
            return file.read()

    @contextmanager
    def _parquet(self, name: str, file_name: str) -> Iterator[pq.ParquetFile]:
        folder = layout.input_folder(self.path, name)
        try:
            with pq.ParquetFile(folder / file_name) as file:  # read_table would read "a=1" in the path as a column
                yield file
        except (OSError, pa.ArrowException) as error:
            raise RunError(
                f"expected a readable table at {folder / file_name}, found a missing or damaged one; "
                f"remove the folder {folder} and label the input again"
            ) from error


def load_run(path: str | Path) -> Run:
    """Open the run in a folder; labels are read when they are asked for.

    Raises:
        RunError: The folder holds no run, or one whose ``run.yaml`` or an ``input.json`` is damaged.
    """
    path = Path(path)
    configuration = read_configuration(path)
    states = {folder.name: read_state(path, folder.name) for folder in sorted((path / "inputs").glob("*"))}
    return Run(
        path=path,
        configuration=configuration,
        records={name: state for name, state in states.items() if isinstance(state, InputRecord)},
        failures={name: state for name, state in states.items() if isinstance(state, str)},
    )


def read_configuration(run: Path) -> dict[str, Any]:
    """Content of ``run.yaml``, or a `RunError` that says why there is none."""
    file = run / layout.CONFIGURATION
    if not file.is_file():
        raise RunError(
            f"expected a run at {run}, found no {layout.CONFIGURATION} there; give the folder that `label` wrote"
        )
    try:
        configuration = yaml.safe_load(file.read_text(encoding="utf-8"))
        Ontology.parse(configuration["ontology"])
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError, OntologyError) as error:
        raise RunError(
            f"expected the configuration of a run in {file}, found a damaged file; label into a new folder"
        ) from error
    return dict(configuration)


def read_state(run: Path, name: str) -> InputRecord | str | None:
    """What one ``input.json`` says: a finished input, the reason of a failure, or None when there is no such file."""
    file = layout.input_folder(run, name) / layout.INPUT
    if not file.is_file():
        return None
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["state"] == "failed":
            return str(data["reason"])
        return InputRecord(
            path=data["path"],
            kind=InputKind(data["kind"]),
            fps=data["fps"],
            frame_count=data["frame_count"],
            identity=InputIdentity.from_dict(data["identity"]),
            class_count=data["class_count"],
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(
            f"expected the state of an input in {file}, found a damaged file; remove it and label again"
        ) from error
