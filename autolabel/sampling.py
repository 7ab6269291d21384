"""Random samples of a run's masklets: who looks at these alone learns how good all of them are.

A sample is drawn before anyone looks, and kept in the run: what people look at for other reasons, because it is
doubtful for instance, says nothing about the rest.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from pydantic import TypeAdapter

from autolabel.errors import RunError, UserError
from autolabel.files import write_atomically
from autolabel.store import Run, layout

__all__ = ["Sample", "draw_sample", "load_sample"]


@dataclass(frozen=True)
class Sample:
    """Masklets that were drawn from all that the models found in a run, each as likely as any other.

    Attributes:
        masklets: Input and identity of each, in the order in which they were drawn.
        population: Number of masklets that they were drawn from.
        seed: What the order was made from.
        digests: Digest of the models' labels of every input that has some of them, by name.
    """

    masklets: tuple[tuple[str, int], ...]
    population: int
    seed: int
    digests: Mapping[str, str]


_SAMPLE: Final = TypeAdapter(Sample)


def draw_sample(run: Run, count: int, *, seed: int = 0) -> Sample:
    """Draw masklets at random and keep them as the run's sample; a former one is replaced.

    A smaller sample of one seed is the beginning of a larger one, so that a review can be continued, or ended early by
    drawing a smaller one; the count must not depend on what was seen.

    Args:
        run: The run; its folder must be writable.
        count: How many masklets to draw.
        seed: Another one gives other masklets.

    Raises:
        UserError: There are not so many.
    """
    everything = [(name, masklet.object_id) for name in run.records for masklet in run.found(name).masklets]
    if not 0 < count <= len(everything):
        raise UserError(
            f"expected a sample of 1 to {len(everything)} masklets of {run.path}, found {count}; draw fewer"
        )
    order = np.random.default_rng(seed).permutation(len(everything))[:count]
    masklets = tuple(everything[index] for index in order.tolist())
    digests = {name: run.digest(name) for name in sorted({name for name, _ in masklets})}
    sample = Sample(masklets, len(everything), seed, digests)
    content = json.dumps(_SAMPLE.dump_python(sample, mode="json"), ensure_ascii=False)
    write_atomically(run.path / layout.SAMPLE, content + "\n")
    return sample


def load_sample(run: Run) -> Sample:
    """The run's sample.

    Raises:
        RunError: None was drawn, its file is damaged, or the models ran anew since.
    """
    file = run.path / layout.SAMPLE
    if not file.is_file():
        raise RunError(f"expected a random sample in {run.path}, found none; draw one with autolabel.draw_sample")
    try:
        sample = _SAMPLE.validate_json(file.read_bytes())
    except ValueError as error:
        raise RunError(f"expected a random sample in {file}, found a damaged file; draw the sample again") from error
    for name, digest in sample.digests.items():
        if name not in run.records or run.digest(name) != digest:
            raise RunError(
                f"expected the labels of {name} that the sample of {run.path} was drawn from, found others; "
                "draw a new sample"
            )
    return sample
