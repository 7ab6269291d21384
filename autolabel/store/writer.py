"""Runs out: one input at a time, each complete or absent."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autolabel.labels import Rejected, VideoLabels
from autolabel.store.identity import InputIdentity

__all__ = ["RunWriter"]


class RunWriter:
    """Begins a run, or continues the one that was begun with the same configuration.

    Args:
        path: The run's folder; it is made when it does not exist.
        configuration: All that the labels depend on, as plain data (dicts, lists, strings, numbers); its key
            ``ontology`` holds `Ontology.to_dict`.

    Raises:
        RunError: The folder cannot be written, holds other things than a run, or a run of another configuration.
    """

    def __init__(self, path: str | Path, configuration: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def finished(self, name: str, sha256: str) -> bool:
        """Whether the input of this name is labelled to the end and consisted of these bytes."""
        raise NotImplementedError

    def write_input(self, labels: VideoLabels, identity: InputIdentity, rejected: Sequence[Rejected] = ()) -> None:
        """Write one input; what was known of it before is replaced."""
        raise NotImplementedError

    def write_failure(self, name: str, path: str, reason: str) -> None:
        """Note that an input cannot be labelled, and why; the next run tries it again."""
        raise NotImplementedError
