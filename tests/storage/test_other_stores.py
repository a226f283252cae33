"""Stores that are not S3: what their libraries say and do otherwise, and the Hub, of which a small server is here.

Runs in Azurite and in emulators of Google's store are tried by hand: tests/stress_other_stores.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import curate
from curate.errors import InputError, StorageError
from curate.storage import RemotePath, backend, locate, lock, retry
from tests.corpora import RECIPE
from tests.storage.hub_server import Hub

pytestmark = pytest.mark.xdist_group("store")

fsspec = pytest.importorskip("fsspec", reason="needs an extra that brings fsspec, as curate-corpus[s3]")


# The Hub


@pytest.fixture(scope="module")
def hub(raw: Path) -> Iterator[Hub]:
    """A Hub with the corpus as the dataset owner/name."""
    pytest.importorskip("huggingface_hub", reason="needs curate-corpus[hf]")
    hub = Hub({f"data/{path.name}": path.read_bytes() for path in raw.iterdir()} | {"README.md": b"# a dataset"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(fsspec.config.conf, "hf", {"endpoint": hub.url})
        backend._filesystem.cache_clear()
        yield hub
    backend._filesystem.cache_clear()
    hub.shutdown()


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.01)


def test_a_run_over_a_dataset_of_the_hub_is_that_over_its_files(hub: Hub, raw: Path, tmp_path: Path) -> None:
    recipe = curate.Recipe.parse(RECIPE, "test")
    local = curate.corpus(f"data={raw}", tmp_path / "local", recipe)
    run = curate.corpus("data=hf://datasets/owner/name/data", tmp_path / "run", recipe)
    columns = ["doc", "kept", "dropped_by"]
    assert run.decisions().collect()[columns].equals(local.decisions().collect()[columns])
    assert run.mix().collect().equals(local.mix().collect())


def test_patterns_and_single_files_of_the_hub(hub: Hub) -> None:
    place = locate("hf://datasets/owner/name@v1/data/*.jsonl*")
    assert isinstance(place, RemotePath)
    found = [path for path, _ in place.matching()]
    assert [path.name for path in found] == sorted(name[5:] for name in hub.files if ".jsonl" in name)
    assert found[0].read_bytes() == hub.files[f"data/{found[0].name}"]
    assert [path.stat() for path in found] == [path.stat() for path in found] and found[0].stat().version


def test_a_hub_that_fails_for_a_moment(hub: Hub) -> None:
    path = locate("hf://datasets/owner/name/data/b.jsonl")
    hub.failing += ["resolve"]
    assert path.read_bytes() == hub.files["data/b.jsonl"] and not hub.failing


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("hf://datasets/owner/name/nothing", "no such object"),
        ("hf://datasets/owner/name@v9/data", "no such object"),
        ("hf://datasets/owner/other", "no such object"),
        ("hf://datasets/owner/gated/data", "access refused"),
        ("hf://datasets", "the store refuses this"),
        ("hf://datasets/owner", "the store refuses this"),
    ],
)
def test_what_the_hub_does_not_have(address: str, message: str, hub: Hub, tmp_path: Path) -> None:
    with pytest.raises((InputError, StorageError), match=message):
        curate.corpus(address, tmp_path / "run", curate.Recipe.parse(RECIPE, "test"))


def test_a_run_cannot_be_where_one_only_reads(hub: Hub, raw: Path) -> None:
    with pytest.raises(StorageError, match="hf:// can only be read from"):
        curate.corpus(raw, "hf://datasets/owner/name/run", curate.Recipe.parse(RECIPE, "test"))


# What libraries raise


def of(module: str, name: str, base: type[Exception] = Exception, **facts: Any) -> Exception:
    """Return an exception as a library that need not be installed raises it."""
    return type(name, (base,), {"__module__": module, **facts})("it says why")


def failing(error: Exception, cause: Exception | None = None) -> tuple[Callable[[], None], list[int]]:
    tries: list[int] = []

    def fail() -> None:
        tries.append(1)
        raise error from cause

    return fail, tries


@pytest.mark.parametrize(
    ("error", "message", "tries"),
    [
        (of("azure.core.exceptions", "ClientAuthenticationError", status_code=403), "access refused", 1),
        (of("azure.core.exceptions", "HttpResponseError", status_code=403), "access refused", 1),
        (of("azure.core.exceptions", "HttpResponseError", status_code=400), "the store refuses this", 1),
        (of("azure.core.exceptions", "HttpResponseError", status_code=503), "the store failed", retry.ATTEMPTS),
        (of("gcsfs.retry", "HttpError", code=401), "access refused", 1),
        (OSError("Forbidden: https://storage.googleapis.com/b"), "access refused", 1),
        (of("gcsfs.retry", "HttpError", code="429"), "the store failed", retry.ATTEMPTS),
        (of("httpx2", "ConnectError"), "the store failed", retry.ATTEMPTS),
    ],
)
def test_what_is_tried_again(error: Exception, message: str, tries: int) -> None:
    fail, made = failing(error)
    with pytest.raises(StorageError, match=f"az://box/a: {message}"):
        retry.persist("az://box/a", fail)
    assert len(made) == tries


def test_what_is_missing_in_azure_is_missing() -> None:
    fail, made = failing(of("azure.core.exceptions", "ResourceNotFoundError", status_code=404))
    with pytest.raises(FileNotFoundError):
        retry.persist("az://box/a", fail)
    assert len(made) == 1


@pytest.mark.parametrize(
    ("cause", "what", "tries"),
    [
        (of("aiohttp.client_exceptions", "ClientConnectorError", OSError), StorageError, retry.ATTEMPTS),
        (of("aiohttp.client_exceptions", "ClientResponseError", status=404), FileNotFoundError, 1),
        (FileNotFoundError("https://host/a"), FileNotFoundError, 1),
    ],
)
def test_a_web_server_that_is_away_is_no_missing_file(cause: Exception, what: type[Exception], tries: int) -> None:
    fail, made = failing(FileNotFoundError("https://host/a"), cause)
    with pytest.raises(what):
        retry.persist("https://host/a", fail)
    assert len(made) == tries


def test_what_a_library_takes_for_a_wrong_value_is_said() -> None:
    asked: list[str] = []

    def ask() -> None:
        asked.append("")
        fsspec.filesystem("nosuch")

    with pytest.raises(StorageError, match=r"refuses this \(Protocol not known: nosuch\)"):
        retry.persist("it", ask)
    assert len(asked) == 1
    with pytest.raises(ValueError, match="of ours"):  # is a mistake
        retry.persist("it", failing(ValueError("of ours"))[0])


# What file systems do otherwise


def test_an_object_of_which_only_the_name_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """adlfs answers with a list, whatever was asked for, where the prefix is itself an object."""
    store = backend.filesystem("memory")
    store.pipe_file("memory://box/a.jsonl", b"x")
    monkeypatch.setattr(store, "find", lambda path, detail: ["/box/a.jsonl"])
    place = RemotePath("memory", "box/a.jsonl")
    assert [(path, info["size"]) for path, info in place.below()] == [(place, 1)]


def test_of_a_server_that_ignores_the_condition_one_gets_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_SETTLE_SECONDS", 0.01)
    store = backend.filesystem("memory")
    pipe = store.pipe_file
    monkeypatch.setattr(store, "pipe_file", lambda path, value, mode="": pipe(path, value))
    place = RemotePath("memory", "ignoring/.lock")
    with lock.hold_object(place), pytest.raises(lock.HeldError, match="process"), lock.hold_object(place):
        pass
    assert not place.is_file()
    # Another one puts its own after this one has looked.
    monkeypatch.setattr(lock, "_replaces", lambda *_: lock._put(place, "another") or True)
    assert not lock._created(place, "this")


def test_an_address_that_names_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING", raising=False)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "mine")
    address = "abfss://box@mine.dfs.core.windows.net/raw/a.jsonl"
    assert locate(address) == RemotePath("abfss", "box/raw/a.jsonl")  # as adlfs calls it in a listing
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", "AccountName=other;AccountKey=x")
    with pytest.raises(InputError, match="environment, which names other; name mine there"):
        locate(address)


def test_a_file_system_that_needs_more_than_an_address() -> None:
    with pytest.raises(StorageError, match=r"github:// needs more than an address .* copy or mount the files"):
        locate("github://owner/name/a.jsonl").is_file()
