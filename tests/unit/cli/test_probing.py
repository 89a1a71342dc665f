from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import pytest

from modelshelf.cli.probing import Probed, probe_all, probe_model
from modelshelf.testing import tiny

Result = TypeVar("Result")


@pytest.fixture
def many(tmp_path: Path) -> list[Path]:
    """Make more models than one process is given, some broken."""
    first = tiny.textual_inversion(tmp_path / "0000.safetensors", base="sd-1")
    paths = [first]
    for number in range(1, 230):
        path = tmp_path / f"{number:04}.safetensors"
        if number % 50:
            os.link(first, path)
        else:
            path.write_bytes(b"broken")
        paths.append(path)
    return paths


def told(results: Iterable[Probed]) -> list[tuple[object, ...]]:
    """Reduce results to what can be compared: an error is equal to nothing but itself."""
    return [(one.path, one.identity, one.metadata, str(one.error)) for one in results]


@pytest.mark.parametrize("whole", [True, False])
def test_processes_find_what_one_finds(many: list[Path], *, whole: bool) -> None:
    """The same results in the same order, errors included."""
    alone = told(one for path in many for one in probe_all([path], whole=whole))
    assert told(probe_all(many, whole=whole)) == alone
    assert sum(identity is None for _, identity, *_ in alone) == 4


def test_a_small_result_is_the_whole_one_without_its_reasons(tmp_path: Path) -> None:
    """What is quicker is not another answer: sidecars count in both."""
    vae = tiny.vae(tmp_path / "x.safetensors", base="sd-1", style="ldm", full=True, hollow=True)
    (tmp_path / "x.json").write_text('{"sd version": "SDXL"}')
    folder = tiny.pipeline(tmp_path / "dreamland", base="sd-1")
    for path in (vae, folder):
        whole, small = probe_model(path), probe_model(path, whole=False)
        assert whole.identity is not None
        assert small.identity == replace(whole.identity, evidence=(), near_misses=(), components=())


def test_processes_that_import_everything_anew(many: list[Path]) -> None:
    """Where forking is not safe they are started from nothing."""
    few = many[:51]
    found = probe_all(
        few, whole=True, pool=lambda: ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    )
    assert told(found) == told(probe_all(few, whole=True))


class Dying(Executor):
    """Processes of which one is killed after three results, as a system short of memory does."""

    def map(
        self,
        fn: Callable[..., Result],
        *iterables: Iterable[Any],
        **_: Any,  # noqa: ANN401
    ) -> Iterator[Result]:
        """Work on three items and break."""
        for done, item in enumerate(iterables[0]):
            if done == 3:
                raise BrokenProcessPool
            yield fn(item)

    def shutdown(self, *_: Any, **__: Any) -> None:  # noqa: ANN401
        """Have nothing to end."""


def test_work_goes_on_without_processes_that_died(many: list[Path]) -> None:
    """No model is left out and none is told twice."""
    few = many[:10]
    assert told(probe_all(few, whole=False, pool=Dying)) == told(probe_all(few, whole=False))


def test_an_answer_nobody_waits_for_ends_the_processes(many: list[Path]) -> None:
    """Whoever stops in the middle is not kept."""
    results = probe_all(many, whole=False)
    assert next(results).path == many[0]
    results.close()  # type: ignore[attr-defined]
