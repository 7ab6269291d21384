"""Models of the hub: fetched once, checked, and when they cannot be had, one sentence on why and what to do."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from loopback_hub import Hub, commit_of, serve

from autolabel.base_models.loading import EMBEDDED

TRACKER = EMBEDDED / "tiny-scenes-tracker"
NAME = "someone/tiny-tracker"
RIGHT: Final = "hf_right"

_FETCH = (
    "import sys; from autolabel.base_models.hub import fetch, find_cached; from autolabel.errors import ModelError\n"
    "try: print(fetch(sys.argv[1]))\n"
    "except ModelError as error: sys.exit(str(error))"
)
_RESOLVE = _FETCH.replace("print(", "print(find_cached(sys.argv[1]) or ")


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub that has a tracker."""
    with serve(NAME, TRACKER) as served:
        yield served


def resolve(
    hub: Hub, home: Path, name: str = NAME, program: str = _RESOLVE, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Find a model in the cache, or else fetch it, in a new process."""
    command, environment = [sys.executable, "-c", program, name], hub.environment(home, **variables)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def assert_refused(answer: subprocess.CompletedProcess[str], *parts: str) -> None:
    """The answer is one sentence with these parts."""
    sentence = answer.stderr.strip().splitlines()[-1]
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    for part in parts:
        assert part in sentence


def cached_weights(home: Path) -> list[Path]:
    """Files of the cache that are weights, whole or not."""
    files = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path for path in files if path.stat().st_size > 1_000_000 or path.name.endswith(".incomplete")]


def test_a_model_is_fetched_once_and_then_the_hub_is_not_asked(hub: Hub, tmp_path: Path) -> None:
    """All files that are of use arrive, and from then on no network is needed."""
    online = resolve(hub, tmp_path)
    folder = Path(online.stdout.strip())
    wanted = [file.name for file in TRACKER.iterdir() if file.suffix in {".json", ".md", ".safetensors", ".txt"}]
    assert sorted(file.name for file in folder.iterdir()) == sorted(wanted)
    assert (folder / "model.safetensors").read_bytes() == (TRACKER / "model.safetensors").read_bytes()
    asked = len(hub.requests)
    assert resolve(hub, tmp_path).stdout == online.stdout
    assert len(hub.requests) == asked


def test_a_model_stays_the_same_until_it_is_fetched_anew(tmp_path: Path) -> None:
    """What the main branch stands for now is taken when that is asked for, not by the way."""
    newer = tmp_path / "newer"
    shutil.copytree(TRACKER, newer)
    (newer / "README.md").write_text("the newest")
    with serve(NAME, TRACKER, v2=newer) as hub:
        first = resolve(hub, tmp_path / "home")
        hub.main = "v2"
        assert resolve(hub, tmp_path / "home").stdout == first.stdout
        fetched = resolve(hub, tmp_path / "home", program=_FETCH)
        assert (Path(fetched.stdout.strip()) / "README.md").read_text() == "the newest"
        assert resolve(hub, tmp_path / "home").stdout == fetched.stdout


def test_a_revision_is_another_model(tmp_path: Path) -> None:
    """A tag, a branch or a commit after the @ chooses among a model's states."""
    older = tmp_path / "older"
    shutil.copytree(TRACKER, older)
    (older / "README.md").write_text("the first")
    with serve(NAME, TRACKER, v1=older) as hub:
        tagged = resolve(hub, tmp_path / "home", f"{NAME}@v1")
        commit = resolve(hub, tmp_path / "home", f"{NAME}@{commit_of('v1')}")
        newest = resolve(hub, tmp_path / "home")
        unknown = resolve(hub, tmp_path / "home", f"{NAME}@v2")
    assert (Path(tagged.stdout.strip()) / "README.md").read_text() == "the first"
    assert commit.stdout == tagged.stdout != newest.stdout
    assert_refused(unknown, "a branch, a tag or a commit", "'v2'")


@pytest.mark.parametrize(
    ("variables", "found"), [({}, "no token"), ({"HF_TOKEN": "hf_another"}, "whose owner has none")]
)
def test_a_gated_model_says_what_to_accept_and_where_a_token_goes(
    hub: Hub, tmp_path: Path, variables: dict[str, str], found: str
) -> None:
    """Without the right, the sentence names the page, both places of a token, and never the token."""
    hub.token = RIGHT
    answer = resolve(hub, tmp_path, **variables)
    assert_refused(answer, found, f"{hub.address}/{NAME}", "accept its licence", "`hf auth login`", "HF_TOKEN")
    assert "hf_" not in answer.stderr
    assert not cached_weights(tmp_path)


def test_a_gated_model_is_fetched_with_a_token(hub: Hub, tmp_path: Path) -> None:
    """The token comes from the environment, and the place where weights are stored does not see it."""
    hub.token = RIGHT
    assert resolve(hub, tmp_path, HF_TOKEN=RIGHT).returncode == 0
    assert hub.tokens == {(hub.address.removeprefix("http://"), RIGHT)}


def test_a_model_that_is_not_there(hub: Hub, tmp_path: Path) -> None:
    """An unknown name tells what was looked for, and that it may be private."""
    assert_refused(resolve(hub, tmp_path, "someone/else"), "someone/else", "no such model", "private", "local folder")
    assert_refused(resolve(hub, tmp_path, "no hub id"), "no hub id", "owner/name", "--detector tiny-scenes")


def test_without_network_and_cache_one_sentence_says_where_it_was_looked_for(tmp_path: Path) -> None:
    """A model that cannot be had names what was asked for, the cache, the cause and the remedies."""
    nowhere = Hub(NAME, {}, address="http://127.0.0.1:9")
    answer = resolve(nowhere, tmp_path)
    assert_refused(answer, NAME, str(tmp_path), "refused", "try again", "local folder", "--tracker tiny-scenes")


def test_offline_only_the_cache_is_used(hub: Hub, tmp_path: Path) -> None:
    """Offline, the hub is not asked, and what is missing is to be pulled."""
    assert_refused(resolve(hub, tmp_path, HF_HUB_OFFLINE="1"), "--offline", f"autolabel models pull {NAME}")
    assert not hub.requests
    online = resolve(hub, tmp_path)
    assert resolve(hub, tmp_path, HF_HUB_OFFLINE="1").stdout == online.stdout


def test_a_download_that_is_cut_goes_on_where_it_was(tmp_path: Path) -> None:
    """A broken connection costs only what was not yet written, which is less than ten MiB."""
    model, size = tmp_path / "model", 24 << 20
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(bytes(size))
    with serve(NAME, model) as hub:
        hub.cuts = 1
        answer = resolve(hub, tmp_path / "home")
    assert answer.returncode == 0, answer.stderr
    assert (Path(answer.stdout.strip()) / "model.safetensors").stat().st_size == size
    ranges = [wanted for method, path, wanted in hub.requests if method == "GET" and path.startswith("/stored")]
    assert ranges == ["", f"bytes={10 << 20}-"]


@pytest.mark.parametrize(("trouble", "found"), [({"cuts": 99}, "peer closed"), ({"down": True}, "503")])
def test_a_hub_that_does_not_recover_is_one_sentence(
    hub: Hub, tmp_path: Path, trouble: dict[str, Any], found: str
) -> None:
    """After several attempts the cause is told, and nothing broken stays in the cache."""
    vars(hub).update(trouble)
    assert_refused(resolve(hub, tmp_path), NAME, found, "try again")
    assert not cached_weights(tmp_path)


def test_a_digest_that_is_wrong_is_noticed_and_nothing_broken_stays(hub: Hub, tmp_path: Path) -> None:
    """Weights of the right size and other content are removed, so that the next call fetches them anew."""
    hub.corrupt = True
    assert_refused(resolve(hub, tmp_path), "model.safetensors", "digests", "removed")
    assert not cached_weights(tmp_path)
    hub.corrupt = False
    answer = resolve(hub, tmp_path)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("there", [(), ("config.json",)])
def test_a_repository_without_a_model_is_one_sentence(tmp_path: Path, there: tuple[str, ...]) -> None:
    """Other kinds of weights are not taken, and are not fetched either."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "pytorch_model.bin").write_bytes(b"code")
    for name in there:
        shutil.copy(TRACKER / name, other)
    with serve(NAME, other) as hub:
        assert_refused(resolve(hub, tmp_path / "home"), NAME, "config.json and *.safetensors", "without")


def test_a_snapshot_without_all_of_its_weights_is_fetched_again(hub: Hub, tmp_path: Path) -> None:
    """What another program left half done is not taken for the model."""
    folder = Path(resolve(hub, tmp_path).stdout.strip())
    (folder / "model.safetensors").unlink()
    assert resolve(hub, tmp_path).returncode == 0
    assert (folder / "model.safetensors").is_file()
