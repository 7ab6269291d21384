"""Students at work: with torch and with ONNX Runtime, as detectors, from the command line, and without this toolkit."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import small_students
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForObjectDetection
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
from autolabel.students.onnx import export_onnx

NAMES = ("car", "truck", "person")


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


def pictures(count: int) -> list[np.ndarray]:
    """Noise, in which no two places are alike."""
    return list(np.random.default_rng(0).integers(0, 256, (count, 80, 96, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A D-FINE with random weights."""
    return write_student(tmp_path_factory.mktemp("student"))


@pytest.mark.parametrize("family", small_students.FAMILIES)
def test_onnx_and_torch_agree(tmp_path: Path, family: str) -> None:
    """On another number of pictures than it was traced with, boxes and scores are equal to 1e-3."""
    folder = write_student(tmp_path, family)
    by_torch = StudentModel(folder, device="cpu").look(pictures(5))
    by_onnx = StudentModel(folder, backend="onnx").look(pictures(5))
    for mine, its in zip(by_torch, by_onnx, strict=True):
        best = np.argsort(-mine[1].max(axis=1))[:3]
        for box, scores in zip(mine[0][best], mine[1][best], strict=True):
            away = np.abs(its[0] - box).max(axis=1) / 96 + np.abs(its[1] - scores).max(axis=1)
            assert away.min() < 1e-3


@pytest.mark.parametrize("family", small_students.FAMILIES)
def test_boxes_and_scores_are_those_of_transformers(tmp_path: Path, family: str) -> None:
    """The best box, its class and score, as transformers' own post-processing gives them."""
    folder = write_student(tmp_path, family)
    model = AutoModelForObjectDetection.from_pretrained(folder).eval()
    processor = AutoImageProcessor.from_pretrained(folder)
    image = pictures(1)[0][: small_students.SIDE, : small_students.SIDE]  # not to be scaled, in which we round
    with torch.inference_mode():
        output = model(**processor(images=[image], return_tensors="pt"))
    (expected,) = processor.post_process_object_detection(output, threshold=0.0, target_sizes=[image.shape[:2]])
    (found,) = StudentModel(folder, device="cpu").predict([image], threshold=0.0)
    assert found.confidence[0] == pytest.approx(expected["scores"][0].item(), abs=1e-5)
    assert found.class_id[0] == expected["labels"][0].item()
    box = np.clip(expected["boxes"][0].numpy(), 0, small_students.SIDE)
    np.testing.assert_allclose(found.xyxy[0], box, atol=0.01)


def test_the_file_says_what_it_finds(student: Path) -> None:
    """Class names and picture size stand in the ONNX file."""
    about = {entry.key: entry.value for entry in onnx.load(student / "model.onnx").metadata_props}
    assert json.loads(about["class_names"]) == list(NAMES)
    assert (about["height"], about["width"]) == (str(small_students.SIDE), str(small_students.SIDE))


def test_a_student_is_a_detector(student: Path) -> None:
    """Classes are asked by name or prompt; what the student does not know is not asked."""
    ontology = Ontology.parse("vehicle=lorry,truck,car; dog; person")
    detector = load_detector(str(student), ontology, device="cpu")
    detector.floor = 0.0
    (found,) = detector.detect(pictures(1))
    ((_, scores),) = StudentModel(student, device="cpu").look(pictures(1))
    rows = found.data["class_scores"]
    np.testing.assert_allclose(rows[:, 0], scores[:, :2].max(axis=1))
    assert np.isnan(rows[:, 1]).all()
    np.testing.assert_allclose(rows[:, 2], scores[:, 2])
    vehicles = found.data["prompt"][found.class_id == 0].tolist()
    assert set(vehicles) <= {"truck", "car"}


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
    assert all(0 <= edge <= 256 for edge in best["xyxy"])
    assert (out / "clip.mp4").stat().st_size > 0
    assert len(list((out / "stills").iterdir())) == 2


def test_predict_without_an_onnx_file(tmp_path: Path) -> None:
    """One sentence says that the file is missing."""
    folder = small_students.write_student(tmp_path / "student")
    Image.fromarray(pictures(1)[0]).save(tmp_path / "0.png")
    with pytest.raises(UserError, match=r"model.onnx: expected a student's ONNX file, found none"):
        predict(folder, [tmp_path / "0.png"], tmp_path / "out", backend="onnx")


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
    best = expected.data["class_name"][0], f"{expected.confidence[0]:.2f}"
    assert any(line.startswith(" ".join(best)) for line in done.stdout.splitlines())
