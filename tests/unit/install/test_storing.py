"""The last step of an installation, beside others who change the same library."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from modelshelf.errors import UnknownModelException
from modelshelf.install.storing import ModelStorer
from modelshelf.install.wish import ModelWish
from modelshelf.manager import NormalizedModelManager
from modelshelf.manager.assembly import assemble
from modelshelf.schema.config import AnyModelConfig, ModelConfigBase
from modelshelf.schema.model_source import LocalModelSource
from modelshelf.settings import Settings
from modelshelf.testing import tiny


class Removed:
    """The records of a library of which somebody removes one model, right after it was added."""

    def __init__(self, shelf: NormalizedModelManager, name: str) -> None:
        self._shelf = shelf
        self._name = name

    def __getattr__(self, name: str) -> object:
        return getattr(self._shelf.store, name)

    def get_model(self, key: str) -> AnyModelConfig:
        """Return a record, unless it is the one that is gone."""
        if any(info.key == key and info.name == self._name for info in self._shelf.list_models()):
            self._shelf.delete(key)
        return self._shelf.store.get_model(key)


def test_who_removes_one_model_meanwhile_fails_no_other(tmp_path: Path) -> None:
    """Of several that are stored together, the others are there, and said to be."""
    services = assemble(
        Settings(root=tmp_path / "shelf"), clock=lambda: datetime(2030, 1, 1, tzinfo=UTC)
    )
    models = [
        tiny.lora(tmp_path / f"ink-{seed}.safetensors", base="sd-1", seed=seed) for seed in range(3)
    ]
    with NormalizedModelManager(services) as shelf:
        records = Removed(shelf, "ink-1")
        storer = ModelStorer(services.adder, records, records)  # type: ignore[arg-type] # the rest is the store's
        wanted = [(LocalModelSource(path=str(path)), ModelWish()) for path in models]
        first, gone, last = storer.store_together(wanted)
        assert isinstance(gone, UnknownModelException)
        assert isinstance(first, ModelConfigBase)
        assert isinstance(last, ModelConfigBase)
        assert [info.key for info in shelf.list_models()] == [first.key, last.key]
        assert shelf.verify().clean
