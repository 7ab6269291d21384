"""The run on disk: labels of many inputs in one folder, complete and resumable.

::

    RUN/run.yaml                        resolved configuration, ontology, models, threads, dtype, versions
    RUN/sample.json                     the random sample of masklets by which a review is scored, if one was drawn
    RUN/inputs/<name>/frames.parquet    one row per labelled frame
    RUN/inputs/<name>/labels.parquet    one row per object and frame
    RUN/inputs/<name>/objects.parquet   one row per object: votes, margin, evidence, flags
    RUN/inputs/<name>/rejected.parquet  what was found and not kept, with the reason and its masks
    RUN/inputs/<name>/input.json        identity and state of the input; written last, so it vouches for the others
    RUN/inputs/<name>/parts-<n>/        while it is being labelled: what is final so far, and the state to go on from
    RUN/inputs/<name>/edits.jsonl       what people changed, one edit a line

Nothing in these files depends on a clock or on the order of work: the same labels give the same bytes.
"""

from autolabel.store.identity import InputIdentity
from autolabel.store.journal import Journal
from autolabel.store.reader import InputRecord, Run, load_run, read_configuration
from autolabel.store.writer import RunWriter

__all__ = ["InputIdentity", "InputRecord", "Journal", "Run", "RunWriter", "load_run", "read_configuration"]
