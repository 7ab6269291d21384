"""Pictures that mean a class, from the command line to the run."""

from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image
from plugin_detector import FindsNothingLikeIt
from small_detectors import save_owl
from transformers import CLIPTokenizer
from typer.testing import CliRunner

from autolabel.base_models.exemplars import Exemplar
from autolabel.base_models.registry import load_detector
from autolabel.cli import app
from autolabel.ontologies import Ontology
from autolabel.scenes import draw_still
from autolabel.store import load_run, read_configuration


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, clip_tokenizer: CLIPTokenizer) -> Path:
    """A folder with a detector that takes exemplars, a still, and two pictures of objects."""
    folder = tmp_path_factory.mktemp("exemplars")
    save_owl(folder / "owl", clip_tokenizer)
    (folder / "stills").mkdir()
    still = draw_still(0, size_wh=(64, 64)).image
    Image.fromarray(still).save(folder / "stills" / "still.png")
    Image.fromarray(still[:20, :30]).save(folder / "first.png")
    Image.fromarray(still[30:, 30:]).save(folder / "second.png")
    return folder


def label(folder: Path, out: Path, *exemplars: str, detector: str | None = None) -> Result:
    """Label the still."""
    shown = [argument for exemplar in exemplars for argument in ("--exemplar", exemplar)]
    arguments = ["--classes", "red circle; star", "--detector", detector or folder / "owl", "--tracker", "tiny-scenes"]
    precise = ["--device", "cpu", "--dtype", "float32"]
    call = ["label", folder / "stills", *arguments, *precise, *shown, "--out", out]
    return CliRunner().invoke(app, [str(argument) for argument in call])


def test_a_run_knows_its_exemplars(folder: Path, tmp_path: Path) -> None:
    """They stand in its configuration by content and in the evidence by name, and another one is another run."""
    first, second = (f"star={folder / name}" for name in ("first.png", "second.png"))
    result = label(folder, tmp_path / "run", first)
    assert result.exit_code == 0, result.output
    assert read_configuration(tmp_path / "run")["detector"]["exemplars"].startswith("star=")
    (labels,) = load_run(tmp_path / "run")
    prompts = {item.prompt for masklet in labels.masklets for item in masklet.evidence}
    assert any(prompt.startswith("first.png (") for prompt in prompts)
    assert label(folder, tmp_path / "run", first).exit_code == 0
    for other in ([second], [first, second], []):
        again = label(folder, tmp_path / "run", *other)
        assert again.exit_code == 2
        assert "another configuration" in again.stderr


def test_a_plugin_is_shown_exemplars() -> None:
    """A third party's detector that says that it takes exemplars gets them, and none where there are none."""
    exemplar = Exemplar("star", Path("star.png"))
    for shown in ([exemplar], []):
        detector = load_detector("plugin_detector:FindsNothingLikeIt", Ontology.parse("star"), exemplars=shown)
        assert isinstance(detector, FindsNothingLikeIt)
        assert list(detector.exemplars) == shown


@pytest.mark.parametrize(
    ("exemplar", "detector", "sentence"),
    [
        (
            "star=first.png",
            "tiny-scenes",
            "expected a detector that takes exemplars (tiny-scenes-owl, owlv2, owlv2-large, owlvit)",
        ),
        ("star=first.png", "plugin_detector:FindsNothing", "found one that takes text only"),
        ("moon=first.png", None, "one of the classes red circle, star, found 'moon'"),
        ("first.png", None, "as class=picture"),
        ("star=absent.png", None, "absent.png: expected an image"),
    ],
)
def test_mistakes(folder: Path, tmp_path: Path, exemplar: str, detector: str | None, sentence: str) -> None:
    """What is wrong with an exemplar is said in one sentence, and no run is left behind."""
    class_name, _, name = exemplar.rpartition("=")
    shown = f"{class_name}={folder / name}" if class_name else exemplar
    result = label(folder, tmp_path / "run", shown, detector=detector)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "run" / "run.yaml").exists()
