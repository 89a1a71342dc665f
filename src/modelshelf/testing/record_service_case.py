"""A store of model records under test, and the steps that its contract repeats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from modelshelf.protocols import ModelRecords
from modelshelf.schema.config import AnyModelConfig

__all__ = ["RecordServiceCase", "lora"]

START = datetime(2030, 5, 6, 7, 8, 9, tzinfo=UTC)
"""What time it is when a test begins."""


def lora(name: str = "ink", **fields: object) -> dict[str, Any]:
    """Return the fields of a LoRA, with *fields* besides or instead."""
    usual = {
        "name": name,
        "type": "lora",
        "format": "lycoris",
        "base": "sdxl",
        "path": f"sdxl/lora/{name}.safetensors",
    }
    return usual | fields


class RecordServiceCase(ABC):
    """Supplies the store; a subclass says how one is made and opened again.

    Before each test it sets `service`, made with `clock` as its clock. After the test it closes it.
    """

    service: ModelRecords
    """A store with nothing in it."""

    passed: timedelta = timedelta()
    """How long the test has lasted, by its own clock."""

    @abstractmethod
    def another(self) -> ModelRecords:
        """Open the same records once more, as another process would. The subclass closes it."""

    def clock(self) -> datetime:
        """Return the test's time: each look is a second later."""
        self.passed += timedelta(seconds=1)
        return START + self.passed

    def add(self, key: str, name: str = "ink", **fields: object) -> AnyModelConfig:
        """Add a LoRA."""
        return self.service.add_model(key, lora(name, **fields))

    def everything(self) -> list[dict[str, Any]]:
        """Return all there is, to compare."""
        return [config.to_document() for config in self.service.all_models()]


def keys(configs: Iterable[AnyModelConfig]) -> list[str]:
    """Return the keys of records, in their order."""
    return [config.key for config in configs]
