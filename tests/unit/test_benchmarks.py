from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from benchmarks.__main__ import BENCHMARKS
from benchmarks.environment import describe
from benchmarks.identify_content import published_models
from benchmarks.identifying import identify_published
from benchmarks.race import Entrant, Race, race
from benchmarks.row import Row, table
from benchmarks.scale import TINY
from benchmarks.starting import starting


@pytest.mark.skipif(shutil.which("b3sum") is None, reason="b3sum is one of the other programs")
@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_runs(name: str, tmp_path: Path) -> None:
    """In a size that takes a moment; the figures are not looked at."""
    rows = BENCHMARKS[name](TINY, tmp_path)
    assert all(row.task and (row.ours or "not installed" in row.other) for row in rows)
    assert all((row.is_met is None) == (row.goal == "") for row in rows)


def test_published_models_are_identified_where_the_corpus_is(tmp_path: Path) -> None:
    """Safetensors files against the goal, and all models beside them."""
    paths = published_models(tmp_path, 6)
    if not paths:
        pytest.skip("no corpus: set MODELSHELF_CORPUS")
    headers, every = identify_published(paths, rounds=1)
    assert len(paths) == 6
    assert "published safetensors files" in headers.task
    assert headers.goal == "p50 ≤ 3 ms, p99 ≤ 15 ms"
    assert "all 6 published models" in every.task
    assert not every.goal


def test_without_a_corpus_the_table_says_so() -> None:
    """Nothing is left out silently."""
    (row,) = identify_published([], rounds=1)
    assert "MODELSHELF_CORPUS" in row.ours
    assert row.is_met is None


def test_entrants_take_turns_and_change_places() -> None:
    """What disturbs the machine for a while disturbs all alike."""
    order: list[str] = []
    raced = race(
        Entrant("ours", lambda: order.append("ours")),
        Entrant("other", lambda: order.append("other"), clean=lambda: order.append("clean")),
        rounds=2,
    )
    assert order == ["ours", "other", "clean", "other", "clean", "ours"]
    assert len(raced["other"].ratios) == 2


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    """One disturbed round changes the range and not the result."""
    row = Race(ours=(1.0, 9.0, 2.0), other=(1.0, 1.0, 1.0)).row("add", "`cp`", at_most=2.5)
    assert row == Row("add", "2 s", "`cp`: 1 s", "2.00 (1.00-9.00)", "≤ 2.5", is_met=True)


def test_a_missed_goal_stands_out() -> None:
    """The table hides nothing."""
    lines = table([Row("add", "2 s", goal="≤ 1", is_met=False), Row("list", "1 s")]).splitlines()
    assert lines[2:] == ["| add | 2 s |  |  | ≤ 1 | **no** |", "| list | 1 s |  |  |  |  |"]


def test_a_start_is_told_beside_a_peer_or_names_its_absence(tmp_path: Path) -> None:
    """A row for each common command; a program that is not there is no reason to leave its line out."""
    help_, listing, probing = starting(TINY, tmp_path)
    assert help_.task.startswith("`shelf --help`")
    assert help_.goal
    assert listing.task.startswith("`shelf ls -q`")
    assert listing.other.startswith("`hf cache ls`: ")
    assert bool(listing.ratio) is not listing.other.endswith("not installed")
    assert probing.task.startswith("`shelf probe FILE`")


def test_the_machine_is_described_without_its_name(tmp_path: Path) -> None:
    """Processor, memory, kernel, file system and versions: what a reader needs to compare."""
    lines = describe(tmp_path).splitlines()
    names = [line.removeprefix("* ").partition(":")[0] for line in lines]
    assert names == [
        "date",
        "processor",
        "memory",
        "kernel",
        "file system",
        "Python",
        "others",
        "load",
    ]
