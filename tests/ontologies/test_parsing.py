"""Ontologies as people write them, and the sentence they get when something is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from autolabel.errors import OntologyError
from autolabel.ontologies import Ontology, OntologyClass

CAR = OntologyClass(name="car", prompts=("car", "automobile"))


@pytest.mark.parametrize(
    "value",
    [
        "car=car,automobile; traffic light; person",
        " car = car , automobile ;traffic  light;person; ",
        [{"name": "car", "prompts": ["car", "automobile"]}, "traffic light", "person"],
        (CAR, OntologyClass(name="traffic light"), "person"),
        {"classes": [CAR, "traffic light", "person"]},
        {"car": "car", "automobile": "car", "traffic light": "traffic light", "person": "person"},
    ],
)
def test_forms_in_memory(value: Any) -> None:
    """One line of text, a list, a file's mapping and autodistill's dict all mean the same ontology."""
    expected = Ontology(classes=(CAR, OntologyClass(name="traffic light"), OntologyClass(name="person")))
    assert Ontology.parse(value) == expected
    assert Ontology.parse(expected) is expected


FULL = {
    "classes": [
        {"name": "car", "prompts": ["car", "automobile"], "negatives": ["toy car", "truck"], "threshold": 0.35},
        "café 😀",
        {"name": "person", "threshold": None},
    ]
}


@pytest.mark.parametrize(
    ("file_name", "text"),
    [
        ("o.yaml", yaml.safe_dump(FULL)),
        ("o.yml", yaml.safe_dump(FULL, allow_unicode=True, default_flow_style=True)),
        ("o.json", json.dumps(FULL)),
        ("o.JSON", json.dumps(FULL, indent="\t", ensure_ascii=False)),
        ("o.txt", "\ufeff# with a byte order mark\n" + yaml.safe_dump(FULL)),
    ],
)
def test_files(tmp_path: Path, file_name: str, text: str) -> None:
    """YAML and JSON files in every usual notation give the same ontology as the data itself."""
    file = tmp_path / file_name
    file.write_text(text, encoding="utf-8")
    assert Ontology.load(file) == Ontology.parse(FULL)


def test_words_that_yaml_takes_for_something_else(tmp_path: Path) -> None:
    """Class names that YAML would read as a truth value, a number or a date stay the words they are."""
    file = tmp_path / "o.yaml"
    file.write_text("classes: [no, On, 007, 1e3, 2024-01-01, {name: yes}]\n")
    assert Ontology.load(file).class_names == ("no", "On", "007", "1e3", "2024-01-01", "yes")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("classes:\n - car\n - nmae: b\n", r"line 3: .*unknown key `nmae`; did you mean `name`\?"),
        ("classes:\n - name: car\n   prompt: [a]\n", r"line 3: .*unknown key `prompt`; did you mean `prompts`\?"),
        ("classes:\n - name: car\n   colour: red\n", "line 3: .*unknown key `colour`; remove it"),
        ("names: [car]\n", "line 1: .*unknown key `names`; list the classes under `classes:`"),
        ("classes: []\nnc: 3\n", "line 2: .*unknown key `nc`"),
        ("{}\n", "line 1: expected the key `classes`, found none"),
        ("classes:\n - prompts: [car]\n", "line 2: expected the key `name`, found none"),
        ("classes:\n - car\n - bus\n - Car\n", r"line 4: the class 'Car' exists already \(class 1\)"),
        (
            "classes:\n - name: car\n   prompts:\n    - car\n    - ' '\n",
            "line 5: expected a prompt of words, found ' '",
        ),
        ("classes:\n - name: car\n   prompts: ['--']\n", "line 3: expected a prompt of words, found '--'"),
        ("classes:\n - name: car\n   prompts: []\n", r"line 3: expected a list of prompts, found \[\]"),
        ("classes:\n - name: car\n   prompts: car\n", "line 3: expected a list of prompts, found 'car'"),
        ("classes:\n - name: car\n   negatives:\n", "line 3: expected a list of negatives, found nothing"),
        ("classes:\n - name: ''\n", "line 2: expected a class name, found nothing"),
        ("classes:\n - name:\n", "line 2: expected text, found nothing"),
        (
            "classes:\n - car\n - name: bus\n   prompts: [big  CAR, Car]\n",
            "line 4: the prompt 'Car' belongs to .*'car'",
        ),
        ("classes:\n - name: car\n   prompts: [car, CAR]\n", "line 3: the class 'car' has 'CAR' twice"),
        ("classes:\n - name: car\n   negatives: [Car]\n", "line 3: the class 'car' has 'Car' twice"),
        ("classes:\n - name: car\n   threshold: 35\n", "line 3: expected a threshold between 0 and 1, found '35'"),
        ("classes:\n - name: car\n   threshold: -0.1\n", "line 3: expected a threshold"),
        ("classes:\n - name: car\n   threshold: high\n", "line 3: expected a threshold"),
        ("classes:\n - name: car\n   threshold: 0,35\n", "line 3: expected a threshold"),
        ("classes:\n - name: car\n   threshold: .nan\n", "line 3: expected a threshold"),
        ("classes:\n - name: car\n   threshold: nan\n", "line 3: expected a threshold"),
        ("classes:\n - name: car\n   threshold: true\n", "line 3: expected a threshold"),
        ("classes:\n - st. bernard\n", "line 2: the prompt 'st. bernard' contains '.', which ends a prompt"),
        ("classes:\n - name: car\n   negatives: ['what?']\n", r"line 3: the prompt 'what\?' contains '\?'"),
        ("classes:\n - car\n -\n", "line 3: expected a class name or a mapping with `name`, found nothing"),
        ("classes:\n - [car]\n", "line 2: expected a class name or a mapping"),
        ("classes: []\n", r"line 1: expected a list of classes, found \[\]"),
        ("classes: car\n", "line 1: expected a list of classes, found 'car'"),
        ("# cars\nclasses:\n  car: [auto]\n", "line 2: expected a list of classes, found {'car': "),
        ("# cars\n- car\n", "line 2: expected a mapping with the key `classes`, found a list; put `classes:` above"),
        ("car; person\n", "line 1: expected a mapping with the key `classes`, found plain text"),
        ("# nothing yet\n", "expected a mapping with the key `classes`, found nothing"),
        ("", "expected a mapping with the key `classes`, found nothing"),
        ("classes:\n - name: car\n   name: bus\n", "line 3: the key 'name' stood already on line 2; remove one"),
        ("classes: [a]\nclasses: [b]\n", "line 2: the key 'classes' stood already on line 1"),
        ("classes:\n - &car car\n - *car\n", r"line 3: expected no alias, found \*car; write it out"),
        ("classes:\n\t- car\n", "line 2: this is no valid YAML .*indent with spaces"),
        ("classes: [car\n", "line 2: this is no valid YAML"),
        ("classes: [a]\n---\nclasses: [b]\n", "line 2: this is no valid YAML"),
        ("classes: [a, \x07]\n", "this is no valid YAML"),
        ("? [a]\n: b\n", "line 1: expected a plain word as key"),
        ("[" * 600 + "]" * 600, "this is no valid YAML"),
        ("classes: [!!python/object/apply:os.system [ls]]\n", "line 1: expected a class name or a mapping"),
    ],
)
def test_bad_yaml_gets_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    """Each mistake in a file is answered with the file, the line, what was expected and the remedy, in one line."""
    file = tmp_path / "cars.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(OntologyError, match=message) as info:
        Ontology.load(file)
    assert str(info.value).startswith(str(file))
    assert "\n" not in str(info.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"classes": [\n "car",\n]}', "line 3: this is no valid JSON"),
        (b'{"classes": [\n "car"\n', "this is no valid JSON"),
        (b'{"classes": [\n\t{"name": "car",\n\t "treshold": 1}]}', "line 3: .*did you mean `threshold`"),
        (b'{"classes": ["car"],\n "classes": ["bus"]}', "line 2: the key 'classes' stood already on line 1"),
        (b'["car"]', "line 1: expected a mapping with the key `classes`, found a list"),
        (b"classes: [car]", "line 1: this is no valid JSON"),
        (b"", "line 1: this is no valid JSON"),
        (b"[" * 50000, "this is no valid JSON"),
        ('{"classes":\n["café"]}'.encode("latin-1"), "line 2: expected UTF-8, found the byte 0xe9; save the file as"),
        ('{"classes": ["car"]}'.encode("utf-16"), "line 1: expected UTF-8, found the byte 0xff"),
    ],
)
def test_bad_json_gets_one_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    """JSON files are checked as strictly as YAML ones, with lines too."""
    file = tmp_path / "cars.json"
    file.write_bytes(content)
    with pytest.raises(OntologyError, match=message) as info:
        Ontology.load(file)
    assert str(info.value).startswith(str(file))
    assert "\n" not in str(info.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", r"expected a list of classes, found \[\]"),
        (" ; ", r"expected a list of classes, found \[\]"),
        ("car, person", "expected one class between semicolons, found 'car, person'; separate classes with `;`"),
        ("car; bus=", "the ontology, class 2: expected a prompt of words, found ''"),
        ("car; =bus", "the ontology, class 2: expected a class name, found nothing"),
        ("car=car,", "the ontology, class 1: expected a prompt of words"),
        ("car; bus; car", r"the ontology, class 3: the class 'car' exists already \(class 1\)"),
        ([], r"expected a list of classes, found \[\]"),
        (["car", 3], "class 2: expected a class name or a mapping with `name`, found 3"),
        ([{"name": 3}], "class 1: expected text, found 3"),
        ({"a car": "car", "A  car": "bus"}, "class 2: the prompt 'A car' belongs to the class 'car' already"),
        ({"a car": 1}, "expected a class name for the prompt 'a car', found 1"),
        ({1: "car"}, "class 1: expected text, found 1"),
        ({"classes": "car"}, "expected a list of classes, found 'car'"),
        ("cars.yaml", r"found 'cars.yaml', which names a file or preset; use `--ontology cars.yaml`"),
        ("coco-80", r"names a file or preset; .* Ontology.load\('coco-80'\) in Python"),
        (Path("o.yaml"), "found PosixPath; .*use Ontology.load for a file"),
        (7, "expected the ontology as a string, a list or a dict, found int"),
    ],
)
def test_bad_values_get_one_sentence(value: Any, message: str) -> None:
    """The same mistakes on the command line or in Python are answered as clearly, by class instead of line."""
    with pytest.raises(OntologyError, match=message) as info:
        Ontology.parse(value)
    assert "\n" not in str(info.value)


def test_unreadable_file(tmp_path: Path) -> None:
    """A folder in place of a file is refused with a sentence."""
    with pytest.raises(OntologyError, match=r"cannot be read \(Is a directory\)"):
        Ontology.load(tmp_path)
