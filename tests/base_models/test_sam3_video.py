"""SAM 3 as a concept tracker and as a tracker, on a small checkpoint made here with random weights."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from sam_checkpoints import save_sam3_video
from torch import Tensor
from transformers import Sam3TrackerVideoModel, Sam3VideoModel, Sam3VideoProcessor
from typer.testing import CliRunner

import autolabel
from autolabel.base_models.registry import load_concept_tracker, load_tracker
from autolabel.base_models.sam3_pool import Prompts, mask_iou, pool
from autolabel.base_models.sam3_session import BoundedSession
from autolabel.cli import app
from autolabel.errors import ModelError
from autolabel.ontologies import Ontology
from autolabel.scene_files import write_scene_video
from autolabel.scenes import plan_video

ONTOLOGY = Ontology.parse("circle=circle,red; square")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small SAM 3 that finds something of everything, as a folder."""
    return save_sam3_video(tmp_path_factory.mktemp("sam3"), ["red", "circle", "square"])


@pytest.fixture(scope="module")
def clip() -> list[np.ndarray]:
    """Frames of one drawn video."""
    return [scene.image for scene in plan_video(5, size_wh=(96, 80), frame_count=18)]


# --- detections by class ---------------------------------------------------------------------------------------------


def detections(*found: tuple[slice, float]) -> dict[str, Tensor]:
    """What the model says for one text: boxes that nobody looks at, and masks of some columns with their scores."""
    masks = torch.full((len(found), 4, 16), -5.0)
    for row, (columns, _) in enumerate(found):
        masks[row, :, columns] = 5.0
    return {"bbox": torch.zeros(len(found), 4), "mask": masks, "scores": torch.tensor([score for _, score in found])}


LEFT, ALMOST_LEFT, RIGHT, NOWHERE = slice(0, 8), slice(0, 7), slice(8, 16), slice(0, 0)


def pooled(words: Ontology, *by_text: dict[str, Tensor]) -> list[list[tuple[float, ...]]]:
    """The score rows of each class's detections."""
    found = pool(dict(enumerate(by_text)), Prompts.of(words), duplicate_iou=0.1)
    return [[tuple(round(score, 3) for score in row) for row in item.class_scores.tolist()] for item in found.values()]


def test_synonyms_find_one_object() -> None:
    """Two prompts of a class that mean one object make one detection, with the better score."""
    words = Ontology.parse("car=car,automobile; truck")
    found = pooled(words, detections((LEFT, 0.8)), detections((ALMOST_LEFT, 0.9), (RIGHT, 0.6)), detections())
    assert found == [[(0.9, 0.0), (0.6, 0.0)], []]


def test_classes_in_one_place_share_their_scores() -> None:
    """A row says what every class scores where the detection is; classes do not suppress each other."""
    found = pooled(Ontology.parse("car; truck"), detections((LEFT, 0.8)), detections((ALMOST_LEFT, 0.9), (RIGHT, 0.7)))
    assert found == [[(0.8, 0.9)], [(0.8, 0.9), (0.0, 0.7)]]


def test_a_better_negative_takes_an_object_away() -> None:
    """A negative that scores higher in the same place unmakes the class there; elsewhere, or lower, it does nothing."""
    words = Ontology.parse({"classes": [{"name": "car", "negatives": ["toy"]}, "toy"]})
    found = pooled(words, detections((LEFT, 0.8), (RIGHT, 0.9)), detections((LEFT, 0.85), (RIGHT, 0.6)))
    assert found == [[(0.9, 0.6)], [(0.0, 0.85), (0.9, 0.6)]]


def test_a_detection_of_nothing_is_none() -> None:
    """A mask without a pixel is no object."""
    assert pooled(Ontology.parse("car"), detections((NOWHERE, 0.9))) == [[]]


def test_mask_iou() -> None:
    """All pairs of two sets; nothing and nothing have nothing in common."""
    masks = detections((LEFT, 1.0), (slice(4, 12), 1.0), (NOWHERE, 1.0))["mask"] > 0
    torch.testing.assert_close(mask_iou(masks, masks[:2]), torch.tensor([[1, 1 / 3], [1 / 3, 1], [0, 0]]))


# --- the session -----------------------------------------------------------------------------------------------------


def follow(checkpoint: Path, clip: Sequence[np.ndarray]) -> tuple[list[tuple[np.ndarray, ...]], BoundedSession]:
    """What is seen on each frame, and the session afterwards."""
    height, width = clip[0].shape[:2]
    tracker = load_concept_tracker(str(checkpoint), ONTOLOGY, device="cpu", dtype="float32")
    session = tracker.start((width, height))
    batches = [session.step(image) for image in clip]
    return [(batch.object_ids, batch.masks, batch.class_scores) for batch in batches], session._session  # type: ignore[attr-defined]


def test_a_class_of_one_prompt_is_followed_as_transformers_does(tmp_path: Path, clip: list[np.ndarray]) -> None:
    """Where there is nothing to pool, objects and masks are those of transformers' own stream."""
    folder = save_sam3_video(tmp_path, ["circle", "square"], query_count=1, det_nms_thresh=0.0, fill_hole_area=0)
    height, width = clip[0].shape[:2]
    model = Sam3VideoModel.from_pretrained(folder, dtype=torch.float32).eval()
    processor = Sam3VideoProcessor.from_pretrained(folder)
    theirs = processor.add_text_prompt(processor.init_video_session(), ["circle", "square"])
    words = Ontology.parse("circle; square")
    ours = load_concept_tracker(str(folder), words, device="cpu", dtype="float32").start((width, height))
    for image in clip[:8]:
        pixel_values = processor(images=image, return_tensors="pt")["pixel_values"]
        output = model(inference_session=theirs, frame=pixel_values[0])
        expected = processor.postprocess_outputs(theirs, output, original_sizes=[[height, width]])
        batch = ours.step(image)
        visible = batch.masks.any(axis=(1, 2))
        assert batch.object_ids[visible].tolist() == expected["object_ids"].tolist() != []
        np.testing.assert_array_equal(batch.masks[visible], expected["masks"].numpy())


def test_what_is_forgotten_is_not_missed(
    checkpoint: Path, clip: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that keeps everything, as the original does, sees the same."""
    bounded, _ = follow(checkpoint, clip)
    monkeypatch.setattr(BoundedSession, "prune", lambda self, **bounds: None)
    unbounded, _ = follow(checkpoint, clip)
    assert sum(len(object_ids) for object_ids, _, _ in bounded) >= 2 * len(clip)
    for frame_index, (expected, found) in enumerate(zip(unbounded, bounded, strict=True)):
        for name, one, other in zip(("identities", "masks", "scores"), expected, found, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=f"{name} on frame {frame_index}")


def test_memory_does_not_grow_with_the_video(checkpoint: Path, clip: list[np.ndarray]) -> None:
    """However many frames there were, a session keeps the same for each object and nothing for each frame."""
    _, session = follow(checkpoint, (clip * 2)[:26])
    assert session.output_dict_per_obj
    for outputs in session.output_dict_per_obj.values():
        assert len(outputs["cond_frame_outputs"]) <= 4
        assert len(outputs["non_cond_frame_outputs"]) <= 15  # the frames whose pointers the next one asks for
    by_frame = (session.processed_frames, session.suppressed_obj_ids, session.obj_id_to_tracker_score_frame_wise)
    assert [len(entries) for entries in by_frame] == [0, 0, 0]


def test_a_dropped_object_is_gone(checkpoint: Path, clip: list[np.ndarray]) -> None:
    """What is dropped is not reported again, and the others go on."""
    height, width = clip[0].shape[:2]
    session = load_concept_tracker(str(checkpoint), ONTOLOGY, device="cpu", dtype="float32").start((width, height))
    batch = session.step(clip[0])
    first, *others = batch.object_ids[batch.masks.any(axis=(1, 2))].tolist()
    session.drop([first])
    seen = session.step(clip[1]).object_ids.tolist()
    assert first not in seen
    assert set(others) <= set(seen)
    session.drop(seen)
    assert min(session.step(clip[2]).object_ids.tolist(), default=max(seen) + 1) > max(seen)


def test_every_object_is_detected_where_it_appears(checkpoint: Path, clip: list[np.ndarray]) -> None:
    """An object has scores on its first frame; that of its own class reaches the threshold."""
    seen: set[int] = set()
    for object_ids, masks, scores in follow(checkpoint, clip)[0]:
        new = [row for row, object_id in enumerate(object_ids.tolist()) if object_id not in seen and masks[row].any()]
        assert (scores[new].max(axis=1, initial=0) >= 0.7).all()
        seen |= set(object_ids.tolist())


# --- loading ---------------------------------------------------------------------------------------------------------


def test_a_prompt_that_is_too_long(checkpoint: Path) -> None:
    """A prompt that the model cannot read to its end is named, with the number of its tokens."""
    with pytest.raises(ModelError, match=r"at most 32 tokens, as .* can read, found 4\d; shorten it"):
        load_concept_tracker(str(checkpoint), Ontology.parse("z" * 40), device="cpu")


def test_an_impossible_number_of_memories(checkpoint: Path) -> None:
    """More memories than the model was trained with are refused."""
    with pytest.raises(ModelError, match="expected 1 to 7"):
        load_concept_tracker(str(checkpoint), ONTOLOGY, device="cpu", memories=8)


def test_its_tracker_is_loaded_from_the_same_checkpoint(checkpoint: Path) -> None:
    """The published file holds detector and tracker; as a tracker, it gives the tracker's weights and no others."""
    assert load_tracker(str(checkpoint), device="cpu").name == checkpoint.name
    both = Sam3VideoModel.from_pretrained(checkpoint).state_dict()
    for name, tensor in Sam3TrackerVideoModel.from_pretrained(checkpoint).state_dict().items():
        source = name.replace("vision_encoder.backbone", "detector_model.vision_encoder.backbone")
        source = source.replace("vision_encoder.neck", "tracker_neck")
        torch.testing.assert_close(tensor, both[source if source != name else f"tracker_model.{name}"])


# --- the command line ------------------------------------------------------------------------------------------------


def test_labelling_a_video(checkpoint: Path, tmp_path: Path) -> None:
    """A run of SAM 3 on a short MP4 is a valid run, whatever random weights see."""
    write_scene_video(plan_video(5, size_wh=(96, 80), frame_count=10), tmp_path / "clip.mp4")
    result = CliRunner().invoke(
        app,
        [
            *("label", str(tmp_path / "clip.mp4"), "--classes", "circle=circle,red; square"),
            *("--concept-tracker", str(checkpoint), "--keyframe-every", "4", "--out", str(tmp_path / "run")),
        ],
    )
    assert result.exit_code == 0, result.output
    run = autolabel.load_run(tmp_path / "run")
    (labels,) = run
    assert len(labels.frames) == 10
    assert labels.masklets or run.rejected("clip")
    assert set(run.configuration["concept_tracker"]) >= {"weights_sha256", "dtype", "threshold", "memories"}
