from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from modelshelf.manager import NormalizedModelManager
from modelshelf.schema.selector import Everything, Order
from modelshelf.schema.selector_language import parse_selector
from modelshelf.testing import tiny
from tests.shelves import StandingClock, open_shelf, plain_pipeline

Use = Callable[[NormalizedModelManager, Path], object]


@pytest.fixture
def clock() -> StandingClock:
    """The library's time."""
    return StandingClock()


@pytest.fixture
def shelf(tmp_path: Path, clock: StandingClock) -> NormalizedModelManager:
    """A library with a file and a pipeline that nobody has used."""
    shelf = open_shelf(tmp_path / "library", clock=clock)
    shelf.add(tiny.lora(tmp_path / "ink.safetensors", base="sd-1"))
    shelf.add(plain_pipeline(tmp_path / "pipe"))
    return shelf


def used(shelf: NormalizedModelManager, clock: StandingClock, selector: str) -> list[str]:
    wanted = parse_selector(selector, now=clock.now)
    return [one.name for one in shelf.store.find(wanted)]


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("ink", lambda shelf, _: shelf.get_model_by_name("ink", "lora")),
        ("pipe", lambda shelf, _: shelf.get_pipeline_by_name("pipe", "unknown")),
        ("pipe", lambda shelf, _: shelf.get_pipeline_by_name("pipe", "unknown", "unet")),
        ("ink", lambda shelf, folder: shelf.export("ink", destination=folder / "out")),
        ("pipe", lambda shelf, folder: shelf.export(selector="pipe", destination=folder / "out")),
        ("ink", lambda shelf, _: shelf.export_tar(selector="ink", stream=BytesIO())),
    ],
    ids=["name", "pipeline", "part", "export", "export-pipeline", "tar"],
)
def test_handing_a_model_out_is_using_it(
    shelf: NormalizedModelManager, clock: StandingClock, tmp_path: Path, name: str, use: Use
) -> None:
    """Selectors on `used` know of it, and count days from it."""
    assert used(shelf, clock, "used:never") == ["ink", "pipe"]
    use(shelf, tmp_path)
    assert used(shelf, clock, "-used:never") == [name]
    assert used(shelf, clock, "used<1d") == [name]
    clock.pass_days(91)
    assert used(shelf, clock, "used>90d") == [name]
    assert shelf.store.find_keys(order=Order.USED)[0] == shelf.get_model(name).key


def test_looking_is_not_using(shelf: NormalizedModelManager, clock: StandingClock) -> None:
    """Lists, looks and checks leave the time of use alone."""
    shelf.list_models()
    shelf.list_pipelines()
    shelf.find("ink")
    shelf.files("ink")
    shelf.get_model("ink")
    shelf.store.find(Everything)
    shelf.verify()
    assert used(shelf, clock, "used:never") == ["ink", "pipe"]


def test_use_is_noted_once_a_day(shelf: NormalizedModelManager, clock: StandingClock) -> None:
    """It is no change of the record, and who changes that meanwhile is not refused."""
    held = shelf.store.get_model(shelf.get_model("ink").key)
    first = clock.now.timestamp()
    for days, expected in ((0, first), (0, first), (1, first + 86_400), (3, first + 4 * 86_400)):
        clock.pass_days(days)
        shelf.get_model_by_name("ink", "lora")
        config = shelf.store.get_model(held.key)
        assert config.last_used_at == expected
        assert (config.revision, config.updated_at) == (held.revision, held.updated_at)
    held.description = "Black lines"
    changed = shelf.store.update_model(held.key, held)
    assert (changed.description, changed.last_used_at) == ("Black lines", first + 4 * 86_400)
    assert shelf.store.update_model(held.key, {"last_used_at": None}).last_used_at is None


def test_a_model_that_is_gone_is_not_noted(
    shelf: NormalizedModelManager, clock: StandingClock
) -> None:
    """Whoever still holds its key may say that it was used; nothing comes of it."""
    key = shelf.get_model("ink").key
    shelf.delete("ink")
    for gone in (key, "nobody", "\ud800"):
        shelf.store.mark_used(gone)
    shelf.undo(shelf.trash()[0].trash_id)
    assert used(shelf, clock, "used:never") == ["ink", "pipe"]
