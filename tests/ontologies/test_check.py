"""What `autolabel ontology check` tells about an ontology."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from autolabel.ontologies import Ontology
from autolabel.ontologies.captions import plan_captions
from autolabel.ontologies.check import CaptionRow, caption_rows, doubts


@pytest.fixture(scope="module")
def tokenizer(bert_tokenizer_file: Path) -> Tokenizer:
    """The tokenizer of the real Grounding DINO checkpoints."""
    return Tokenizer.from_file(str(bert_tokenizer_file))


def test_rows_show_how_captions_split(tokenizer: Tokenizer) -> None:
    """Each caption is shown with its text, its tokens and the classes that it asks for."""
    ontology = Ontology.parse("Red Car=red car,auto; person; dog")
    assert caption_rows(ontology, plan_captions(ontology, tokenizer, 9)) == [
        CaptionRow(1, "red car . auto . person .", 9, ("Red Car", "person")),
        CaptionRow(2, "dog .", 4, ("dog",)),
    ]


def test_sound_ontology_has_no_doubts(tokenizer: Tokenizer) -> None:
    """An ordinary ontology is not commented on."""
    ontology = Ontology.load("coco-80")
    assert list(doubts(ontology, plan_captions(ontology, tokenizer, 256))) == []


def test_doubts(tokenizer: Tokenizer) -> None:
    """Unknown words, prompts that read alike and classes that need several passes are pointed out."""
    ontology = Ontology.parse("resume=resume,résumé; cv=Resumé; cat=😀 cat; big=one,two,three")
    assert list(doubts(ontology, plan_captions(ontology, tokenizer, 7))) == [
        "the model reads 'Resumé' of the class 'cv' and 'resume' of the class 'resume' as the same words; "
        "use others for one of them",
        "the model does not know every word of the prompt '😀 cat'; use other words",
        "the class 'big' needs 2 captions, which takes 2 passes; use fewer or shorter prompts",
    ]
