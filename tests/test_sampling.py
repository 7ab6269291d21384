"""Random samples of a run's masklets."""

from collections import Counter
from pathlib import Path

import pytest
from factories import block, clip, masklet, write_run

from autolabel.errors import RunError, UserError
from autolabel.labels import VideoLabels
from autolabel.sampling import draw_sample, load_sample
from autolabel.store import InputIdentity, Run, RunWriter, load_run


def of_objects(name: str, *object_ids: int) -> VideoLabels:
    """A clip with these objects, each on one frame."""
    labels = clip(name, f"{name}.mp4")
    masklets = tuple(masklet(object_id, 0, {0: block(0, 0, 8, 8)}) for object_id in object_ids)
    return VideoLabels(name, labels.path, labels.kind, labels.class_names, labels.frames, masklets, 25.0, 4)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return write_run(tmp_path, of_objects("a", 1, 2, 5), of_objects("b", 1), of_objects("c"))


def test_a_sample_is_kept(run: Run) -> None:
    """What was drawn is read again, the same for the same seed, and the beginning of a larger sample."""
    sample = draw_sample(run, 3, seed=7)
    content = (run.path / "sample.json").read_bytes()
    assert load_sample(load_run(run.path)) == sample
    everything = draw_sample(run, 4, seed=7)
    assert everything.masklets[:3] == sample.masklets
    assert set(everything.masklets) == {("a", 1), ("a", 2), ("a", 5), ("b", 1)}
    draw_sample(run, 3, seed=7)
    assert (run.path / "sample.json").read_bytes() == content


def test_every_masklet_is_as_likely(run: Run) -> None:
    """Over many seeds, each of four masklets is the one that is drawn about as often."""
    drawn = Counter(draw_sample(run, 1, seed=seed).masklets[0] for seed in range(400))
    assert sorted(drawn) == [("a", 1), ("a", 2), ("a", 5), ("b", 1)]
    assert all(70 < count < 130 for count in drawn.values())


@pytest.mark.parametrize("count", [0, -1, 5])
def test_impossible_sizes_are_refused(run: Run, count: int) -> None:
    """There is no sample of nothing, nor of more than there is."""
    with pytest.raises(UserError, match=f"expected a sample of 1 to 4 masklets of .*, found {count}; draw fewer"):
        draw_sample(run, count)


def test_unusable_samples_are_refused(run: Run) -> None:
    """No sample, a damaged one, and one of labels that are no more are said to be so."""
    with pytest.raises(RunError, match=r"found none; draw one with autolabel\.draw_sample"):
        load_sample(run)
    draw_sample(run, 4)
    RunWriter(run.path, run.configuration).write_input(of_objects("a", 1, 2, 7), InputIdentity("0" * 64, 1))
    with pytest.raises(RunError, match=r"expected the labels of a that the sample .* found others; draw a new sample"):
        load_sample(load_run(run.path))
    (run.path / "sample.json").write_text("{}")
    with pytest.raises(RunError, match=r"sample\.json, found a damaged file; draw the sample again"):
        load_sample(run)
