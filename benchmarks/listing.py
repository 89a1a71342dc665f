"""Asking a large library."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from blake3 import blake3

from benchmarks.race import call, settle
from benchmarks.row import Row
from benchmarks.scale import Scale
from modelshelf import (
    BaseModelType,
    Digest,
    ModelFormat,
    ModelType,
    Settings,
    normalized_model_manager,
)
from modelshelf.records import views
from modelshelf.records.database import Database
from modelshelf.records.register import register
from modelshelf.schema.manifest import (
    ImportPlan,
    PartFile,
    PartManifest,
    PlannedPart,
    part_digest,
)
from modelshelf.schema.member import MemberPath
from modelshelf.schema.stored import PartContent
from modelshelf.testing import tiny

__all__ = ["large_library"]


def large_library(scale: Scale, folder: Path) -> list[Row]:
    """List, look up in and add to a library of many models."""
    settings = Settings(root=folder / "library")
    with normalized_model_manager(settings):
        pass
    fill(folder / "library" / "databases" / "models.db", scale.models)
    shelf = (sys.executable, "-m", "modelshelf", "--root", folder / "library")
    models = [tiny.vae(folder / f"{seed}.safetensors", seed=seed) for seed in range(scale.rounds)]
    name = f"model {scale.models // 2:06d}"
    with normalized_model_manager(settings) as manager:
        listed = _seconds(manager.list_models, scale.rounds * 3)
        found = _seconds(partial(manager.get_model_by_name, name, "lora"), scale.rounds * 3)
        searched = _seconds(partial(manager.find, name), scale.rounds * 3)
        remaining = iter(models)
        added = _seconds(lambda: manager.add(next(remaining)), scale.rounds)
    command = _seconds(partial(call, *shelf, "ls", "-q"), scale.rounds)
    size = f"of {scale.models:,} models"
    return [
        _milliseconds(f"`list_models()` {size}", listed, at_most=200),
        _milliseconds(f"`get_model_by_name()` {size}", found),
        _milliseconds(f"`find(text)` {size}", searched),
        _milliseconds(f"add a 0.2 MB model to a library {size}", added),
        _milliseconds(f"`shelf ls -q` {size}, wall time", command),
    ]


def fill(database: Path, count: int) -> None:
    """Enter LoRAs of one file each, in one transaction, through what `add` itself calls.

    No file is stored for them: what is measured afterwards asks the database alone.
    """
    records = Database(database)
    with records.write() as connection:
        for number in range(count):
            plan, content = _invented(number)
            registered, _ = register(connection, plan, [content], None, now=number)
            # Or the next to add something would make all their links.
            views.settle_view(connection, registered.key)
    records.close()


def _invented(number: int) -> tuple[ImportPlan, PartContent]:
    member, size = MemberPath("model.safetensors"), 1_000_000 + number
    digest = Digest.blake3(blake3(number.to_bytes(8, "little")).digest())
    sha256 = Digest.sha256(digest.raw[::-1])
    planned = PlannedPart(
        folder="",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        bases=(BaseModelType.SD_1,),
        is_file=True,
        files=(),
    )
    plan = ImportPlan(
        name=f"model {number:06d}",
        type=planned.type,
        format=planned.format,
        bases=planned.bases,
        parts=(planned,),
        source=f"/models/loras/model {number:06d}.safetensors",
        file_name=f"model {number:06d}.safetensors",
    )
    content = PartContent(
        planned=planned,
        digest=part_digest([(member, size, digest)]),
        manifest=PartManifest((PartFile(member, size, digest, sha256, digest.raw[:16]),)),
        location=f"{number:08x}-0000-4000-8000-000000000000",
        is_new=True,
        bytes_stored=size,
    )
    return plan, content


def _seconds(act: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        settle()
        started = perf_counter()
        act()
        taken.append(perf_counter() - started)
    return median(taken)


def _milliseconds(task: str, seconds: float, *, at_most: int | None = None) -> Row:
    return Row(
        task=task,
        ours=f"{seconds * 1000:.3g} ms",
        goal="" if at_most is None else f"≤ {at_most} ms",
        is_met=None if at_most is None else seconds * 1000 <= at_most,
    )
