"""The training of the tiny detector, and the checkpoint it made."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor, nn
from transformers import GroundingDinoForObjectDetection, GroundingDinoProcessor
from transformers.models.grounding_dino.modeling_grounding_dino import MultiScaleDeformableAttention

import autolabel.base_models
from autolabel.base_models.training import detector
from autolabel.base_models.training.detector_evaluation import IOU_THRESHOLDS, Tally, find
from autolabel.base_models.training.detector_loss import (
    Prediction,
    Targets,
    _match,
    detection_losses,
    hint_losses,
    output_of,
)
from autolabel.base_models.training.detector_model import (
    RowwiseDeformableAttention,
    TrainedDetector,
    build_configuration,
    build_model,
    build_processor,
)
from autolabel.base_models.training.detector_words import VOCABULARY, Meaning, caption_tokens, sample_phrases, say
from autolabel.base_models.training.loop import Cycle, ParameterGroup, Schedule, run
from autolabel.scenes import ALL_PAIRS, HELD_OUT_PAIRS, draw_still

CHECKPOINT = Path(autolabel.base_models.__file__).parent / "checkpoints" / "tiny-scenes-detector"


# --- loop ------------------------------------------------------------------------------------------------------------


class KilledError(Exception):
    """Stands for the end of the process."""


def _train_line(folder: Path, *, killed_at: int | None = None) -> nn.Module:
    """Fit a tiny model with the loop, perhaps being killed on the way."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))

    def losses(step: int) -> dict[str, Tensor]:
        if step == killed_at:
            raise KilledError
        x = torch.randn(16, 3, generator=torch.Generator().manual_seed(step))  # (16, 3)
        return {"square": (model(x) - x.sum(1, keepdim=True)).square().mean()}

    schedule = Schedule((Cycle(30, 0.05),), warmup=5, evaluate_every=10, save_seconds=0, log_seconds=0)
    return run(
        model, [ParameterGroup(list(model.parameters()))], schedule, losses, folder, evaluate=lambda _: {"one": 1.0}
    )


def test_killed_training_ends_in_the_same_weights(tmp_path: Path) -> None:
    """A training that is killed twice and started again ends as if nothing had happened."""
    undisturbed = _train_line(tmp_path / "undisturbed").state_dict()
    for step in (7, 21):
        with pytest.raises(KilledError):
            _train_line(tmp_path / "killed", killed_at=step)
    resumed = _train_line(tmp_path / "killed").state_dict()
    assert all(torch.equal(resumed[name], value) for name, value in undisturbed.items())


def test_curves_are_written(tmp_path: Path) -> None:
    """Losses and figures are in the CSV, and a picture is drawn of them."""
    _train_line(tmp_path)
    lines = (tmp_path / "curves.csv").read_text().splitlines()
    assert lines[0].split(",")[:2] == ["step", "learning_rate"]
    assert {"square", "one"} <= set(lines[0].split(","))
    assert lines[-1].startswith("30,")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_tied_weights_are_averaged_once(tmp_path: Path) -> None:
    """A weight with two names follows the same average as one with a single name."""
    model = nn.ModuleList([nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)])
    alone = nn.Linear(2, 2, bias=False)
    alone.load_state_dict(model[0].state_dict())
    model[1].weight = model[0].weight
    averages = []
    for name, trained in (("tied", model), ("alone", alone)):
        schedule = Schedule((Cycle(5, 0.1),), warmup=1)
        group = ParameterGroup(list(trained.parameters()))
        averages.append(run(trained, [group], schedule, lambda _: {"sum": group.parameters[0].sum()}, tmp_path / name))  # noqa: B023
    assert torch.equal(averages[0].state_dict()["0.weight"], averages[1].state_dict()["weight"])


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phrases", [["red circle"], ["a red circle", "zebra", "rings"], ["plus sign", "white object"]])
def test_caption_tokens_are_the_processors(phrases: list[str]) -> None:
    """Training and product turn a caption into the same tokens, spans included."""
    ids, spans = caption_tokens(phrases)
    processed = build_processor()(images=np.zeros((64, 64, 3), np.uint8), text=[phrases], return_tensors="pt")
    assert processed["input_ids"][0].tolist() == ids
    words = [[VOCABULARY[ids[position]] for position in span] for span in spans]
    assert words == [[word if word in VOCABULARY else "[UNK]" for word in phrase.split()] for phrase in phrases]


def test_every_class_name_is_in_the_vocabulary() -> None:
    """No prompt of the ready-made ontology holds an unknown word."""
    names = [say(Meaning(*pair)) for pair in ALL_PAIRS]
    assert set(" ".join(names).split()) <= set(VOCABULARY)


def test_captions_hold_present_absent_and_unknown_phrases_but_no_held_out_pair() -> None:
    """What captions ask for is mixed, and never what is only measured."""
    random = np.random.default_rng(0)
    present = [("red", "circle"), ("blue", "star")]
    meanings = [phrase.meaning for _ in range(300) for phrase in sample_phrases(present, 8, random)]
    fitting = np.mean([any(meaning.fits(*pair) for pair in present) for meaning in meanings])
    assert 0.3 < fitting < 0.7
    assert any(meaning.unknown for meaning in meanings)
    assert not {(meaning.colour, meaning.shape) for meaning in meanings} & set(HELD_OUT_PAIRS)


# --- data ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.9])
def test_the_batch_of_a_step_is_reproducible(share: float) -> None:
    """The same step gives the same batch, another step another."""
    first, again, other = (detector.draw_batch(step, share, batch_size=2) for step in (5, 5, 6))
    assert torch.equal(first.pixels, again.pixels)
    assert torch.equal(first.input_ids, again.input_ids)
    assert all(torch.equal(a.words, b.words) for a, b in zip(first.targets, again.targets, strict=True))
    assert first.pixels.shape != other.pixels.shape or not torch.equal(first.pixels, other.pixels)


def test_targets_lie_in_the_picture_and_on_its_words() -> None:
    """Boxes are shares of the picture, and each asked object has words, none of them special."""
    batch = detector.draw_batch(3, 0.5)
    special = torch.isin(batch.input_ids, torch.tensor([0, 101, 102, 1012]))  # (B, T)
    for index, target in enumerate(batch.targets):
        assert target.words.shape == (len(target.boxes), batch.input_ids.shape[1])
        assert target.words.any(1).all()
        assert not (target.words & special[index]).any()
        assert ((target.boxes > 0) & (target.boxes <= 1)).all()


# --- loss ------------------------------------------------------------------------------------------------------------

BOXES = torch.tensor([[0.2, 0.2, 0.2, 0.2], [0.7, 0.7, 0.3, 0.3], [0.5, 0.5, 0.9, 0.9], [0.1, 0.9, 0.1, 0.1]])
WORDS = torch.tensor([[False, True, False, False], [False, False, True, False]])
SHOWN = torch.zeros_like(WORDS)
TARGETS = Targets(BOXES[:2], WORDS, BOXES[:2], torch.tensor([[3, 1], [0, 7]]), SHOWN)
EMPTY = Targets(BOXES[:0], WORDS[:0], BOXES[:0], torch.zeros(0, 2, dtype=torch.long), SHOWN[:0])


def _prediction(logits: list[list[float]], boxes: Tensor = BOXES) -> Prediction:
    return Prediction(torch.tensor(logits)[None], boxes[None], torch.ones(1, len(boxes), dtype=torch.bool))


NOTHING = [-20.0, -20.0, -20.0, -math.inf]
PERFECT = [[-20.0, 20.0, -20.0, -math.inf], [-20.0, -20.0, 20.0, -math.inf], NOTHING, NOTHING]


def test_perfect_predictions_cost_nothing() -> None:
    """Right boxes with right words have a loss of zero on every layer, padding notwithstanding."""
    losses = detection_losses([_prediction(PERFECT), _prediction(PERFECT)], [TARGETS])
    decoder = [losses[name] for name in ("class", "l1", "giou")]
    assert torch.stack(decoder).max() < 1e-5


@pytest.mark.parametrize(("row", "token"), [(0, 2), (2, 1), (1, 0)])
def test_a_false_word_costs(row: int, token: int) -> None:
    """Another object's word, a word of an unmatched query, a special token: each raises the class loss."""
    logits = [list(values) for values in PERFECT]
    logits[row][token] = 3.0
    layer = _prediction(logits)
    assert detection_losses([layer, layer], [TARGETS])["class"] > 0.5


def test_matching_is_by_word_and_box() -> None:
    """Of two queries on one box the one with the right word gets the object."""
    boxes = BOXES[[0, 0, 1]]
    layer = _prediction([[-4.0, -4, -4, -4], [-4, 4, -4, -4], [-4, -4, 4, -4]], boxes)
    queries, objects = _match(layer, 0, TARGETS, 1)
    assert dict(zip(queries.tolist(), objects.tolist(), strict=True)) == {1: 0, 2: 1}


def test_a_proposal_serves_one_object() -> None:
    """When two objects want the same proposals, each proposal goes to one of them."""
    queries, _ = _match(_prediction(PERFECT), 0, TARGETS, 2)
    assert len(queries) == len(set(queries.tolist()))


def test_pictures_without_objects_have_finite_losses() -> None:
    """Empty pictures teach absence only."""
    layer = _prediction(PERFECT)
    losses = detection_losses([layer, layer], [EMPTY]) | hint_losses(torch.zeros(1, 1, 16), BOXES[:1, :2], [EMPTY])
    assert losses["l1"] == losses["shape_hint"] == 0
    assert torch.isfinite(torch.stack(list(losses.values()))).all()


def test_nothing_is_learned_of_pairs_that_are_never_shown() -> None:
    """A word that training never shows on an object costs nothing there, whatever its score, and elsewhere it does."""
    unshown = torch.tensor([[False, False, True, False], [False, False, False, False]])
    target = replace(TARGETS, unshown=unshown)
    for row, ignored in ((0, True), (3, False)):
        logits = [list(scores) for scores in PERFECT]
        logits[row][2] = 5.0
        cost = detection_losses([_prediction(PERFECT), _prediction(logits)], [target])["class"]
        assert bool(cost < 1e-4) == ignored, row


@pytest.mark.parametrize(
    ("meaning", "expected"),
    [
        (Meaning(shape="ring"), True),
        (Meaning("red"), True),
        (Meaning("purple"), False),
        (Meaning("red", "ring"), False),
        (Meaning(), False),
        (Meaning(shape="ring", unknown=True), False),
    ],
)
def test_what_training_never_shows_on_a_green_star(meaning: Meaning, expected: bool) -> None:
    """Only the bare shape that is held out with its colour, or the colour with its shape, says nothing."""
    assert meaning.is_unshown("green", "star") == expected


def test_hints_name_the_object_in_a_cell() -> None:
    """Cells in the middle of an object know its colour and shape, the others are left alone."""
    cells = torch.tensor([[0.2, 0.2], [0.7, 0.7], [0.45, 0.45]])
    hints = torch.zeros(1, 3, 16)
    hints[0, 0, [3, 8 + 1]] = 20.0
    hints[0, 1, [0, 8 + 7]] = 20.0
    assert torch.stack(list(hint_losses(hints, cells, [TARGETS]).values())).max() < 1e-5
    hints[0, 2] = torch.randn(16)
    assert torch.stack(list(hint_losses(hints, cells, [TARGETS]).values())).max() < 1e-5


@pytest.mark.parametrize("size", [(96, 112), (112, 150), (175, 99)])
def test_cells_are_the_models(size: tuple[int, int]) -> None:
    """There is a cell centre for every feature of the model, whatever the size of the picture."""
    ids = torch.tensor([caption_tokens(["circle"])[0]])
    output = output_of(build_model(0), torch.zeros(1, 3, *size), ids, torch.ones_like(ids))
    assert output.features.shape[1] == len(output.cells)


def test_every_weight_learns() -> None:
    """The loss reaches all parameters, the proposals' and the backbone's included, from the first step."""
    model = TrainedDetector(build_model(0))
    losses = detector.loss_of_step(model, steps=10, seed=0)(0)
    torch.autograd.backward(torch.stack(list(losses.values())).sum())
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


def test_first_logits_are_quiet() -> None:
    """Training starts from low scores for everything."""
    batch = detector.draw_batch(0, 0.0, batch_size=2)
    output = output_of(build_model(0), batch.pixels, batch.input_ids, batch.attention_mask)
    for layer in output.layers:
        logits = layer.logits[layer.logits.isfinite()]
        assert -6 < logits.mean() < -2


def test_a_micro_detector_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector's own training ends in the same weights when it is killed on the way."""
    configuration = build_configuration()
    configuration.encoder_layers = 1
    monkeypatch.setattr(detector, "build_model", lambda seed: build_model(seed, configuration))
    monkeypatch.setattr(detector, "STAGES", ((1.0, 64),))
    monkeypatch.setattr(detector, "quick_figures", lambda _: {})
    schedule = Schedule((Cycle(3, 1e-3),), warmup=1, save_seconds=0, evaluate_every=3)
    undisturbed = detector.train(tmp_path / "undisturbed", schedule, seed=0)
    original = detection_losses
    calls = iter(range(100))

    def kill_at_the_second(layers: list[Prediction], targets: list[Targets]) -> dict[str, Tensor]:
        if next(calls) == 1:
            raise KilledError
        return original(layers, targets)

    monkeypatch.setattr(detector, "detection_losses", kill_at_the_second)
    with pytest.raises(KilledError):
        detector.train(tmp_path / "killed", schedule, seed=0)
    resumed = detector.train(tmp_path / "killed", schedule, seed=0).state_dict()
    assert all(torch.equal(resumed[name], value) for name, value in undisturbed.state_dict().items())
    GroundingDinoForObjectDetection.from_pretrained(tmp_path / "killed" / "checkpoint")


def test_rowwise_attention_is_the_stock_one() -> None:
    """The faster attention of the training samples and sums as transformers' own does."""
    random = torch.Generator().manual_seed(0)
    shapes = [(6, 9), (3, 5), (2, 3)]
    value = torch.randn(2, sum(height * width for height, width in shapes), 4, 8, generator=random)
    locations = torch.rand(2, 7, 4, 3, 2, 2, generator=random) * 1.4 - 0.2
    weights = torch.rand(2, 7, 4, 3, 2, generator=random)
    arguments = (value, torch.tensor(shapes), shapes, torch.zeros(3), locations, weights, 64)
    torch.testing.assert_close(RowwiseDeformableAttention()(*arguments), MultiScaleDeformableAttention()(*arguments))


# --- evaluation ------------------------------------------------------------------------------------------------------


def test_average_precision_is_cocos() -> None:
    """Precision on one class equals pycocotools' at every IoU threshold."""
    random = np.random.default_rng(0)
    truth = [random.uniform(0, 60, (4, 4))[:, [0, 1, 0, 1]] + (0, 0, 30, 40) for _ in range(12)]
    guesses = [np.vstack([boxes + random.normal(0, 4, boxes.shape), boxes[:1] + 40]) for boxes in truth]
    scores = [random.uniform(0.1, 1, len(boxes)) for boxes in guesses]
    tally = Tally()
    for boxes, score, true in zip(guesses, scores, truth, strict=True):
        tally.add(boxes, score, true)
    figures = tally.figures()
    precision = _coco_precision(truth, guesses, scores)
    assert figures["ap50"] == pytest.approx(precision[0], abs=1e-6)
    assert figures["ap50_95"] == pytest.approx(precision.mean(), abs=1e-6)


def _coco_precision(truth: list[np.ndarray], guesses: list[np.ndarray], scores: list[np.ndarray]) -> np.ndarray:
    """Average precision at each IoU threshold, (10,)."""
    coco = COCO()
    boxes = [(image, box) for image, rows in enumerate(truth, start=1) for box in rows]
    coco.dataset = {
        "info": {},
        "images": [{"id": image} for image in range(1, len(truth) + 1)],
        "categories": [{"id": 1}],
        "annotations": [
            {"id": number, "image_id": image, "category_id": 1, "iscrowd": 0, "bbox": _xywh(box), "area": 100.0}
            for number, (image, box) in enumerate(boxes, start=1)
        ],
    }
    coco.createIndex()
    found = [
        {"image_id": image, "category_id": 1, "bbox": _xywh(box), "score": float(score)}
        for image, (rows, row_scores) in enumerate(zip(guesses, scores, strict=True), start=1)
        for box, score in zip(rows, row_scores, strict=True)
    ]
    judge = COCOeval(coco, coco.loadRes(found), "bbox")
    judge.params.iouThrs = IOU_THRESHOLDS
    judge.evaluate()
    judge.accumulate()
    return np.asarray(judge.eval["precision"][:, :, 0, 0, -1].mean(axis=1))


def _xywh(box: np.ndarray) -> list[float]:
    return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]


def test_boxes_of_absent_prompts_are_counted() -> None:
    """Each box above the threshold that answers an absent prompt is a false box."""
    tally = Tally()
    tally.add(np.zeros((3, 4)), np.array([0.9, 0.4, 0.3]), np.zeros((0, 4)))
    assert tally.figures()["false_boxes"] == 2


# --- the shipped checkpoint ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> tuple[GroundingDinoForObjectDetection, GroundingDinoProcessor]:
    """The embedded checkpoint, as a user would load it."""
    if not (CHECKPOINT / "model.safetensors").exists():
        pytest.skip("the embedded detector has not been trained yet")
    model = GroundingDinoForObjectDetection.from_pretrained(CHECKPOINT, dtype=torch.float32)
    return model.eval(), GroundingDinoProcessor.from_pretrained(CHECKPOINT)


def test_shipped_checkpoint_is_small(shipped: object) -> None:
    """The embedded detector stays within its size."""
    assert sum(path.stat().st_size for path in CHECKPOINT.iterdir()) < 10_000_000


def test_shipped_checkpoint_finds_objects(
    shipped: tuple[GroundingDinoForObjectDetection, GroundingDinoProcessor],
) -> None:
    """On a dozen unseen stills most objects are found by their class and few absent classes are."""
    model, processor = shipped
    tally = Tally()
    for number in range(12):
        scene = draw_still([77, number])
        names = sorted({item.class_name for item in scene.objects} | {"red square", "blue star", "black ring"})
        boxes, scores = find(model, processor, scene.image, names)
        for name, column in zip(names, scores.T, strict=True):
            truth = [item.xyxy for item in scene.objects if item.class_name == name]
            tally.add(boxes, column, np.array(truth).reshape(-1, 4))
    figures = tally.figures()
    assert figures["ap50"] > 0.85
    assert figures["false_boxes"] < 0.15


def test_shipped_checkpoint_finds_nothing_for_unknown_words(
    shipped: tuple[GroundingDinoForObjectDetection, GroundingDinoProcessor],
) -> None:
    """Words that the model does not know find nothing."""
    model, processor = shipped
    scores = [
        find(model, processor, draw_still([78, number]).image, ["zebra", "dog on a sofa"])[1] for number in range(6)
    ]
    assert np.mean(np.stack(scores) >= 0.35) < 0.01
