"""What an ontology is and how it is checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import autolabel.ontologies
from autolabel.errors import OntologyError
from autolabel.ontologies import Ontology, OntologyClass, preset_names
from autolabel.ontologies.ontology import normalised
from autolabel.scenes import ALL_PAIRS, COLOURS, SHAPES

WORDS = st.text(st.characters(categories=("L", "N"), include_characters=" '-"), min_size=1).filter(
    lambda text: any(character.isalnum() for character in text)
)


@st.composite
def ontologies(draw: st.DrawFn) -> Ontology:
    """Draw a valid ontology."""
    texts = draw(st.lists(WORDS, min_size=1, max_size=20, unique_by=(normalised, str.casefold)))
    classes: list[OntologyClass] = []
    position = 0
    while position < len(texts):
        prompt_count = draw(st.integers(1, 3))
        prompts = texts[position : position + prompt_count]
        position += prompt_count
        classes.append(
            OntologyClass(
                name=f"{prompts[0]} {len(classes)}",
                prompts=tuple(prompts),
                negatives=tuple(draw(st.sets(st.sampled_from(["toy 1x", "drawing 2x"])))),
                threshold=draw(st.none() | st.floats(0, 1)),
            )
        )
    return Ontology(classes=tuple(classes))


def test_public_names_exist() -> None:
    """Every public name can be imported from the package."""
    assert all(hasattr(autolabel.ontologies, name) for name in autolabel.ontologies.__all__)


@given(ontologies())
def test_to_dict_loses_nothing(ontology: Ontology) -> None:
    """A run stores an ontology as plain data and reads the same ontology back."""
    assert Ontology.parse(ontology.to_dict()) == ontology


def test_name_is_the_default_prompt() -> None:
    """A class that lists no prompts is asked for by its name."""
    assert OntologyClass(name="Traffic  light") == OntologyClass(name="Traffic light", prompts=("Traffic light",))


def test_frozen() -> None:
    """An ontology that labels were made with cannot change underneath them."""
    entry = Ontology.parse(["car"]).classes[0]
    with pytest.raises(ValidationError, match="frozen"):
        entry.name = "bus"


def test_thresholds_fall_back_to_the_default() -> None:
    """A class's own threshold wins over the detector's, also when it is zero."""
    ontology = Ontology.parse([{"name": "car", "threshold": 0}, "person"])
    assert ontology.thresholds(0.35) == (0, 0.35)


def test_negatives_may_be_another_class() -> None:
    """A look-alike may itself be a class that is looked for."""
    ontology = Ontology.parse([{"name": "car", "negatives": ["truck", "toy"]}, {"name": "truck", "negatives": ["toy"]}])
    assert ontology.class_names == ("car", "truck")


@pytest.mark.parametrize(
    ("name", "class_names"),
    [
        ("scenes-pairs", [f"{colour} {shape}" for colour, shape in ALL_PAIRS]),
        ("scenes-shapes", list(SHAPES)),
        ("scenes-colours", [f"{colour} object" for colour in COLOURS]),
    ],
)
def test_scene_presets_match_the_drawn_world(name: str, class_names: list[str]) -> None:
    """The presets of the drawn world name exactly what it draws, in its order."""
    assert list(Ontology.load(name).class_names) == class_names


def test_coco_preset() -> None:
    """The COCO preset has the dataset's 80 classes in its order."""
    names = Ontology.load("coco-80").class_names
    assert len(names) == 80
    assert (names[0], names[2], names[10], names[39], names[79]) == (
        "person",
        "car",
        "fire hydrant",
        "bottle",
        "toothbrush",
    )


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads(name: str) -> None:
    """Whatever preset is offered can be loaded."""
    assert Ontology.load(name).classes


@pytest.mark.parametrize("name", ["coco80", "no/such/file.yaml", "car; person" * 100])
def test_unknown_file_names_the_presets(name: str) -> None:
    """A mistyped file or preset, or class names in its place, are answered with the presets and `--classes`."""
    with pytest.raises(OntologyError, match=r"presets coco-80, .*found no file .*`--classes`"):
        Ontology.load(name)
