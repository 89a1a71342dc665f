"""Downloading from nginx on loopback, beside curl, wget, aria2 and huggingface_hub."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.content import write_random
from benchmarks.program import Spent, spend
from benchmarks.race import remove, settle
from benchmarks.row import Row
from benchmarks.scale import Scale
from tests.hubs import hugging_face_hub
from tests.servers.nginx import Nginx, run_nginx

__all__ = [
    "capped_download",
    "download_memory",
    "raw_download",
    "small_downloads",
    "verified_download",
]

_MEMORY_GOAL = 64 << 20
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a disk in memory, so that nobody waits for a real one
_RATE = 20
"""MiB a second that one connection gets of the host that limits connections."""
_HUB = """
import sys
from huggingface_hub.file_download import http_get
with open(sys.argv[2], "wb") as target:
    http_get(sys.argv[1], target)
"""
"""The engine under `hf_hub_download`, without the hub around it. It compares the size alone."""

_SNAPSHOT = """
import sys
from huggingface_hub import snapshot_download
snapshot_download("acme/small", local_dir=sys.argv[1])
"""

Command = Callable[[str, Path], Sequence[str | Path]]
"""Made of an address and of the file to be."""


def raw_download(scale: Scale, folder: Path) -> list[Row]:
    """Fetch one large file; nothing is verified but its length."""
    with _serving(folder, scale.download) as (nginx, place, _):
        spent = _take_turns(
            {
                "modelshelf": _ours,
                "curl": _curl,
                "wget": _wget,
                "aria2c -x8": _aria2,
                "huggingface_hub": _hub,
            },
            nginx.url("/file"),
            place,
            scale,
        )
    task = f"download {scale.download / 1e9:.2f} GB"
    gigabytes = scale.download / 1e9
    return [
        _speed(f"{task}, raw", spent, "curl", at_least=0.9),
        _speed(f"{task}, raw", spent, "wget"),
        _speed(f"{task}, raw", spent, "aria2c -x8", at_least=1.2),
        _speed(f"{task}, raw", spent, "huggingface_hub"),
        _processor(f"{task}, raw", spent, "curl", gigabytes, at_most=1.1),
        _processor(f"{task}, raw", spent, "aria2c -x8", gigabytes, at_most=0.75),
    ]


def verified_download(scale: Scale, folder: Path) -> list[Row]:
    """Fetch one large file and compare its SHA-256."""
    with _serving(folder, scale.download) as (nginx, place, sha256):
        spent = _take_turns(
            {
                "modelshelf": partial(_ours, sha256=sha256),
                "aria2c -x8 --checksum": partial(_aria2, sha256=sha256),
                "curl, then sha256sum": _curl_then_hash,
                "huggingface_hub, then sha256sum": _hub_then_hash,
                "huggingface_hub, unverified": _hub,
            },
            nginx.url("/file"),
            place,
            scale,
        )
    task = f"download {scale.download / 1e9:.2f} GB, SHA-256 checked"
    return [
        _speed(task, spent, "aria2c -x8 --checksum", at_least=1.4),
        _speed(task, spent, "curl, then sha256sum"),
        _speed(task, spent, "huggingface_hub, then sha256sum", at_least=3),
        _speed(task, spent, "huggingface_hub, unverified", at_least=3),
        _processor(task, spent, "aria2c -x8 --checksum", scale.download / 1e9, at_most=0.9),
    ]


def capped_download(scale: Scale, folder: Path) -> list[Row]:
    """Fetch from a host that gives each connection its share and no more."""
    with _serving(folder, scale.download // 2, rate=f"{_RATE}m") as (nginx, place, _):
        spent = _take_turns(
            {"modelshelf": _ours, "aria2c -x8": _aria2},
            nginx.url("/limited/file"),
            place,
            scale,
        )
    task = f"download {scale.download / 2e9:.2f} GB at {_RATE} MiB/s a connection"
    return [_speed(task, spent, "aria2c -x8", at_least=0.95)]


def download_memory(scale: Scale, folder: Path) -> list[Row]:
    """Fetch five files at once from such a host, so that each has all its connections."""
    with _serving(folder, scale.download // 4, rate=f"{_RATE}m") as (nginx, place, _):
        urls = [nginx.url("/limited/file") + f"?{number}" for number in range(5)]
        done = spend([sys.executable, "-m", "benchmarks.fetching", place, *urls])
    grown = int(done.output)
    return [
        Row(
            task="memory growth of 5 downloads of 8 connections",
            ours=f"{grown / (1 << 20):.0f} MiB",
            goal="≤ 64 MiB",
            is_met=grown <= _MEMORY_GOAL,
        )
    ]


def small_downloads(scale: Scale, folder: Path) -> list[Row]:
    """Fetch a repository of small files from a stand-in of the hub, which counts for both alike."""
    source = folder / "repository"
    source.mkdir()
    for number in range(scale.small_files):
        write_random(source / f"part-{number:04d}.json", 20_000 + number)
    place = folder / "small"
    place.mkdir()
    with hugging_face_hub() as hub:
        hub.add("acme/small", source)
        spent = _take_turns(
            {
                "modelshelf": lambda _, target: [
                    sys.executable,
                    "-m",
                    "benchmarks.fetching_repository",
                    hub.url,
                    "acme/small",
                    target,
                ],
                "huggingface_hub": lambda _, target: [
                    *("env", f"HF_ENDPOINT={hub.url}", f"HF_HOME={target}-home"),
                    *(sys.executable, "-c", _SNAPSHOT, target),
                ],
            },
            "",
            place,
            scale,
        )
    task = f"download {scale.small_files} files of 20 kB, checked"
    return [_speed(task, spent, "huggingface_hub", at_least=1)]


@contextmanager
def _serving(folder: Path, size: int, rate: str = "0") -> Iterator[tuple[Nginx, Path, str]]:
    """Serve one file; yield the server, a folder in memory to fetch into, and the file's SHA-256."""
    home = folder / "nginx"
    home.mkdir()
    place = (_SHARED_MEMORY if _SHARED_MEMORY.is_dir() else folder) / f"{folder.name}-downloads"
    with run_nginx(home, rate=rate) as nginx:
        write_random(nginx.files / "file", size)
        with (nginx.files / "file").open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        place.mkdir()
        try:
            yield nginx, place, sha256
        finally:
            remove(place, home)


def _take_turns(
    commands: dict[str, Command], url: str, place: Path, scale: Scale
) -> dict[str, list[Spent]]:
    """Run each program once a round, every second round in the opposite order.

    A round before these, which does not count, leaves Python's programs compiled: pip does that when it
    installs them.
    """
    spent: dict[str, list[Spent]] = {name: [] for name in commands if _is_here(name)}
    compiled = {"PYTHONPYCACHEPREFIX": str(place / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
    for number in range(-1, scale.rounds):
        for name in list(spent) if number % 2 == 0 else list(spent)[::-1]:
            folder = place / "run"
            folder.mkdir()
            settle(scale.download)
            once = spend(commands[name](url, folder / "file-0"), **compiled)
            if number >= 0:
                spent[name].append(once)
            remove(folder)
    return spent


def _is_here(name: str) -> bool:
    program = name.split(maxsplit=1)[0].rstrip(",")
    return program in {"modelshelf", "huggingface_hub"} or shutil.which(program) is not None


def _ours(url: str, target: Path, sha256: str | None = None) -> Sequence[str | Path]:
    check = () if sha256 is None else ("--sha256", sha256)
    return [sys.executable, "-m", "benchmarks.fetching", target.parent, url, *check]


def _curl(url: str, target: Path) -> Sequence[str | Path]:
    return ["curl", "--silent", "--fail", "--output", target, url]


def _curl_then_hash(url: str, target: Path) -> Sequence[str | Path]:
    return ["sh", "-c", 'curl -sf -o "$1" "$2" && sha256sum "$1"', "sh", target, url]


def _wget(url: str, target: Path) -> Sequence[str | Path]:
    return ["wget", "--quiet", "--output-document", target, url]


def _aria2(url: str, target: Path, sha256: str | None = None) -> Sequence[str | Path]:
    check = () if sha256 is None else (f"--checksum=sha-256={sha256}",)
    split = ("-x8", "-s8", "--file-allocation=falloc", "--quiet")
    return ["aria2c", *split, *check, f"--dir={target.parent}", f"--out={target.name}", url]


def _hub(url: str, target: Path) -> Sequence[str | Path]:
    return [sys.executable, "-c", _HUB, url, target]


def _hub_then_hash(url: str, target: Path) -> Sequence[str | Path]:
    script = '"$1" -c "$2" "$3" "$4" && sha256sum "$4"'
    return ["sh", "-c", script, "sh", sys.executable, _HUB, url, target]


def _speed(
    task: str, spent: dict[str, list[Spent]], other: str, *, at_least: float | None = None
) -> Row:
    if other not in spent:
        return Row(task=task, ours="", other=f"{other}: not installed")
    ours, theirs = spent["modelshelf"], spent[other]
    ratios = [their.wall / our.wall for our, their in zip(ours, theirs, strict=True)]
    return Row(
        task=task,
        ours=f"{median(one.wall for one in ours):.3g} s",
        other=f"`{other}`: {median(one.wall for one in theirs):.3g} s",
        ratio=f"{median(ratios):.2f} times as fast ({min(ratios):.2f}-{max(ratios):.2f})",
        goal="" if at_least is None else f"≥ {at_least}",
        is_met=None if at_least is None else median(ratios) >= at_least,
    )


def _processor(
    task: str, spent: dict[str, list[Spent]], other: str, gigabytes: float, *, at_most: float
) -> Row:
    if other not in spent:
        return Row(task=task, ours="", other=f"{other}: not installed")
    ours, theirs = spent["modelshelf"], spent[other]
    ratios = [our.processor / their.processor for our, their in zip(ours, theirs, strict=True)]
    return Row(
        task=f"{task}: processor time a GB",
        ours=f"{median(one.processor for one in ours) / gigabytes:.2f} s",
        other=f"`{other}`: {median(one.processor for one in theirs) / gigabytes:.2f} s",
        ratio=f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
        goal=f"≤ {at_most}",
        is_met=median(ratios) <= at_most,
    )
