"""Installing many models of this machine: how many a second, and what memory that takes."""

from __future__ import annotations

import re
import time
from pathlib import Path

from benchmarks.race import remove, settle
from benchmarks.row import Row
from benchmarks.scale import Scale
from modelshelf import ModelInstallService, Settings
from modelshelf.download import DownloadQueueService
from modelshelf.records.services import ModelRecordServiceBase
from modelshelf.schema.model_source import LocalModelSource
from modelshelf.testing import tiny

__all__ = ["installing"]

_MODELS_A_SECOND = 100
_FLAT = 32 << 20
"""Bytes by which memory may grow from the first tenth of the models to the last."""


def installing(scale: Scale, folder: Path) -> list[Row]:
    """Install LoRAs, each another one, into a new library through the service."""
    models = _loras(folder / "loras", scale.installs)
    speeds, growths = [], []
    for number in range(scale.rounds):
        library = folder / f"library-{number}"
        settle()
        seconds, grown = _install(models, library)
        speeds.append(len(models) / seconds)
        growths.append(grown)
        remove(library)
    speed, grown = sorted(speeds)[len(speeds) // 2], max(growths)
    return [
        Row(
            task=f"install {len(models)} LoRAs of this machine",
            ours=f"{speed:.0f} models a second ({min(speeds):.0f}-{max(speeds):.0f})",
            goal=f"≥ {_MODELS_A_SECOND} a second",
            is_met=speed >= _MODELS_A_SECOND,
        ),
        Row(
            task=f"memory growth from a tenth of {len(models)} installs to the last",
            ours=f"{grown / (1 << 20):.0f} MiB",
            goal="≤ 32 MiB",
            is_met=grown <= _FLAT,
        ),
    ]


def _loras(folder: Path, count: int) -> list[Path]:
    return [
        tiny.lora(folder / f"{number:05d}.safetensors", base="sd-1", seed=number, size=300_000)
        for number in range(count)
    ]


def _install(models: list[Path], library: Path) -> tuple[float, int]:
    settings = Settings(root=library)
    with (
        ModelRecordServiceBase.open(settings) as store,
        DownloadQueueService(quiet=True) as queue,
        ModelInstallService(settings, store, queue) as installer,
    ):
        tenth = models[: max(len(models) // 10, 1)]
        started = time.perf_counter()
        for model in tenth:
            installer.import_model(LocalModelSource(path=model))
        installer.wait_for_installs()
        before = _resident()
        for model in models[len(tenth) :]:
            installer.import_model(LocalModelSource(path=model))
        jobs = installer.wait_for_installs()
        seconds = time.perf_counter() - started
        grown = _resident() - before
    failed = [job.error for job in jobs if not job.complete]
    if failed:
        raise RuntimeError(failed[0])
    return seconds, grown


def _resident() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    return 0 if found is None else int(found[1]) * 1024
