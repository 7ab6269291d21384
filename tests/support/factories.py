"""Labels and runs to test with: small ones by hand, any ones by hypothesis."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from autolabel import masks
from autolabel.images import ImageFolderInput
from autolabel.labels import Evidence, FrameLabels, FrameState, InputKind, Masklet, Rejected, Source, VideoLabels
from autolabel.ontologies import Ontology
from autolabel.store import InputIdentity, Run, RunWriter, load_run
from autolabel.video import VideoInput
from autolabel.video_writer import VideoWriter

CLASS_NAMES = ("car", "traffic light", "no")
SIZE_WH = (48, 32)


def block(x1: int, y1: int, x2: int, y2: int, size_wh: tuple[int, int] = SIZE_WH) -> NDArray[np.bool_]:
    """A mask that is True in a box with exclusive right and bottom edges."""
    mask = np.zeros(size_wh[::-1], dtype=bool)
    mask[y1:y2, x1:x2] = True
    return mask


def masklet(object_id: int, class_id: int, found: dict[int, NDArray[np.bool_]], score: float = 0.75) -> Masklet:
    """A masklet with these masks by frame, the first one detected."""
    return Masklet(
        object_id=object_id,
        class_id=class_id,
        score=score,
        frame_indices=np.array(list(found), dtype=np.int64),
        rles=tuple(masks.encode(mask) for mask in found.values()),
        sources=(Source.DETECTED, *[Source.PROPAGATED] * (len(found) - 1)),
    )


def frames(states: Sequence[FrameState], kind: InputKind = InputKind.VIDEO) -> tuple[FrameLabels, ...]:
    """Frames in these states, 25 a second."""
    still = kind == InputKind.IMAGES
    return tuple(
        FrameLabels(
            frame_index=index,
            size_wh=SIZE_WH,
            pts=None if still else index * 512,
            pts_s=None if still else index / 25,
            file_name=f"{index}.png" if still else None,
            state=state,
        )
        for index, state in enumerate(states)
    )


def clip(name: str = "clip", path: str = "clip.mp4", kind: InputKind = InputKind.VIDEO) -> VideoLabels:
    """Four frames: two with a car that a traffic light with a hole overlaps, one with the light alone, one empty."""
    light = block(20, 10, 40, 30) & ~block(26, 16, 34, 24)
    masklets = (
        masklet(1, 0, {0: block(4, 4, 24, 14), 1: block(6, 4, 26, 14)}, score=0.5),
        masklet(3, 1, {0: light, 1: light, 2: light}),
    )
    states = [FrameState.LABELLED] * 3 + [FrameState.VERIFIED_EMPTY]
    fps = 25.0 if kind == InputKind.VIDEO else None
    return VideoLabels(name, path, kind, CLASS_NAMES, frames(states, kind), masklets, fps, frame_count=4)


def write_video(path: Path, frame_count: int = 4, size_wh: tuple[int, int] = SIZE_WH) -> InputIdentity:
    """A real video whose frames get brighter."""
    return write_video_of(
        path, [np.full((*size_wh[::-1], 3), 40 * index, dtype=np.uint8) for index in range(frame_count)]
    )


def textured(random: np.random.Generator, size_wh: tuple[int, int] = (96, 64)) -> NDArray[np.uint8]:
    """A picture of large soft patches, unlike any other, that survives compression: uint8 RGB ``(H, W, 3)``."""
    patches = random.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(patches, size_wh, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def write_video_of(path: Path, images: Sequence[NDArray[np.uint8]]) -> InputIdentity:
    """A real video of these pictures, uint8 RGB ``(H, W, 3)``."""
    with VideoWriter(path, fps=25) as writer:
        for image in images:
            writer.write(image)
    return identity_of(path)


def identity_of(path: Path) -> InputIdentity:
    """The identity of a real video."""
    video = VideoInput.open(path)
    return InputIdentity(video.sha256, video.size_bytes, video.info.stream, video.info.time_base)


def write_pictures_of(folder: Path, images: Mapping[str, NDArray[np.uint8]]) -> InputIdentity:
    """A folder of real stills by their names, uint8 RGB ``(H, W, 3)``."""
    folder.mkdir()
    for name, image in images.items():
        Image.fromarray(image).save(folder / name)
    stills = ImageFolderInput.open(folder, [folder / name for name in images])
    return InputIdentity(stills.sha256, stills.size_bytes, file_names=stills.file_names)


def write_stills(folder: Path) -> tuple[VideoLabels, InputIdentity]:
    """Real pictures in a new folder, the labels of `clip` for them, and their identity."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    labels = clip("photos", str(folder), InputKind.IMAGES)
    grey = np.full((*SIZE_WH[::-1], 3), 128, np.uint8)
    return labels, write_pictures_of(folder, {str(frame.file_name): grey for frame in labels.frames})


def write_run(
    path: Path, *inputs: VideoLabels, identities: Sequence[InputIdentity] = (), rejected: Sequence[Rejected] = ()
) -> Run:
    """A run of these inputs, each of which rejected the same; identities are made up where they are not given."""
    writer = RunWriter(path, {"ontology": Ontology.parse(list(inputs[0].class_names)).to_dict()})
    made_up = [
        InputIdentity(
            sha256=f"{number:064x}",
            size_bytes=number,
            file_names=tuple(frame.file_name for frame in labels.frames if frame.file_name),
        )
        for number, labels in enumerate(inputs)
    ]
    for labels, identity in zip(inputs, identities or made_up, strict=True):
        writer.write_input(labels, identity, rejected)
    return load_run(path)


def masks_of_any_shape(max_side: int = 24) -> st.SearchStrategy[NDArray[np.bool_]]:
    """Any mask that is not empty: specks, lines, holes within holes, full frames."""
    sides = st.tuples(st.integers(1, max_side), st.integers(1, max_side))
    return arrays(np.bool_, sides, elements=st.booleans()).filter(np.any)


@st.composite
def blobs(draw: st.DrawFn, size_wh: tuple[int, int] = (96, 72)) -> NDArray[np.bool_]:
    """A mask such as objects have: two thick ellipses, together or apart, with a hole at most."""
    canvas = np.zeros(size_wh[::-1], dtype=np.uint8)
    width, height = size_wh
    for value, shortest, longest in ((1, 12, 30), (1, 12, 30), (0, 1, 8)):
        centre = (draw(st.integers(12, width - 12)), draw(st.integers(12, height - 12)))
        axes = (draw(st.integers(shortest, longest)), draw(st.integers(shortest, longest)))
        cv2.ellipse(canvas, centre, axes, draw(st.integers(0, 180)), 0, 360, value, cv2.FILLED)
    return canvas.astype(bool)


_numbers = st.floats(allow_nan=False)
_words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def any_masklet(draw: st.DrawFn, object_id: int, frame_count: int, size_wh: tuple[int, int]) -> Masklet:
    """A masklet with whatever a masklet can hold, NaN and infinity included."""
    frame_indices = sorted(draw(st.sets(st.integers(0, frame_count - 1))))
    dense = draw(arrays(np.bool_, (len(frame_indices), *size_wh[::-1])))
    dense[:, 0, 0] = True
    evidence = st.builds(
        Evidence,
        frame_index=st.integers(0, frame_count - 1),
        prompt=_words,
        class_scores=st.tuples(*[st.floats(0, 1) | st.just(float("nan"))] * len(CLASS_NAMES)),
        model=_words,
    )
    return Masklet(
        object_id=object_id,
        class_id=draw(st.integers(0, len(CLASS_NAMES) - 1)),
        score=draw(st.floats(0, 1)),
        frame_indices=np.array(frame_indices, dtype=np.int64),
        rles=tuple(masks.encode_many(dense)) if frame_indices else (),
        sources=tuple(draw(st.sampled_from(Source)) for _ in frame_indices),
        evidence=tuple(draw(st.lists(evidence, max_size=3))),
        votes=tuple(draw(st.lists(_numbers, max_size=3))),
        margin=draw(_numbers),
        flags=tuple(draw(st.lists(_words, max_size=2))),
    )


@st.composite
def any_labels(draw: st.DrawFn) -> tuple[VideoLabels, tuple[Rejected, ...]]:
    """Labels of a video or of stills, and what was rejected."""
    frame_count = draw(st.integers(1, 5))
    size_wh = (draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    still = draw(st.booleans())
    every_frame = tuple(
        FrameLabels(
            frame_index=index,
            size_wh=size_wh,
            pts=None if still else draw(st.integers(-(2**40), 2**40)),
            pts_s=None if still else draw(_numbers),
            file_name=f"{index} {draw(_words)}" if still else None,
            keyframe=draw(st.booleans()),
            shot=draw(st.integers(0, 9)),
            state=draw(st.sampled_from(FrameState)),
        )
        for index in range(frame_count)
    )
    object_ids = sorted(draw(st.sets(st.integers(1, 99), max_size=4)))
    masklets = [draw(any_masklet(object_id, frame_count, size_wh)) for object_id in object_ids]
    kept = draw(st.integers(0, len(masklets)))
    labels = VideoLabels(
        name="clip",
        path=draw(_words),
        kind=InputKind.IMAGES if still else InputKind.VIDEO,
        class_names=CLASS_NAMES,
        frames=every_frame,
        masklets=tuple(masklets[:kept]),
        fps=None if still else draw(st.floats(1, 240)),
        frame_count=frame_count,
    )
    return labels, tuple(Rejected(masklet, draw(_words)) for masklet in masklets[kept:])


def any_identity() -> st.SearchStrategy[InputIdentity]:
    """An identity with whatever one can hold."""
    return st.builds(
        InputIdentity,
        sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
        size_bytes=st.integers(0, 2**60),
        stream=st.none() | st.integers(0, 9),
        time_base=st.none() | st.fractions(Fraction(1, 10**6), 1),
        file_names=st.lists(_words).map(tuple),
        problems=st.lists(_words).map(tuple),
    )


def comparable(labels: VideoLabels | Masklet | Rejected) -> str:
    """Everything in it as text, so that arrays and NaN compare."""
    return repr(labels)


AWKWARD_NAMES = ("no", "1e3", "größe: ok", 'a "quoted" / slashed', "<null> & 'co'", "日本, 語")
"""Class names that YAML, XML, JSON or CSV could take for something else."""


def rings(size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """Frames within frames, each a hole in the one around it; the outermost touches every border."""
    height, width = size_wh[::-1]
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    to_border = np.minimum(np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns))
    return np.asarray(to_border % 2 == 0)


def _mask_of_size(size_wh: tuple[int, int]) -> st.SearchStrategy[NDArray[np.bool_]]:
    """Any mask that is not empty, the full one and nested holes among them."""
    anything = arrays(np.bool_, size_wh[::-1], elements=st.booleans()).filter(np.any)
    return st.just(np.ones(size_wh[::-1], dtype=bool)) | st.just(rings(size_wh)) | anything


@st.composite
def labels_to_export(draw: st.DrawFn, kind: InputKind = InputKind.VIDEO) -> VideoLabels:
    """Labels without evidence and flags, which no format holds; frames without objects are verified empty."""
    size_wh, frame_count = (draw(st.integers(1, 12)), draw(st.integers(1, 9))), draw(st.integers(1, 4))
    on_frames = st.dictionaries(st.integers(0, frame_count - 1), _mask_of_size(size_wh), min_size=1)
    object_ids = sorted(draw(st.sets(st.integers(1, 99), max_size=3)))
    masklets = []
    for object_id in object_ids:
        found = draw(on_frames)
        class_id, score = draw(st.integers(0, len(AWKWARD_NAMES) - 1)), draw(st.integers(0, 100)) / 100
        masklets.append(masklet(object_id, class_id, {index: found[index] for index in sorted(found)}, score))
    seen = {index for each in masklets for index in each.frame_indices.tolist()}
    states = [FrameState.LABELLED if index in seen else FrameState.VERIFIED_EMPTY for index in range(frame_count)]
    return VideoLabels(
        name="clip",
        path="clip.mp4" if kind == InputKind.VIDEO else "clip",
        kind=kind,
        class_names=AWKWARD_NAMES,
        frames=tuple(replace(frame, size_wh=size_wh) for frame in frames(states, kind)),
        masklets=tuple(masklets),
        fps=25.0 if kind == InputKind.VIDEO else None,
        frame_count=frame_count,
    )


Contents = dict[int, tuple[str, dict[int, list[list[bool]]]]]
"""Class and mask by frame of every object, by identity."""


def contents(labels: VideoLabels) -> Contents:
    """What the labels say, in a form that compares and prints."""
    return {
        masklet.object_id: (
            labels.class_names[masklet.class_id],
            {
                frame_index: masks.decode(rle).tolist()
                for frame_index, rle in zip(masklet.frame_indices.tolist(), masklet.rles, strict=True)
            },
        )
        for masklet in labels.masklets
    }


def looked_at(labels: VideoLabels) -> list[tuple[int, tuple[int, int], FrameState]]:
    """Index, size and state of each frame."""
    return [(frame.frame_index, frame.size_wh, frame.state) for frame in labels.frames]


def boxed(labels: VideoLabels) -> VideoLabels:
    """The same labels with filled boxes for masks."""
    sizes = {frame.frame_index: frame.size_wh for frame in labels.frames}
    return replace(
        labels,
        masklets=tuple(
            replace(
                masklet,
                rles=tuple(
                    masks.of_box(box, sizes[index])
                    for box, index in zip(masklet.xyxy.tolist(), masklet.frame_indices.tolist(), strict=True)
                ),
            )
            for masklet in labels.masklets
        ),
    )
