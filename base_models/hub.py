"""Checkpoints of the hub: found in its cache, else fetched once and held against the digests that the hub states.

huggingface_hub goes on where a connection broke, checks the size of every file and puts it in its place only when it is
complete. It does not compare digests by itself after a plain download, so that is asked for here.

What is in the cache is taken without asking the hub, so that a model stays the same until it is pulled again.
"""

import json
from pathlib import Path
from typing import Final

from huggingface_hub import HfApi, constants, get_token, snapshot_download
from huggingface_hub.errors import (  # type: ignore[attr-defined]  # what it calls HTTPError depends on its version
    GatedRepoError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from autolabel.errors import ModelError

__all__ = ["REMEDIES", "fetch", "find_cached"]

REMEDIES: Final = "name a local folder, or use the embedded models: --detector tiny-scenes --tracker tiny-scenes"
"""What always helps when a model cannot be had."""

_WORDS: Final = ["*.json", "*.txt", "*.model", "README.md"]
_WEIGHTS: Final = "*.safetensors"


def find_cached(name: str, *, weights: bool = True) -> Path | None:
    """Find a model of the hub in the cache, without a network.

    Args:
        name: ``owner/name`` or ``owner/name@revision``, a revision being a branch, a tag or a commit.
        weights: Whether its weights are wanted, not only its configuration and vocabulary.

    Returns:
        The folder, or None where the model is not there or not complete.
    """
    try:
        folder = _download(name, weights=weights, local_files_only=True)
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    return folder if _is_complete(folder, weights=weights) else None


def fetch(name: str, *, weights: bool = True) -> Path:
    """Ask the hub for a model, download what is not in the cache, and compare it with the hub's digests.

    Args:
        name: As for `find_cached`.
        weights: Likewise.

    Returns:
        The folder, within the hub's cache.

    Raises:
        ModelError: The model cannot be had, or is not what the hub says that it is.
    """
    if constants.is_offline_mode():
        raise ModelError(
            f"{name}: expected a model that is on this machine, found none in {constants.HF_HUB_CACHE}, and --offline "
            f"(or HF_HUB_OFFLINE) forbids to fetch it; run `autolabel models pull {name}` where there is a network"
        )
    try:
        folder = _download(name, weights=weights)
        if not _is_complete(folder, weights=weights):
            raise ModelError(
                f"{name}: expected config.json{' and *.safetensors' if weights else ''}, found a model of the hub "
                f"without; {REMEDIES}"
            )
        _verify(name, folder)
    except (HTTPError, OSError, HFValidationError) as error:
        raise ModelError(_explain(name, error)) from error
    return folder


def _split(name: str) -> tuple[str, str]:
    """The repository and the revision that a name means."""
    repository, _, revision = name.partition("@")
    return repository, revision or constants.DEFAULT_REVISION


def _download(name: str, *, weights: bool, local_files_only: bool = False) -> Path:
    repository, revision = _split(name)
    patterns = [*_WORDS, _WEIGHTS] if weights else _WORDS
    return Path(
        snapshot_download(repository, revision=revision, allow_patterns=patterns, local_files_only=local_files_only)
    )


def _is_complete(folder: Path, *, weights: bool) -> bool:
    """Whether the files that are wanted are there; other programs may have fetched a few files only."""
    if not (folder / "config.json").is_file():
        return False
    if not weights:
        return True
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return all((folder / shard).is_file() for shard in shards)
    return any(folder.glob(_WEIGHTS))


def _verify(name: str, folder: Path) -> None:
    """Compare the files of a snapshot with the hub's digests, and remove those that differ from the cache."""
    repository, _ = _split(name)
    broken = HfApi().verify_repo_checksums(repository, revision=folder.name).mismatches
    for mismatch in broken:
        file = folder / mismatch["path"]
        file.resolve().unlink()  # a link to the content, where the system has links
        file.unlink(missing_ok=True)
    if broken:
        raise ModelError(
            f"{name}: expected files with the digests that the hub states, found others in "
            f"{', '.join(mismatch['path'] for mismatch in broken)}, which are removed; fetch them again"
        )


def _explain(name: str, error: Exception) -> str:
    """One sentence on why a model cannot be had, and what to do."""
    repository, revision = _split(name)
    page = f"{constants.ENDPOINT}/{repository}"
    if isinstance(error, GatedRepoError):
        found = "a token whose owner has none" if get_token() else "no token"
        return (
            f"{name}: expected access to a gated model, found {found}: accept its licence at {page}, then log in with "
            "`hf auth login` or put a token of yours into the environment variable HF_TOKEN"
        )
    if isinstance(error, RevisionNotFoundError):
        return f"{name}: expected a branch, a tag or a commit of {page}, found none called {revision!r}; name another"
    if isinstance(error, RepositoryNotFoundError):
        return (
            f"{name}: expected a local folder or a model of the hub, found no such folder, and no such model at {page} "
            "(a private one asks for a token: `hf auth login` or the environment variable HF_TOKEN); "
            f"correct the name, {REMEDIES}"
        )
    if isinstance(error, HFValidationError):
        return f"{name}: expected a local folder or a model of the hub as owner/name, found neither; {REMEDIES}"
    return (
        f"{name}: expected to fetch it from {page}, as there is no such folder and it is not complete in the cache "
        f"{constants.HF_HUB_CACHE}, found: {_reason(error)}; try again, {REMEDIES}"
    )


def _reason(error: BaseException) -> str:
    """First line of the message of what was wrong in the first place."""
    while error.__cause__ is not None:
        error = error.__cause__
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
