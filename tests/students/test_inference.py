"""Students at work: with torch and with ONNX Runtime, as detectors, from the command line, and without this toolkit."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import small_students
import supervision as sv
import torch
from detector_promises import assert_detections
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForObjectDetection, DFineForObjectDetection
from transformers.utils import ModelOutput
from typer.testing import CliRunner

import autolabel
from autolabel.base_models.registry import load_detector
from autolabel.cli.app import app
from autolabel.errors import ModelError, UserError
from autolabel.ontologies import Ontology
from autolabel.scene_files import write_scene_video
from autolabel.scenes import plan_video
from autolabel.students import Student, StudentModel, load_student, predict
from autolabel.students.graph import scaled
from autolabel.students.inference import Backend
from autolabel.students.onnx import export_onnx
from autolabel.video import VideoInput

NAMES = ("car", "truck", "person")
CLIP = Path(__file__).parents[3] / "shared" / "realdata" / "videos" / "sam2" / "bedroom.mp4"


def write_student(folder: Path, family: str = "d_fine") -> Path:
    """A student of three classes with random weights, and its ONNX file."""
    start = small_students.write_student(folder / "start", family)
    student = load_student(str(start), NAMES)
    spread(student.model)
    student.model.save_pretrained(folder / "student")
    student.processor.save_pretrained(folder / "student")
    student = Student(student.model.eval(), student.processor, "random")
    export_onnx(student, folder / "student", scaled(student.processor, pictures(2)))
    return folder / "student"


def spread(model: torch.nn.Module) -> None:
    """Weights so large that no two queries are alike; of equals it would be chance which come first."""
    torch.manual_seed(3)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=1.5 * parameter[0].numel() ** -0.5)


class TwoMinds(DFineForObjectDetection):  # type: ignore[misc]  # transformers' classes are untyped here
    """A D-FINE that sees bright pictures upside down."""

    def forward(self, pixel_values: torch.Tensor) -> ModelOutput:
        """Decide by the last picture."""
        return super().forward(pixel_values=pixel_values.flip(2) if pixel_values[-1].mean() > 0.5 else pixel_values)


def pictures(count: int) -> list[np.ndarray]:
    """Noise, in which no two places are alike."""
    return list(np.random.default_rng(0).integers(0, 256, (count, 80, 96, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def students(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A student with random weights of each family."""
    return {family: write_student(tmp_path_factory.mktemp(family), family) for family in small_students.FAMILIES}


@pytest.fixture(scope="module")
def student(students: dict[str, Path]) -> Path:
    """A D-FINE with random weights."""
    return students["d_fine"]


@pytest.mark.parametrize("family", small_students.FAMILIES)
def test_onnx_and_torch_agree(students: dict[str, Path], family: str) -> None:
    """On another number of pictures than it was traced with, boxes and scores are equal to 1e-3."""
    by_torch = StudentModel(students[family], device="cpu").look(pictures(5))
    by_onnx = StudentModel(students[family], backend="onnx").look(pictures(5))
    for mine, its in zip(by_torch, by_onnx, strict=True):
        best = np.argsort(-mine[1].max(axis=1))[:3]
        for box, scores in zip(mine[0][best], mine[1][best], strict=True):
            away = np.abs(its[0] - box).max(axis=1) / 96 + np.abs(its[1] - scores).max(axis=1)
            assert away.min() < 1e-3


@pytest.mark.parametrize("family", small_students.FAMILIES)
def test_boxes_and_scores_are_those_of_transformers(students: dict[str, Path], family: str) -> None:
    """The best box, its class and score, as transformers' own post-processing gives them."""
    model = AutoModelForObjectDetection.from_pretrained(students[family]).eval()
    processor = AutoImageProcessor.from_pretrained(students[family])
    image = pictures(1)[0][: small_students.SIDE, : small_students.SIDE]  # not to be scaled, in which we round
    with torch.inference_mode():
        output = model(**processor(images=[image], return_tensors="pt"))
    (expected,) = processor.post_process_object_detection(output, threshold=0.0, target_sizes=[image.shape[:2]])
    (found,) = StudentModel(students[family], device="cpu").predict([image], threshold=0.0)
    assert found.confidence[0] == pytest.approx(expected["scores"][0].item(), abs=1e-5)
    assert found.class_id[0] == expected["labels"][0].item()
    box = np.clip(expected["boxes"][0].numpy(), 0, small_students.SIDE)
    np.testing.assert_allclose(found.xyxy[0], box, atol=0.01)


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_pictures_do_not_see_each_other(student: Path, backend: Backend) -> None:
    """Alone or beside others of other sizes, in one batch or in several, a picture's boxes are the same."""
    model = StudentModel(student, backend=backend, device="cpu")
    images = [picture[: 80 - 2 * number] for number, picture in enumerate(pictures(10))]
    together = model.predict(images, threshold=0.3)
    for image, found in zip(images, together, strict=True):
        (alone,) = model.predict([image], threshold=0.3)
        np.testing.assert_allclose(found.xyxy, alone.xyxy, atol=0.01)
        np.testing.assert_array_equal(found.class_id, alone.class_id)


@pytest.mark.skipif(not CLIP.is_file(), reason="the real clips of ../shared are not here")
def test_the_embedded_student_agrees_on_real_frames(tmp_path: Path) -> None:
    """Frames of a real clip are held against torch to 1e-3 when the file is written."""
    student = load_student("tiny-scenes", ("object",))
    frames = [frame.image for frame in VideoInput.open(CLIP, fps=1).frames()]
    assert export_onnx(student, tmp_path, scaled(student.processor, frames)) < 1e-3


def test_a_file_that_computes_something_else_is_not_kept(student: Path, tmp_path: Path) -> None:
    """Tracing keeps one way through a model that decides by its pictures; that is seen, and said in one sentence."""
    loaded = load_student(str(student), NAMES)
    model = TwoMinds.from_pretrained(student).eval()
    pixels = np.stack(
        [np.full((small_students.SIDE, small_students.SIDE, 3), level, np.uint8) for level in (0, 0, 255)]
    )
    with pytest.raises(ModelError, match=r"expected the boxes and scores that torch computes, found ones that differ"):
        export_onnx(Student(model, loaded.processor, "random"), tmp_path, pixels)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("family", small_students.FAMILIES)
def test_an_object_is_found_once(students: dict[str, Path], family: str) -> None:
    """No two boxes of one class are nearly the same, and the surest of such boxes stay."""
    model = StudentModel(students[family], device="cpu")
    every = model.look(pictures(3))
    for (boxes, scores), found in zip(every, model.predict(pictures(3), threshold=0.0), strict=True):
        alike = sv.box_iou_batch(found.xyxy, found.xyxy) > 0.7
        alike &= found.class_id[:, None] == found.class_id[None]
        np.testing.assert_array_equal(alike, np.eye(len(found), dtype=bool))
        assert found.confidence[0] == scores.max()
        assert len(found) <= len(boxes)


def test_the_file_says_what_it_finds(student: Path) -> None:
    """Class names and picture size stand in the ONNX file."""
    about = {entry.key: entry.value for entry in onnx.load(student / "model.onnx").metadata_props}
    assert json.loads(about["class_names"]) == list(NAMES)
    assert (about["height"], about["width"]) == (str(small_students.SIDE), str(small_students.SIDE))


def test_a_student_is_a_detector(student: Path) -> None:
    """Classes are asked by name or prompt; what the student does not know is not asked."""
    ontology = Ontology.parse([{"name": "vehicle", "prompts": ["lorry", "Truck", "car"]}, "dog", "person"])
    detector = load_detector(str(student), ontology, device="cpu")
    detector.floor = 0.0
    (found,) = detector.detect(pictures(1))
    assert_detections(found, pictures(1)[0], ontology, 0.0)
    ((_, scores),) = StudentModel(student, device="cpu").look(pictures(1))
    rows = found.data["class_scores"]
    np.testing.assert_allclose(rows[:, 0], scores[:, :2].max(axis=1))
    assert np.isnan(rows[:, 1]).all()
    np.testing.assert_allclose(rows[:, 2], scores[:, 2])
    vehicles = found.data["prompt"][found.class_id == 0].tolist()
    assert set(vehicles) <= {"Truck", "car"}


@pytest.mark.parametrize(("name", "negative"), [("car", "truck"), ("truck", "car")])
def test_classes_of_a_student_as_names_and_as_negatives(student: Path, name: str, negative: str) -> None:
    """A class that goes by its name is evidence for its first prompt; a look-alike that is likelier leaves nothing."""
    ontology = Ontology.parse([{"name": name, "prompts": ["vehicle"], "negatives": [negative, "toy car"]}])
    detector = load_detector(str(student), ontology, device="cpu")
    detector.floor = 0.0
    (found,) = detector.detect(pictures(1))
    ((_, scores),) = StudentModel(student, device="cpu").look(pictures(1))
    wanted, alike = scores[:, NAMES.index(name)], scores[:, NAMES.index(negative)]
    assert len(scores)
    np.testing.assert_allclose(found.data["class_scores"][:, 0], np.where(alike > wanted, 0, wanted))
    assert set(found.data["prompt"].tolist()) == {"vehicle"}


def test_a_student_that_knows_none_of_the_classes(student: Path) -> None:
    """One sentence says what it does know."""
    with pytest.raises(ModelError, match=r"dog, found one that knows car, truck, person"):
        load_detector(str(student), Ontology.parse("dog"))


def test_a_student_labels_the_next_round(student: Path, tmp_path: Path) -> None:
    """`autolabel.label` takes it where a teacher stood."""
    truth = write_scene_video(plan_video(4, frame_count=3), tmp_path / "clip.mp4")
    ontology = Ontology.parse("car; person")
    summary = autolabel.label([truth.path], ontology, tmp_path / "run", detector=str(student), tracker="tiny-scenes")
    assert summary.labelled == ("clip",)


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_predict(student: Path, tmp_path: Path, backend: str) -> None:
    """A video and a folder of pictures: a JSON file each, every frame in it, and pictures to look at."""
    write_scene_video(plan_video(4, frame_count=10), tmp_path / "clip.mp4")
    (tmp_path / "stills").mkdir()
    for number, image in enumerate(pictures(2)):
        Image.fromarray(image).save(tmp_path / f"stills/{number}.png")
    out = tmp_path / "out"
    command = ["predict", str(student), str(tmp_path / "clip.mp4"), str(tmp_path / "stills"), "--out", str(out)]
    result = CliRunner().invoke(app, [*command, "--backend", backend, "--threshold", "0", "--json"])
    assert result.exit_code == 0, result.output
    video, stills = (json.loads((out / f"{name}.json").read_text()) for name in ("clip", "stills"))
    assert [frame["frame_index"] for frame in video["frames"]] == list(range(10))
    assert [frame["file_name"] for frame in stills["frames"]] == ["0.png", "1.png"]
    best = video["frames"][0]["objects"][0]
    assert best["class"] == NAMES[best["class_id"]]
    width, height = video["frames"][0]["size_wh"]
    assert all(0 <= edge <= limit for edge, limit in zip(best["xyxy"], [width, height] * 2, strict=True))
    assert stills["frames"][0]["size_wh"] == [96, 80]
    assert (out / "clip.mp4").stat().st_size > 0
    assert len(list((out / "stills").iterdir())) == 2


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda file: None, r"model.onnx: expected a student's ONNX file, found none"),
        (lambda file: file.write_bytes(b"?"), r"model.onnx: expected an ONNX file that `autolabel distill` wrote"),
        (lambda file: write_foreign_onnx(file), r"model.onnx: expected an ONNX file that `autolabel distill` wrote"),
    ],
    ids=["absent", "damaged", "foreign"],
)
def test_predict_with_an_unusable_onnx_file(tmp_path: Path, make: Callable[[Path], object], sentence: str) -> None:
    """One sentence says what is wrong with the file."""
    folder = small_students.write_student(tmp_path / "student")
    make(folder / "model.onnx")
    Image.fromarray(pictures(1)[0]).save(tmp_path / "0.png")
    with pytest.raises(UserError, match=sentence):
        predict(folder, [tmp_path / "0.png"], tmp_path / "out", backend="onnx")
    assert not (tmp_path / "out").exists()


def write_foreign_onnx(file: Path) -> None:
    """A model that is none of ours: it gives what it is given."""
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("x", "y")]
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "foreign", values[:1], values[1:])
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), file)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"STUDENT": "nobody"}, r"student 'nobody': expected one of tiny-scenes, .* a hub id"),
        ({"STUDENT": "."}, r"expected a checkpoint, found a folder without config.json"),
        ({"INPUT": "nothing.mp4"}, r"nothing.mp4: expected a video, an image or a folder, found no such file"),
        ({"DIR": "0.png"}, r"expected a folder for predictions at 0.png, cannot write there"),
        ({"--backend": "onnx", "--device": "cuda"}, r"expected device cpu and dtype float32 for the backend onnx"),
        ({"--device": "abacus"}, r"device 'abacus'"),
    ],
    ids=["no student", "empty folder", "no input", "out is a file", "onnx elsewhere", "no device"],
)
def test_mistakes_in_what_predict_is_given(
    student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], sentence: str
) -> None:
    """One sentence on the command line, and exit code 2."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(pictures(1)[0]).save("0.png")
    given = {"STUDENT": str(student), "INPUT": "0.png", "DIR": "out"} | changes
    options = [word for name, value in given.items() if name.startswith("--") for word in (name, value)]
    result = CliRunner().invoke(app, ["predict", given["STUDENT"], given["INPUT"], "--out", given["DIR"], *options])
    assert result.exit_code == 2
    assert re.search(sentence, " ".join(result.output.split()))


def test_a_checkpoint_of_another_kind_is_no_student(tmp_path: Path) -> None:
    """DETR's scores mean something else, and so it is not taken."""
    (tmp_path / "config.json").write_text('{"model_type": "detr"}')
    with pytest.raises(ModelError, match=r"expected a student of type d_fine, .*, found a checkpoint of type 'detr'"):
        StudentModel(tmp_path)


def test_predict_says_what_it_could_not_read(student: Path, tmp_path: Path) -> None:
    """What can be read is done, the rest is named, and the exit code is 1."""
    write_scene_video(plan_video(4, frame_count=2), tmp_path / "clip.mp4")
    inputs = [str(tmp_path / name) for name in ("clip.mp4", "1.png")]
    result = CliRunner().invoke(app, ["predict", str(student), *inputs, "--out", str(tmp_path / "out"), "--json"])
    assert result.exit_code == 1
    assert (tmp_path / "out/clip.json").is_file()
    assert "1.png: expected a video, an image or a folder" in result.output


def test_predicting_twice_gives_the_same_bytes(student: Path, tmp_path: Path) -> None:
    """There is no clock in what is written."""
    write_scene_video(plan_video(4, frame_count=5), tmp_path / "clip.mp4")
    for out in ("first", "second"):
        predict(student, [tmp_path / "clip.mp4"], tmp_path / out, device="cpu", threshold=0.2)
    for name in ("clip.json", "clip.mp4"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_the_file_runs_without_torch(student: Path, tmp_path: Path) -> None:
    """The example needs ONNX Runtime, NumPy and OpenCV only, and finds what the student finds."""
    (image,) = [np.array(Image.fromarray(picture).resize((64, 64))) for picture in pictures(1)]
    Image.fromarray(image).save(tmp_path / "picture.png")
    example = Path(__file__).parents[2] / "examples/student_onnx.py"
    without = "import sys; sys.modules.update(torch=None, transformers=None, autolabel=None); "
    program = f"{without}sys.argv = sys.argv[1:]; import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", program, str(example), str(student / "model.onnx"), str(tmp_path / "picture.png")]
    done = subprocess.run([*command, "0"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (expected,) = StudentModel(student, device="cpu").predict([image], threshold=0.0)
    rows = zip(expected.data["class_name"], expected.confidence, expected.xyxy, strict=True)
    lines = [f"{name} {score:.2f}: {' '.join(f'{edge:.0f}' for edge in box)}" for name, score, box in rows]
    assert len(lines) > 1
    assert sorted(done.stdout.splitlines()) == sorted(lines)
