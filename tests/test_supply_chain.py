"""What the package may not do: run code that data brings along, or open a connection that nobody asked for."""

from __future__ import annotations

import ast
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import curate

ROOT = Path(curate.__file__).parents[1]
SOURCES = sorted([*(ROOT / "curate").rglob("*.py"), *(ROOT / "classifiers").rglob("*.py")])

UNPICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib", "jsonpickle"}
NETWORK = {"socket", "urllib.request", "http.client", "requests", "httpx", "aiohttp", "ftplib", "smtplib", "urllib3"}
NETWORK |= {"fsspec", "s3fs", "gcsfs", "adlfs", "huggingface_hub", "boto3", "botocore"}
MAY_USE_THE_NETWORK = {
    "curate/classifier/chat.py",  # a language model's endpoint, named by the user
    "curate/storage/backend.py",  # object stores, where the user names an address in one
    "curate/engines/ray_session.py",  # a cluster, where the user names its address
    "curate/cli/interrupt.py",  # a pair of sockets inside the process
}
EVALUATION = {"eval", "exec", "compile", "__import__"}
MAY_EVALUATE = {"curate/signals/plugins.py"}  # the file of signals that the user names with --plugin


def modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_unpickles_evaluates_or_opens_connections(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = set(modules(tree))
    assert not {module for module in used if module.split(".")[0] in UNPICKLING}
    if name not in MAY_USE_THE_NETWORK:
        assert not used & NETWORK
    for function, call in calls(tree):
        if name not in MAY_EVALUATE:
            assert function not in EVALUATION, f"line {call.lineno}"
        if function.endswith((".load", ".load_npz")) and function.startswith(("np.", "numpy.")):
            allowed = [word for word in call.keywords if word.arg == "allow_pickle"]
            assert not any(getattr(word.value, "value", True) for word in allowed), f"line {call.lineno}"
        shell = [word.value for word in call.keywords if word.arg == "shell"]
        assert not any(getattr(value, "value", True) for value in shell), f"line {call.lineno}: shell=True"
        assert function not in ("os.system", "os.popen", "yaml.load"), f"line {call.lineno}"


def test_a_whole_run_opens_no_connection(corpus_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    run = curate.corpus(corpus_dir, tmp_path / "run", "web", ignore_disk=True)
    assert run.report["input"]["documents"] == 68
