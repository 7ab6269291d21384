"""What the server is asked and what it answers: runs, inputs, frames and edits, as JSON."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Asked",
    "ClassView",
    "DoubtView",
    "EditAnswer",
    "EditRequest",
    "FrameIndex",
    "InputSummary",
    "InputView",
    "MaskView",
    "MasksView",
    "ObjectView",
    "Pulse",
    "RejectedView",
    "Revision",
    "RunView",
    "Seconds",
]

FrameIndex = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""Number of a frame."""

Identity = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""Of an object, a class or a rejected masklet."""

Revision = Annotated[int, Field(ge=0)]
"""Number of edits of an input, undone ones and undoing included, that the sender knows."""

Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
"""How long a person needed."""

Action = str | None
"""What was done, in a word or two; None for nothing."""

Range = tuple[int, int]
"""First and last frame."""


class ClassView(BaseModel):
    """One class, with its colour as ``#rrggbb``."""

    class_id: int
    name: str
    colour: str


class InputSummary(BaseModel):
    """One input of the run; `problem` is a sentence where its pictures cannot be shown."""

    name: str
    kind: Literal["video", "images"]
    frame_count: int
    object_count: int
    problem: str | None


class RunView(BaseModel):
    """What is looked over; models by name, None where the run has none."""

    name: str
    classes: list[ClassView]
    inputs: list[InputSummary]
    tracker: str | None
    detector: str | None
    formats: list[str]


class DoubtView(BaseModel):
    """One reason to look at an object, see `autolabel.doubts`."""

    reason: str
    strength: float
    frame_index: int
    words: str


class ObjectView(BaseModel):
    """One object; `margin` is None where it has no end, `visible` counts its frames, `lane` is `lane_of`'s."""

    object_id: int
    class_id: int
    score: float
    margin: float | None
    flags: list[str]
    accepted: bool
    first: int
    last: int
    visible: int
    doubt: float
    doubts: list[DoubtView]
    lane: str
    detections: list[int]
    human: list[int]
    locked: list[int]


class RejectedView(BaseModel):
    """What was found and not kept; `frame_index` has its largest mask, and people may have decided about it."""

    index: int
    class_id: int
    score: float
    reason: str
    first: int
    last: int
    frame_index: int
    restored: bool
    dismissed: bool
    lane: str


class InputView(BaseModel):
    """One input as its labels stand.

    `sizes_wh` has one entry where all frames are alike; `states` has a letter a frame: l labelled, e verified empty,
    h seen by a person; `shots` are first frames.
    """

    name: str
    kind: Literal["video", "images"]
    fps: float | None
    revision: int
    undo: Action
    redo: Action
    frame_indices: list[int]
    sizes_wh: list[tuple[int, int]]
    pts_s: list[float] | None
    file_names: list[str] | None
    states: str
    keyframes: list[int]
    shots: list[int]
    exhaustive: list[Range]
    columns: int
    objects: list[ObjectView]
    rejected: list[RejectedView]
    lost_edits: int


class MaskView(BaseModel):
    """One object on one frame; `counts` are COCO's compressed runs, down the columns first."""

    object_id: int
    class_id: int
    counts: str
    xyxy: tuple[float, float, float, float]
    source: Literal["detected", "propagated", "human"]
    locked: bool


class MasksView(BaseModel):
    """All objects on one frame."""

    frame_index: int
    revision: int
    size_wh: tuple[int, int]
    objects: list[MaskView]


class Asked(BaseModel):
    """What the server is asked has no fields but those that it knows."""

    model_config = ConfigDict(extra="forbid")


class Accept(Asked):
    """An object is right as it stands."""

    action: Literal["accept"]
    object_id: Identity


class Delete(Asked):
    """An object goes, from some of its frames or from all."""

    action: Literal["delete"]
    object_id: Identity
    first: FrameIndex | None = None
    last: FrameIndex | None = None


class Relabel(Asked):
    """An object has another class."""

    action: Literal["relabel"]
    object_id: Identity
    class_id: Identity


class Merge(Asked):
    """Two objects are one, which keeps the first one's identity."""

    action: Literal["merge"]
    object_id: Identity
    other_id: Identity


class Split(Asked):
    """From a frame on, an object is another one."""

    action: Literal["split"]
    object_id: Identity
    frame_index: FrameIndex


class Lock(Asked):
    """What an object is on a frame is right."""

    action: Literal["lock"]
    object_id: Identity
    frame_index: FrameIndex


class MarkEmpty(Asked):
    """Some frames hold nothing."""

    action: Literal["mark_empty"]
    first: FrameIndex
    last: FrameIndex


class MarkExhaustive(Asked):
    """On some frames every object is labelled, and rightly."""

    action: Literal["mark_exhaustive"]
    first: FrameIndex
    last: FrameIndex


class Restore(Asked):
    """What was rejected comes back."""

    action: Literal["restore"]
    index: Identity


class Dismiss(Asked):
    """What was rejected was rejected rightly."""

    action: Literal["dismiss"]
    index: Identity


class Undo(Asked):
    """The last edit is taken back."""

    action: Literal["undo"]


class Redo(Asked):
    """What was undone last is done once more."""

    action: Literal["redo"]


AnyEdit = (
    Accept | Delete | Relabel | Merge | Split | Lock | MarkEmpty | MarkExhaustive | Restore | Dismiss | Undo | Redo
)


class EditRequest(Asked):
    """One change of an input's labels."""

    revision: Revision
    seconds: Seconds = 0.0
    edit: Annotated[AnyEdit, Field(discriminator="action")]


class EditAnswer(BaseModel):
    """The change is on the disk; `object_id` is the new object's where there is one."""

    revision: int
    object_id: int | None


class Pulse(BaseModel):
    """What a page should know now and then.

    Revisions and problems are by input, of the inputs that were opened; `others` counts other pages that asked in the
    last seconds; `job_id` is the job that is under way.
    """

    revisions: dict[str, int]
    problems: dict[str, str]
    others: int
    job_id: str | None
