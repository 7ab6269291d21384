"""From a dataset to a student's folder: complete, resumable, and clear about mistakes."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from full_disk import room_for
from small_students import CLASS_NAMES, FAMILIES, edit_coco, write_coco, write_student
from transformers import AutoImageProcessor, AutoModelForObjectDetection
from typer.testing import CliRunner

from autolabel.cli import app
from autolabel.errors import UserError
from autolabel.images import read_image
from autolabel.students import DistillOptions, Student, distill, find, load_student
from autolabel.students.training import newest_checkpoint

SHORT = DistillOptions(epochs=2.0, batch_size=3, evaluations=4)  # four steps, a checkpoint after each
AS_SHORT = ("--epochs", "2", "--batch-size", "3", "--evaluations", "4")
IMPATIENT = DistillOptions(epochs=4, batch_size=3, evaluations=8, patience=1)  # eight steps, if no figure is the same

MODULE = "autolabel.students.distilling"
SAVES = "transformers.modeling_utils.safe_save_file"


class Killed(BaseException):
    """What a kill looks like from within."""


def killed_at(last: int) -> Callable[[int, int, dict[str, float]], None]:
    """Something to call after every step, which ends the training after one of them."""

    def stop(step: int, _steps: int, _figures: dict[str, float]) -> None:
        if step == last:
            raise Killed

    return stop


def killed_in(function: str, command: Callable[[], object]) -> None:
    """Give a command that ends where it calls a function."""

    def stop(*arguments: object, **_: object) -> None:
        if function == SAVES:  # as safetensors does, which writes to a name by chance
            Path(str(arguments[1])).with_name(".tmpOzOYNa").write_bytes(b"half")
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(function, stop)
        with pytest.raises(Killed):
            command()


def distil(*arguments: str | Path) -> Result:
    """Call the command in this process."""
    return CliRunner().invoke(app, ["distill", *map(str, arguments)])


def assert_same(found: Path, expected: Path) -> None:
    """Two students, and what is written of how they came to be, are equal to the byte, and nothing else is there."""
    names = [{str(each.relative_to(folder)) for each in folder.rglob("*")} for folder in (found, expected)]
    assert names[0] == names[1]
    for name in ("model.safetensors", "last/model.safetensors", "curves.csv", "student.json", "README.md"):
        assert (found / name).read_bytes() == (expected / name).read_bytes(), name


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small COCO dataset."""
    return write_coco(tmp_path_factory.mktemp("dataset"))


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the checkpoint of a student that knows nothing."""
    return str(write_student(tmp_path_factory.mktemp("start")))


@pytest.fixture(scope="module")
def undisturbed(dataset: Path, start: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a student whose training nobody disturbed."""
    return distill(dataset, start, tmp_path_factory.mktemp("student"), SHORT).path


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_learns_and_is_read_by_transformers(family: str, dataset: Path, tmp_path: Path) -> None:
    """What comes out is an ordinary checkpoint with the classes of the dataset."""
    folder = write_student(tmp_path / "start", family)
    options = DistillOptions(epochs=1, batch_size=3, evaluations=1)
    distilled = distill(dataset, str(folder), tmp_path / "student", options)
    model = AutoModelForObjectDetection.from_pretrained(distilled.path)
    assert tuple(model.config.id2label.values()) == CLASS_NAMES
    processor = AutoImageProcessor.from_pretrained(distilled.path)
    image = read_image(dataset / "val" / "images" / "1.png")
    found = find(Student(model, processor, "test"), [image, image[:, :30]])
    assert all(np.isfinite(each.xyxy).all() for each in found)
    before = model.state_dict()
    trained = [
        not tensor.equal(before[name])
        for name, tensor in load_student(str(folder), CLASS_NAMES).model.state_dict().items()
    ]
    assert np.mean(trained) > 0.5


def test_the_folder_says_what_it_is(undisturbed: Path) -> None:
    """Card, curves, pictures, the last weights and a record for programs; no checkpoints of the training.

    Whether there is a model.onnx is another test's: this student knows so little that its proposals are all alike, and
    which of them are the best is a matter of rounding.
    """
    assert {each.name for each in undisturbed.iterdir()} - {"model.onnx"} == {
        "README.md",
        "config.json",
        "curves.csv",
        "curves.png",
        "last",
        "model.safetensors",
        "preprocessor_config.json",
        "student.json",
        "validation.png",
    }
    card = (undisturbed / "README.md").read_text()
    assert "6 for train, 2 for val" in card
    assert "| val | red block |" in card
    assert (undisturbed / "curves.csv").read_text().splitlines()[0] == "step,loss,learning_rate,ap,ap50"
    record = json.loads((undisturbed / "student.json").read_text())
    assert record["result"]["steps"] == 4
    assert record["configuration"]["pictures"] == {"train": 6, "val": 2}


@pytest.mark.parametrize("last_step", [1, 3])
def test_a_killed_training_ends_as_an_undisturbed_one(
    last_step: int, dataset: Path, start: str, undisturbed: Path, tmp_path: Path
) -> None:
    """The same command goes on, and every file comes out as if nothing had happened."""
    with pytest.raises(Killed):
        distill(dataset, start, tmp_path / "student", SHORT, on_step=killed_at(last_step))
    steps: list[int] = []
    distill(dataset, start, tmp_path / "student", SHORT, on_step=lambda step, *_: steps.append(step))
    assert steps == list(range(last_step, 5))
    assert_same(tmp_path / "student", undisturbed)


def test_training_stops_early_and_stays_stopped(dataset: Path, start: str, tmp_path: Path) -> None:
    """A student that learns nothing is given up in the second half, with the weights of when it was at its best.

    Killed while its result is written, and found at another place, it is not trained on.
    """
    undisturbed = distill(dataset, start, tmp_path / "undisturbed", IMPATIENT)
    assert undisturbed.steps == 5
    steps: list[int] = []

    def note(step: int, *_: object) -> None:
        steps.append(step)

    for number, function in enumerate((f"{MODULE}.draw_curves", SAVES, f"{MODULE}.export_onnx")):
        killed_in(function, partial(distill, dataset, start, tmp_path / str(number), IMPATIENT, on_step=note))
        (tmp_path / str(number)).rename(tmp_path / str(number + 1))
    distilled = distill(dataset, start, tmp_path / "3", IMPATIENT, on_step=note)
    assert (distilled.steps, steps) == (5, [1, 2, 3, 4, 5])
    assert_same(tmp_path / "3", tmp_path / "undisturbed")


def test_a_kill_before_the_first_and_after_the_last_file(
    dataset: Path, start: str, undisturbed: Path, tmp_path: Path
) -> None:
    """Half a record is none, and the checkpoints of a finished training do not stay."""
    (tmp_path / ".student.partial.json").write_text("{")
    with pytest.raises(Killed):
        distill(dataset, start, tmp_path, SHORT, on_step=killed_at(1))
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    assert (tmp_path / "training").is_dir()
    distill(dataset, start, tmp_path, SHORT)
    assert not (tmp_path / "training").exists()


def test_half_a_checkpoint_is_none(tmp_path: Path) -> None:
    """A kill while a checkpoint is written leaves the one before to go on from."""
    for step, state in ((9, "{}"), (10, "{"), (11, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state)
    assert newest_checkpoint(tmp_path) == str(tmp_path / "checkpoint-9")


def test_a_finished_student_is_not_trained_again(dataset: Path, start: str, undisturbed: Path) -> None:
    """The same command gives the same answer, at once."""

    def refuse(*_: object) -> None:
        raise AssertionError("a step was made")

    again = distill(dataset, start, undisturbed, SHORT, on_step=refuse)
    assert (again.path, again.class_names, again.steps) == (undisturbed, CLASS_NAMES, 4)


def test_too_little_memory_makes_smaller_batches(dataset: Path, tmp_path: Path) -> None:
    """Training goes on with as many pictures a step, and says so."""
    notes: list[str] = []
    options = DistillOptions(epochs=2, batch_size=6, evaluations=1)
    distilled = distill(dataset, "small_students:often_too_big", tmp_path / "student", options, on_note=notes.append)
    assert distilled.steps == 2
    assert notes == [
        "not enough memory for 6 pictures at once; going on with 3 at once and steps of 6 pictures as before",
        "not enough memory for 3 pictures at once; going on with 1 at once and steps of 6 pictures as before",
    ]
    assert notes[1] in (distilled.path / "README.md").read_text()


def test_memory_that_never_suffices_is_said_so(dataset: Path, tmp_path: Path) -> None:
    """Where one picture at a time is too much, there is one sentence with what to do."""
    result = distil(dataset, "--student", "small_students:always_too_big", "--out", tmp_path / "student")
    assert result.exit_code == 2, result.output
    assert result.stderr.splitlines()[-1].startswith("autolabel: expected memory for one picture at a time, found too")


def test_one_class_is_learned(start: str, tmp_path: Path) -> None:
    """A detector of one thing is a usual wish, and takes the usual way."""
    write_coco(tmp_path)
    for split in ("train", "val"):
        content = json.loads((tmp_path / split / "annotations.json").read_text())
        kept = [each for each in content["annotations"] if each["category_id"] == 1]
        edit_coco(tmp_path, split, annotations=kept, categories=[{"id": 1, "name": "red block"}])
    result = distil(tmp_path, "--student", start, "--out", tmp_path / "student", *AS_SHORT, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["class_names"] == ["red block"]


def test_a_full_disk_costs_nothing(dataset: Path, start: str, undisturbed: Path, tmp_path: Path) -> None:
    """Whichever file there is no room for, there is one sentence; with room the command goes on to the same end."""
    arguments = (dataset, "--student", start, "--out", tmp_path / "student", *AS_SHORT)
    weights = (undisturbed / "model.safetensors").stat().st_size

    def fill(byte_count: int) -> None:
        with room_for(byte_count):
            result = distil(*arguments)
        assert result.exit_code == 2, result.output
        assert "make room and give the same command again" in result.stderr
        assert result.stderr.count("\n") == 1

    for byte_count in (0, 1000, weights // 2, weights + 10_000):  # the record, a configuration, weights, the optimizer
        fill(byte_count)
    killed_in(f"{MODULE}.write_rows", partial(distil, *arguments))
    for byte_count in (100, 1000, weights // 2):  # figures, their picture, weights
        fill(byte_count)
    assert distil(*arguments).exit_code == 0
    assert_same(tmp_path / "student", undisturbed)


def test_a_fresh_head_keeps_the_proposals(tmp_path: Path) -> None:
    """Where the decoder looks is decided by what the checkpoint took for objects, equally for every new class."""
    start = write_student(tmp_path / "start")
    known = AutoModelForObjectDetection.from_pretrained(start).model.enc_score_head
    fresh = load_student(str(start), [*CLASS_NAMES, "green block"]).model.model.enc_score_head
    assert fresh.weight.shape == (3, 32)
    assert all(row.equal(known.weight[0]) for row in fresh.weight)
    assert all(bias.equal(known.bias[0]) for bias in fresh.bias)


# --- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("d-fine-xxl", "expected one of tiny-scenes, d-fine-n"),
        ("./nowhere", "nowhere"),
        ("json:JSONDecoder", "JSONDecoder"),
    ],
)
def test_students_that_do_not_exist_are_refused(name: str, words: str, dataset: Path, tmp_path: Path) -> None:
    """The sentence says which there are."""
    result = distil(dataset, "--student", name, "--out", tmp_path / "student")
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_other_models_are_no_students(dataset: Path, tmp_path: Path) -> None:
    """A checkpoint of another kind is refused by its kind."""
    folder = Path(shutil.copytree(write_student(tmp_path / "model"), tmp_path / "other"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "sam2_video"}))
    with pytest.raises(UserError, match="found a checkpoint of type 'sam2_video'"):
        distill(dataset, str(folder), tmp_path / "student")


@pytest.mark.parametrize(
    ("option", "value"), [("epochs", 0), ("batch_size", -1), ("learning_rate", float("nan")), ("seed", -1)]
)
def test_impossible_options_are_refused(option: str, value: float) -> None:
    """A number that means nothing is refused by its name."""
    with pytest.raises(UserError, match=option):
        DistillOptions(**{option: value})  # type: ignore[arg-type]


def test_another_configuration_needs_another_folder(dataset: Path, start: str, undisturbed: Path) -> None:
    """A student is never half of one training and half of another."""
    result = distil(dataset, "--student", start, "--out", undisturbed, "--seed", "5")
    assert result.exit_code == 2
    assert "seed" in result.stderr


@pytest.mark.parametrize("place", ["taken", "file/student"])
def test_folders_that_cannot_be_used_are_refused(place: str, dataset: Path, start: str, tmp_path: Path) -> None:
    """Nobody's files are touched."""
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("words")
    (tmp_path / "file").write_text("no folder")
    result = distil(dataset, "--student", start, "--out", tmp_path / place)
    assert result.exit_code == 2, result.output
    assert "--out" in result.stderr
    assert (tmp_path / "taken" / "thesis.txt").read_text() == "words"


def test_the_command_answers_programs(dataset: Path, start: str, undisturbed: Path) -> None:
    """Figures as JSON, and nothing else."""
    result = distil(dataset, "--student", start, "--out", undisturbed, *AS_SHORT, "--json")
    assert result.exit_code == 0, result.output
    assert set(json.loads(result.stdout)["figures"]) == {"val"}
