"""How much memory a run may take: sizes as people write them, and the limits of containers."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import curate
from curate.cli import main
from curate.memory import SMALLEST, available_memory, default_memory, parse_memory


@pytest.mark.parametrize(
    ("text", "size"),
    [("8GB", 8 * 10**9), ("8 gb", 8 * 10**9), ("1.5G", 1_500_000_000), ("16GiB", 16 << 30), ("500MB", 500_000_000),
     ("300000000", 300_000_000), (400_000_000, 400_000_000), ("2T", 2 * 10**12)],
)  # fmt: skip
def test_sizes_are_read_as_they_are_written(text: object, size: int) -> None:
    assert parse_memory(text) == size  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "much", "8XB", "-8GB", "8GB 2", "GB"])
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(curate.CurateError, match="write it as 8GB"):
        parse_memory(text)


def test_too_little_is_refused() -> None:
    with pytest.raises(curate.CurateError, match="at least 256MiB"):
        parse_memory("10MB")


def test_the_default_is_half_of_what_there_is() -> None:
    assert parse_memory(None) == default_memory() == max(SMALLEST, available_memory() // 2)


def container(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def test_the_limit_of_a_container_counts_where_it_is_lower_than_the_machine(tmp_path: Path) -> None:
    root = container(
        tmp_path,
        {
            "proc/self/cgroup": "0::/system.slice/job\n",
            "sys/fs/cgroup/system.slice/memory.max": "600000000\n",
            "sys/fs/cgroup/system.slice/job/memory.max": "max\n",
        },
    )
    assert available_memory(root) == 600_000_000


def test_the_limit_of_an_old_container_counts_too(tmp_path: Path) -> None:
    root = container(
        tmp_path,
        {
            "proc/self/cgroup": "9:name=systemd:/\n4:memory:/docker/abc\n0::/\n",
            "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "700000000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        },
    )
    assert available_memory(root) == 700_000_000


def test_without_control_groups_the_machine_counts(tmp_path: Path) -> None:
    assert available_memory(tmp_path) > 256 << 20


def test_the_command_line_says_what_is_wrong_with_a_size(corpus_dir: Path, recipe_file: Path, tmp_path: Path) -> None:
    arguments = ["corpus", str(corpus_dir), "--out", str(tmp_path / "run"), "--recipe", str(recipe_file)]
    result = CliRunner().invoke(main, [*arguments, "--memory", "lots"])
    assert result.exit_code == 1 and '"lots" is no amount of memory' in result.stderr
