from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.errors import ModelshelfError, SourceChangedError, StoreWriteError
from modelshelf.install.pipeline import is_small
from modelshelf.install.wish import ModelWish
from modelshelf.manager.assembly import Services, assemble
from modelshelf.schema.manifest import ImportPlan
from modelshelf.schema.stored import Registered
from modelshelf.settings import Settings
from modelshelf.testing import tiny
from modelshelf.testing.faults import CountingDisk, FailingDisk, system_error


def library(root: Path, disk: LocalDisk | CountingDisk | FailingDisk | None = None) -> Services:
    return assemble(Settings(root=root), clock=lambda: datetime(2030, 1, 1, tzinfo=UTC), disk=disk)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Services]:
    services = library(tmp_path / "shelf")
    yield services
    services.records.close()


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "mine"
    return [
        tiny.lora(folder / f"ink-{seed}.safetensors", base="sd-1", seed=seed, size=200_000)
        for seed in range(4)
    ]


def plans_of(shelf: Services, models: list[Path]) -> list[ImportPlan]:
    return [shelf.adder.plan(model) for model in models]


def registered(outcome: Registered | ModelshelfError) -> Registered:
    assert isinstance(outcome, Registered), outcome
    return outcome


def test_several_models_are_added_as_one_by_one(shelf: Services, models: list[Path]) -> None:
    """In order, with what they are seen at, and nothing left over."""
    plans = plans_of(shelf, models)
    assert all(map(is_small, plans))
    added = [registered(one) for one in shelf.adder.add_together(plans)]
    assert [info.name for info in shelf.records.named_models()] == [path.stem for path in models]
    assert [info.key for info in shelf.records.named_models()] == [one.key for one in added]
    for path, info in zip(models, shelf.records.named_models(), strict=True):
        assert info.path.read_bytes() == path.read_bytes()
    assert shelf.verifier.verify().clean
    assert shelf.records.leases() == []


def test_what_is_known_is_not_stored_again(shelf: Services, models: list[Path]) -> None:
    """Neither what the library has nor what two of them have in common."""
    shelf.adder.add_together(plans_of(shelf, models[:2]))
    twin = models[3].with_name("twin.safetensors")
    twin.write_bytes(models[3].read_bytes())
    again = shelf.adder.add_together(plans_of(shelf, [*models, twin]))
    assert [registered(one).is_new for one in again] == [False, False, True, True, True]
    assert len(list(shelf.records.parts())) == 4
    assert len(list(shelf.blobs.locations())) == 4
    assert shelf.verifier.verify().clean


def test_one_that_fails_does_not_stop_the_others(shelf: Services, models: list[Path]) -> None:
    """It says why, at its place."""
    plans = plans_of(shelf, models)
    plans[1] = shelf.adder.plan(models[1], wish=ModelWish(record={"upcast_attention": "maybe"}))
    os.utime(models[2], (1, 1))
    done = shelf.adder.add_together(plans)
    kinds = [type(one).__name__ for one in done]
    assert kinds == [
        "Registered",
        "InvalidModelConfigException",
        "SourceChangedError",
        "Registered",
    ]
    assert [info.name for info in shelf.records.named_models()] == ["ink-0", "ink-3"]
    assert len(list(shelf.blobs.locations())) == 2
    assert shelf.verifier.verify().clean


def test_a_failing_disk_adds_nothing(tmp_path: Path, models: list[Path]) -> None:
    """Whatever fails while they are written, the library is as before and can be written again."""
    counting = CountingDisk(LocalDisk())
    shelf = library(tmp_path / "counted", counting)
    plans = plans_of(shelf, models)
    first = len(counting.operations) + 1
    shelf.adder.add_together(plans)
    shelf.records.close()
    linked = [number for number, name in enumerate(counting.operations, 1) if "/sd-1/" in name]
    for at in range(first, linked[0], 3):
        disk = FailingDisk(LocalDisk(), at, system_error(5))
        shelf = library(tmp_path / f"shelf-{at}", disk)
        try:
            done = shelf.adder.add_together(plans)
        except StoreWriteError:
            done = []
        names = [info.name for info in shelf.records.named_models()]
        assert names == ([path.stem for path in models] if done else [])
        shelf.collector.collect(expire_trash=None)
        assert shelf.verifier.verify().clean
        shelf.records.close()


def test_what_changed_after_it_was_sampled_is_refused(shelf: Services, models: list[Path]) -> None:
    """As when it is added alone."""
    plans = plans_of(shelf, models[:1])
    models[0].write_bytes(b"another")
    (done,) = shelf.adder.add_together(plans)
    assert isinstance(done, SourceChangedError)
    assert shelf.records.named_models() == []
