"""Model records in SQLite and on PostgreSQL: opening, adding, and asking a large store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.race import settle
from benchmarks.row import Row
from benchmarks.scale import Scale
from modelshelf.records.sql_service import ModelRecordServiceSQL
from tests.contract.postgres import private_server, server_programs

__all__ = ["model_records"]

_BATCH = 1_000
_WORDS = ["ink", "fox", "harbour", "light", "night", "river", "stone", "paper", "cloud", "amber"]
_BASES = ("sd-1", "sdxl", "flux")
_GOAL = 20
"""Milliseconds for one question."""


def model_records(scale: Scale, folder: Path) -> list[Row]:
    """Fill a store, then open it, add to it and ask it; on PostgreSQL too where a server is installed."""
    path = folder / "records.db"
    took = _measure(partial(ModelRecordServiceSQL.from_db_file, path), scale)
    others: dict[str, float] = {}
    programs = server_programs()
    if programs is not None:
        with private_server(is_durable=True) as server:
            url = server.new_database()
            opened = partial(ModelRecordServiceSQL.from_url, url)
            others = _measure(opened, scale, settled=partial(server.analyze, url))
    server_name = f"PostgreSQL {programs.parts[-2]}" if programs else "PostgreSQL: not installed"
    return [
        Row(
            task=task,
            ours=f"{seconds * 1000:.3g} ms",
            other=f"{server_name}: {others[task] * 1000:.3g} ms" if others else server_name,
            goal=f"≤ {at_most:,} ms",
            is_met=seconds * 1000 <= at_most,
        )
        for (task, seconds), at_most in zip(
            took.items(), (1_000, 50, *[_GOAL] * len(took)), strict=False
        )
    ]


def _measure(
    opened: Callable[[], ModelRecordServiceSQL],
    scale: Scale,
    *,
    settled: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Return task → median seconds; adding and opening come first, *settled* before all questions."""
    many, middle = scale.records, scale.records // 2
    with opened() as service:
        for start in range(0, many, _BATCH):
            service.add_models(_configs(start, min(start + _BATCH, many)))
        batches = iter(range(scale.rounds))

        def add() -> None:
            start = many + next(batches) * _BATCH
            service.add_models(_configs(start, start + _BATCH))

        added = _seconds(add, scale.rounds)

    def reopen() -> None:
        opened().close()

    size = f"of {many:,} records"
    settled()
    reopened = _seconds(reopen, scale.rounds * 3)
    with opened() as service:
        asked: dict[str, Callable[[], object]] = {
            "get_model(key)": partial(service.get_model, f"{middle:032x}"),
            "search_by_name(name)": partial(service.search_by_name, f"model {middle:06d}"),
            "search_by_name(name, base, type)": partial(
                service.search_by_name, f"model {middle:06d}", _BASES[middle % 3], "lora"
            ),
            "search_by_path(path)": partial(
                service.search_by_path, f"lora/{middle:06d}.safetensors"
            ),
            "search_by_hash(first ten digits)": partial(service.search_by_hash, _hash(middle)[:10]),
            "search_by_tag(two tags), 100 found": partial(service.search_by_tag, ["set 7", "all"]),
            "find_text(two words), 1 found": partial(service.find_text, f"number{middle}, fox"),
            "find_text(a word in all), page of 100": partial(service.find_text, "fox", limit=100),
            "find_text(two letters in all), page of 100": partial(
                service.find_text, "fo", limit=100
            ),
            "find_text(two letters in none)": partial(service.find_text, "zz"),
            "find(), first page of 100": partial(service.find, limit=100),
            "find(), middle page of 100": partial(service.find, offset=middle, limit=100),
            "count()": service.count,
        }
        took = {f"`{task}` {size}": _seconds(ask, scale.rounds * 3) for task, ask in asked.items()}
    return {
        f"add {_BATCH:,} records in one call to a store {size}": added,
        f"open a store {size}": reopened,
        **took,
    }


def _configs(start: int, end: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for number in range(start, end):
        words = " ".join(_WORDS[(number * 7 + place) % len(_WORDS)] for place in range(20))
        yield (
            f"{number:032x}",
            {
                "name": f"model {number:06d}",
                "type": "lora",
                "format": "lycoris",
                "base": _BASES[number % 3],
                "path": f"lora/{number:06d}.safetensors",
                "tags": ["all", f"set {number // 100}"],
                "description": f"{words} number{number}, and what a person says of it",
                "author": f"author {number % 300}",
                "blake3": _hash(number),
                "size": number * 1_000,
            },
        )


def _hash(number: int) -> str:
    return f"{number * 2_654_435_761 % 2**40:010x}".ljust(64, "0")


def _seconds(act: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        settle()
        started = perf_counter()
        act()
        taken.append(perf_counter() - started)
    return median(taken)
