"""Runs out: one input at a time, each complete or absent."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from autolabel.errors import LabelError, RunError
from autolabel.files import write_atomically
from autolabel.labels import Rejected, VideoLabels
from autolabel.ontologies import Ontology
from autolabel.store import extension, layout, tables
from autolabel.store.identity import InputIdentity
from autolabel.store.journal import Journal, write_decided
from autolabel.store.reader import InputRecord, read_configuration, read_state

__all__ = ["RunWriter", "check_run_folder"]


def check_run_folder(path: str | Path) -> None:
    """Make the folder of a run where there is none, and make sure that it can be written and holds nothing else.

    Raises:
        RunError: The folder cannot be written, or holds other things than a run.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]
        if not (folder / layout.CONFIGURATION).is_file() and found:
            raise RunError(
                f"expected a run, an empty or a new folder at {folder}, found other files there ({found[0]}, ...); "
                "choose another folder"
            )
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise RunError(
            f"expected a folder for the run at {folder}, cannot write there ({error.strerror}); choose another"
        ) from error


class RunWriter:
    """Begins a run, or continues the one that was begun with the same configuration.

    Several processes may write different inputs of one run at the same time.

    Args:
        path: The run's folder; it is made when it does not exist.
        configuration: All that the labels depend on, as plain data (dicts, lists, strings, numbers); its key
            ``ontology`` holds `Ontology.to_dict`.

    Raises:
        RunError: The folder cannot be written, holds other things than a run, or a run of another configuration.
    """

    def __init__(self, path: str | Path, configuration: Mapping[str, Any]) -> None:
        self.path = Path(path)
        check_run_folder(self.path)
        file = self.path / layout.CONFIGURATION
        if file.is_file():
            _refuse_another(self.path, read_configuration(self.path), dict(configuration))
        else:
            write_atomically(file, _yaml(dict(configuration)))
        self._class_count = len(configuration["ontology"]["classes"])

    def extend(self, ontology: Ontology) -> None:
        """Give the run more classes; what is labelled counts as labelled for those that it had."""
        configuration = read_configuration(self.path)
        write_atomically(self.path / layout.CONFIGURATION, _yaml({**configuration, "ontology": ontology.to_dict()}))
        self._class_count = len(ontology.classes)

    def finished(self, name: str, sha256: str) -> bool:
        """Whether the input of this name is labelled to the end, for all classes, and consisted of these bytes."""
        return self.classes_done(name, sha256) == self._class_count

    def classes_done(self, name: str, sha256: str) -> int:
        """For how many classes the input of this name is labelled to the end; 0 where it consisted of other bytes."""
        state = read_state(self.path, name)
        return state.class_count if isinstance(state, InputRecord) and state.identity.sha256 == sha256 else 0

    def highest_identity(self, name: str) -> int:
        """The highest identity that was given in a finished input."""
        return extension.highest_identity(layout.input_folder(self.path, name))

    def write_input(self, labels: VideoLabels, identity: InputIdentity, rejected: Sequence[Rejected] = ()) -> None:
        """Write one input; what was known of it before is replaced.

        Raises:
            LabelError: The labels contradict themselves: two objects of one identity, a mask of another size than its
                frame.
            OSError: A file cannot be written; the input does not count as finished.
        """
        _check(labels)
        folder = self._begin(labels.name)
        with tables.open_tables(folder) as opened:
            tables.write_labels(opened, labels, rejected)
        count = len(labels.class_names)
        self._vouch(labels.name, InputRecord(labels.path, labels.kind, labels.fps, labels.frame_count, identity, count))

    def journal(self, name: str, sha256: str, classes_before: int = 0) -> Journal:
        """Where an input of these bytes is kept while it is being labelled, for the classes from a number on."""
        return Journal(layout.input_folder(self.path, name) / f"{layout.JOURNAL}-{classes_before}", sha256)

    def write_journal(self, name: str, journal: Journal, record: InputRecord) -> None:
        """Write one input from its journal, and remove that; what was known of it before is replaced.

        Raises:
            OSError: A file cannot be written; the input does not count as finished, and the journal stays.
        """
        with tables.open_tables(self._begin(name)) as opened:
            write_decided(opened, journal.stretches)
        self._vouch(name, record)
        journal.remove()

    def write_extension(self, name: str, journal: Journal, record: InputRecord, classes_before: int) -> None:
        """Write one input anew with what a journal says about more classes, and remove that.

        Args:
            name: A finished input.
            journal: Labels of the same frames for more classes only.
            record: What is known of the input then.
            classes_before: For how many classes the input is labelled already.

        Raises:
            OSError: A file cannot be written; the input stays as it was, or does not count as finished.
        """
        folder = layout.input_folder(self.path, name)
        with tables.open_tables(folder) as opened:
            write_decided(
                opened,
                lambda: extension.written(folder, record.class_count),
                lambda: extension.shifted(journal.stretches(), classes_before),
            )
            (folder / layout.INPUT).unlink()
        self._vouch(name, record)
        journal.remove()

    def _vouch(self, name: str, record: InputRecord) -> None:
        """Say that an input is finished; the last thing that is written."""
        state = {
            "state": "done",
            "path": record.path,
            "kind": record.kind.value,
            "fps": record.fps,
            "frame_count": record.frame_count,
            "identity": record.identity.to_dict(),
            "class_count": record.class_count,
        }
        _write_state(layout.input_folder(self.path, name), state)

    def write_failure(self, name: str, path: str, reason: str) -> None:
        """Note that an input cannot be labelled, and why; it counts as not finished."""
        _write_state(self._begin(name), {"state": "failed", "path": path, "reason": reason})

    def _begin(self, name: str) -> Path:
        """The input's folder, where nothing vouches for the tables any more."""
        folder = layout.input_folder(self.path, name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / layout.INPUT).unlink(missing_ok=True)
        return folder


def _check(labels: VideoLabels) -> None:
    object_ids = [masklet.object_id for masklet in labels.masklets]
    if len(set(object_ids)) != len(object_ids):
        raise LabelError(f"{labels.name}: expected one masklet per object, found an identity twice")
    sizes = {frame.frame_index: frame.size_wh for frame in labels.frames}
    for masklet in labels.masklets:
        for frame_index, rle, _ in masklet.on_frames():
            height, width = rle["size"]
            if (width, height) != sizes[frame_index]:
                raise LabelError(
                    f"{labels.name}: object {masklet.object_id} on frame {frame_index}: expected a mask of "
                    f"{sizes[frame_index]} pixels, found {(width, height)}"
                )


def _write_state(folder: Path, state: Mapping[str, Any]) -> None:
    write_atomically(folder / layout.INPUT, json.dumps(state, indent=2, ensure_ascii=False) + "\n")


def _yaml(configuration: Mapping[str, Any]) -> str:
    return yaml.safe_dump(configuration, sort_keys=False, allow_unicode=True)


def _refuse_another(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise when two configurations differ, naming where.

    Where a model was loaded from (``named``) may differ, for what it is stands beside it.
    """
    before, now = dict(_leaves(found)), dict(_leaves(yaml.safe_load(_yaml(wanted))))
    relevant = [key for key in before | now if not key.endswith(".named")]
    differing = [key for key in relevant if before.get(key) != now.get(key)]
    if not differing:
        return
    listed = "; ".join(f"{key}: {_shown(before, key)}, now {_shown(now, key)}" for key in differing[:5])
    more = f"; and {len(differing) - 5} more" if len(differing) > 5 else ""
    raise RunError(
        f"{path} holds a run of another configuration ({listed}{more}); choose another folder, or label as before"
    )


def _shown(values: Mapping[str, object], key: str) -> str:
    return repr(values[key]) if key in values else "absent"


def _leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Every value of nested mappings and lists with its dotted key."""
    if isinstance(value, Mapping) and value:
        for name, entry in value.items():
            yield from _leaves(entry, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and value:
        for index, entry in enumerate(value):
            yield from _leaves(entry, f"{key}[{index}]")
    else:
        yield key, value
