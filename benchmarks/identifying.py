"""Saying what models are: time, bytes and memory, beside what loads or lists the same headers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, thread_time
from typing import Any

from benchmarks.identify_content import lora_library, models, published_models, small_models
from benchmarks.race import call, settle
from benchmarks.row import Row
from benchmarks.scale import Scale
from modelshelf.identify import identify
from modelshelf.schema.taxonomy import ModelType

__all__ = ["identify_published", "identifying", "probing"]

_SAMPLES = 40
"""Times that a model is identified in each round."""
_MEDIAN_GOAL, _LAST_GOAL = 0.003, 0.015
_WARM_GOAL = "p50 ≤ 3 ms, p99 ≤ 15 ms"
_CHECKPOINT_GOAL = 0.5
_BYTES_GOAL = 64 << 10
_MEMORY_GOAL, _CHECKPOINT_MEMORY_GOAL = 10 << 20, 50 << 20
_RATE_GOAL = 300
_WITHOUT_GOAL = ("text.gguf",)
"""A vocabulary of 5 MB is stepped over, which no goal speaks of."""

Peer = tuple[str, str, Callable[[Path], object]]
"""What the table calls it, the package that it needs, and what it does with a file."""


def identifying(scale: Scale, folder: Path) -> list[Row]:
    """Identify one model of each kind, again and again; peers take turns with us."""
    made, small = models(folder), small_models(folder)
    rows: list[Row] = []
    torch = False
    for words, path in made.items():
        cost = _cost(path, small)
        torch = torch or bool(cost["torch"])
        rows += _timed(f"`identify()` {words}{_size(path)}", path, scale.rounds * _SAMPLES)
        rows += _weighed(words, path, cost)
    imported = Row(
        task="`torch` imported by any of these",
        ours="yes" if torch else "no",
        goal="no",
        is_met=not torch,
    )
    paths = published_models(folder / "published", scale.models)
    return [*rows, *identify_published(paths, rounds=scale.rounds), imported]


def probing(scale: Scale, folder: Path) -> list[Row]:
    """Probe a library of LoRAs: in one process, and with the command."""
    library = lora_library(folder, scale.loras)
    paths = sorted(library.rglob("*.safetensors"))
    shelf = partial(
        call, sys.executable, "-m", "modelshelf", "--root", folder / "root", "probe", "-q"
    )
    # Brings the headers into memory for both.
    unknown = sum(identify(path).type is ModelType.UNKNOWN for path in paths)
    alone, together, processor = [], [], []
    for _ in range(scale.rounds):
        settle()
        alone.append(_seconds(lambda: [identify(path) for path in paths]))
        before = _processor_time()
        together.append(_seconds(partial(shelf, library)))
        processor.append(_processor_time() - before)
    name = f"{len(paths):,} LoRAs"
    return [
        _rate(f"`identify()` {name} one after the other, {unknown} unknown", len(paths), alone),
        _rate(f"`shelf probe` a library of {name}", len(paths), together, at_least=_RATE_GOAL),
        Row(
            task=f"processor time of `shelf probe` for {name}",
            ours=f"{median(processor):.3g} s, {median(processor) / len(paths) * 1000:.3g} ms a file",
        ),
    ]


def _timed(task: str, path: Path, samples: int) -> list[Row]:
    """Take turns, change places every time, and compare turn by turn."""
    peers = _PEERS.get(path.suffix, ())
    acts: dict[str, Callable[[Path], object]] = {"": identify}
    acts |= {name: act for name, package, act in peers if find_spec(package) is not None}
    times: dict[str, list[float]] = {name: [] for name in acts}
    processor = []
    for act in acts.values():
        act(path)
    for number in range(samples):
        for name, act in reversed(acts.items()) if number % 2 else acts.items():
            before = thread_time()
            times[name].append(_seconds(partial(act, path)))
            if act is identify:
                processor.append(thread_time() - before)
    ours = times.pop("")
    figures = _figures(task, path, ours, median(processor))
    rows = [
        replace(
            figures,
            other=f"{name}: p50 {_ms(median(other))}",
            ratio=f"{median(one / two for one, two in zip(ours, other, strict=True)):.2f}",
        )
        for name, other in times.items()
    ]
    rows += [
        Row(task=task, ours="", other=f"{name}: `{package}` is not installed")
        for name, package, _ in peers
        if name not in times
    ]
    return rows if times else [figures, *rows]


def _figures(task: str, path: Path, ours: Sequence[float], processor: float) -> Row:
    middle, last = _middle_and_last(ours)
    goal, is_met = "", None
    if path.suffix == ".ckpt":
        goal, is_met = "p50 ≤ 500 ms", middle <= _CHECKPOINT_GOAL
    elif path.suffix and path.name not in _WITHOUT_GOAL:
        goal, is_met = _WARM_GOAL, _is_warm(middle, last)
    took = f"p50 {_ms(middle)}, p99 {_ms(last)}; processor {_ms(processor)}"
    return Row(task=task, ours=took, goal=goal, is_met=is_met)


def identify_published(paths: Sequence[Path], *, rounds: int) -> list[Row]:
    """Identify many different models, each once a round: nobody asks for one file again and again.

    Args:
        paths: Models of the corpus, safetensors files among them; empty where there is no corpus.
        rounds: How often, after a first time that nobody measures.
    """
    if not paths:
        task = "`identify()` the published models of the corpus"
        return [Row(task=task, ours="there is no corpus: `MODELSHELF_CORPUS` names its folder")]
    times: dict[Path, list[tuple[float, float]]] = {path: [] for path in paths}
    for path in paths:
        # For the headers and the rules to be in memory.
        identify(path)
    for _ in range(rounds):
        settle()
        for path, own in times.items():
            before = thread_time()
            own.append((_seconds(partial(identify, path)), thread_time() - before))
    every = [one for own in times.values() for one in own]
    headers = [one for path, own in times.items() if path.suffix == ".safetensors" for one in own]
    words = "`identify()` {} of the corpus, each once warm"
    middle, last, took = _spread(headers)
    return [
        Row(
            task=words.format(f"{len(headers) // rounds} published safetensors files"),
            ours=took,
            goal=_WARM_GOAL,
            is_met=_is_warm(middle, last),
        ),
        Row(
            task=words.format(f"all {len(paths)} published models, checkpoints and folders too,"),
            ours=_spread(every)[2],
        ),
    ]


def _spread(times: Sequence[tuple[float, float]]) -> tuple[float, float, str]:
    """Return median and 99th percentile of the seconds, and both in words with the processor's."""
    seconds, processor = map(_middle_and_last, zip(*times, strict=True))
    words = "p50 {}, p99 {}; processor p50 {}, p99 {}".format(*map(_ms, (*seconds, *processor)))
    return *seconds, words


def _middle_and_last(seconds: Sequence[float]) -> tuple[float, float]:
    """Return median and 99th percentile."""
    middle = median(seconds)
    last = quantiles(seconds, n=100, method="inclusive")[98] if len(seconds) > 1 else middle
    return middle, last


def _is_warm(middle: float, last: float) -> bool:
    return middle <= _MEDIAN_GOAL and last <= _LAST_GOAL


def _weighed(words: str, path: Path, cost: Mapping[str, Any]) -> list[Row]:
    is_checkpoint = path.suffix == ".ckpt"
    most = _CHECKPOINT_MEMORY_GOAL if is_checkpoint else _MEMORY_GOAL
    memory = Row(
        task=f"memory growth while {words} is identified",
        ours=f"{cost['grown'] / (1 << 20):.1f} MiB",
        goal=f"≤ {most >> 20} MiB",
        is_met=cost["grown"] <= most,
    )
    if path.suffix != ".safetensors":
        return [Row(task=f"bytes read of {words}", ours=f"{cost['read'] / 1024:.0f} KiB"), memory]
    with path.open("rb") as file:
        header = 8 + int.from_bytes(file.read(8), "little")
    beyond = cost["read"] - header
    return [
        Row(
            task=f"bytes read of {words} beyond its header of {header / 1024:.0f} KiB",
            ours=f"{beyond / 1024:.0f} KiB",
            goal="≤ 64 KiB",
            is_met=beyond <= _BYTES_GOAL,
        ),
        memory,
    ]


def _cost(path: Path, small: Sequence[Path]) -> dict[str, Any]:
    """Identify in a fresh process, and ask the system what it read and how far its memory grew."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.probe_cost", path, *small],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _rate(task: str, count: int, seconds: Sequence[float], at_least: int | None = None) -> Row:
    rate = count / median(seconds)
    return Row(
        task=task,
        ours=f"{median(seconds):.3g} s, {rate:.0f} files/s",
        goal="" if at_least is None else f"≥ {at_least} files/s",
        is_met=None if at_least is None else rate >= at_least,
    )


def _size(path: Path) -> str:
    return f", {path.stat().st_size / 1e9:.1f} GB" if path.is_file() else ""


def _seconds(act: Callable[[], object]) -> float:
    started = perf_counter()
    act()
    return perf_counter() - started


def _processor_time() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"


def _list_shapes(path: Path) -> object:
    """What a program does that only wants to know: every name, every shape."""
    with import_module("safetensors").safe_open(path, framework="pt") as file:
        return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118


def _load_mapped(path: Path) -> object:
    return import_module("torch").load(path, mmap=True, weights_only=True, map_location="cpu")


_PEERS: Mapping[str, Sequence[Peer]] = {
    ".safetensors": (("`safe_open`, all shapes", "torch", _list_shapes),),
    ".ckpt": (("`torch.load(mmap, weights_only)`", "torch", _load_mapped),),
}
