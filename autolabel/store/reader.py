"""Runs in: labels of one input at a time."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from autolabel.errors import RunError
from autolabel.labels import InputKind, Rejected, VideoLabels
from autolabel.ontologies import Ontology
from autolabel.store import layout, tables
from autolabel.store.identity import InputIdentity

__all__ = ["InputRecord", "Run", "load_run", "read_configuration", "read_record"]


@dataclass(frozen=True)
class InputRecord:
    """One ``input.json``.

    Attributes:
        path: The input as the user gave it.
        failure: Why it could not be labelled; None when it was.
        kind: Whether its frames follow each other; None when it failed.
        identity: Its bytes; None when it failed.
        fps: Frames per second; None for stills.
        frame_count: Number of frames as decoded.
    """

    path: str
    failure: str | None = None
    kind: InputKind | None = None
    identity: InputIdentity | None = None
    fps: float | None = None
    frame_count: int = 0


@dataclass(frozen=True)
class Run:
    """A run on disk. Iterate over it for the labels of its inputs, read one at a time.

    Attributes:
        path: The run's folder.
        configuration: What ``run.yaml`` says.
        records: Every input that was finished or has failed, by name.
    """

    path: Path
    configuration: Mapping[str, Any]
    records: Mapping[str, InputRecord]

    @cached_property
    def ontology(self) -> Ontology:
        """The classes that were looked for."""
        return Ontology.parse(self.configuration["ontology"])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs that are labelled to the end, sorted."""
        return tuple(name for name, record in self.records.items() if record.failure is None)

    @property
    def failures(self) -> dict[str, str]:
        """Reasons why inputs could not be labelled, by name."""
        return {name: record.failure for name, record in self.records.items() if record.failure is not None}

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[VideoLabels]:
        return (self.input(name) for name in self.names)

    def input(self, name: str) -> VideoLabels:
        """Labels of one input.

        Raises:
            RunError: The run has no finished input of this name, or its files are damaged.
        """
        record = self._finished(name)
        assert record.kind is not None  # noqa: S101  # as finished inputs have
        return VideoLabels(
            name=name,
            path=record.path,
            kind=record.kind,
            class_names=self.ontology.class_names,
            frames=tables.frames_of(self._table(name, layout.FRAMES)),
            masklets=tables.masklets_of(self._table(name, layout.OBJECTS), self._table(name, layout.LABELS)),
            fps=record.fps,
            frame_count=record.frame_count,
        )

    def identity(self, name: str) -> InputIdentity:
        """Identity of one finished input."""
        raise NotImplementedError

    def rejected(self, name: str) -> tuple[Rejected, ...]:
        """Masklets of one finished input that were found and not kept."""
        return tables.rejected_of(self._table(name, layout.REJECTED))
