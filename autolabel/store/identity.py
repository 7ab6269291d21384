"""What a run notes about an input beside its labels, so that the input can be found, checked and decoded again."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

__all__ = ["InputIdentity"]


@dataclass(frozen=True)
class InputIdentity:
    """Identity of one input, beside what its `VideoLabels` say.

    Attributes:
        sha256: Digest of the file, or of all stills with their names, in hexadecimal.
        size_bytes: Size of the file, or of all stills together.
        stream: Index of the video stream in its file; None for stills.
        time_base: Seconds per tick of `pts`; None for stills.
        file_names: All stills, readable or not, relative to their folder, by `frame_index`; empty for a video.
        problems: What was wrong with the input although it could be labelled, as sentences.
    """

    sha256: str
    size_bytes: int
    stream: int | None = None
    time_base: Fraction | None = None
    file_names: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that `from_dict` turns back into an equal identity."""
        return {
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
            "stream": self.stream,
            "time_base": None if self.time_base is None else str(self.time_base),
            "file_names": list(self.file_names),
            "problems": list(self.problems),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "InputIdentity":
        """Return the identity that `to_dict` described."""
        return cls(
            sha256=data["sha256"],
            size_bytes=data["size_bytes"],
            stream=data["stream"],
            time_base=None if data["time_base"] is None else Fraction(data["time_base"]),
            file_names=tuple(data["file_names"]),
            problems=tuple(data["problems"]),
        )
