"""The files that a run was labelled from, opened again when their pixels are needed."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from autolabel.errors import InputError, RunError
from autolabel.frames import Frame
from autolabel.images import ImageFolderInput
from autolabel.inputs import Input
from autolabel.labels import InputKind
from autolabel.store import InputIdentity, Run
from autolabel.video import VideoInput

__all__ = ["check_original", "find_original", "frames_of", "open_original", "original_frames"]


def open_original(run: Run, name: str) -> Input:
    """Open the input that was labelled under this name, all of its frames.

    Raises:
        RunError: It is not where it was, or not what it was.
    """
    original = find_original(run, name)
    check_original(run, name, original)
    return original


def find_original(run: Run, name: str) -> Input:
    """Open what is where an input was, without reading all of it, as `check_original` does.

    Raises:
        RunError: There is nothing that can be read, or it has another size.
    """
    record = run.record(name)
    with _readable(run, name):
        original = _open(record.path, record.kind, record.identity, name)
        if original.size_bytes != record.identity.size_bytes:
            raise _changed(run, name)
    return original


def check_original(run: Run, name: str, original: Input) -> None:
    """Make sure, by its digest, that what `find_original` found is what was labelled.

    Raises:
        RunError: It is not, or cannot be read.
    """
    with _readable(run, name):
        if original.sha256 != run.record(name).identity.sha256:
            raise _changed(run, name)


@contextmanager
def _readable(run: Run, name: str) -> Iterator[None]:
    """Say in a sentence that an original cannot be read."""
    try:
        yield
    except (InputError, OSError) as error:
        raise RunError(
            f"expected the input {name} at {run.record(name).path}, as seen from {Path.cwd()}, cannot read it there: "
            f"{error}; put it back, or do without pictures"
        ) from error


def _changed(run: Run, name: str) -> RunError:
    return RunError(
        f"expected at {run.record(name).path} the input {name} as it was labelled, found other content; "
        "put the original back, or label it again"
    )


def original_frames(run: Run, name: str, frame_indices: Collection[int]) -> Iterator[Frame]:
    """Decode some frames of an input, in order.

    Raises:
        RunError: The input has moved or changed, or no longer gives one of the frames.
    """
    return frames_of(open_original(run, name), frame_indices)


def frames_of(original: Input, frame_indices: Collection[int]) -> Iterator[Frame]:
    """Decode some frames of an opened original from its beginning on, in order.

    Raises:
        RunError: It no longer gives one of the frames.
    """
    missing = set(frame_indices)
    reading = original.frames() if missing else iter(())
    while missing:
        frame = next(reading, None)
        if frame is None:
            raise RunError(
                f"expected frame {min(missing)} of the input {original.slug}, found that it can no longer be decoded; "
                "use the versions of PyAV and FFmpeg that it was labelled with"
            )
        if frame.frame_index in missing:
            missing.remove(frame.frame_index)
            yield frame


def _open(path: str, kind: InputKind, identity: InputIdentity, name: str) -> Input:
    if kind == InputKind.VIDEO:
        return VideoInput.open(path, stream=identity.stream, slug=name)
    folder = Path(path)
    return ImageFolderInput(folder, tuple(folder / file_name for file_name in identity.file_names), name)
