from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from modelshelf import Settings, normalized_model_manager
from modelshelf.schema.selector import Order
from modelshelf.schema.selector_language import parse_selector
from modelshelf.testing import tiny

NOW = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "type:lora or type:vae", "-tag:ink", "type:main"])
def test_keys_are_those_of_the_records_in_their_order(tmp_path: Path, text: str) -> None:
    """Whatever the order, and with a model in the trash and one that lies elsewhere."""
    selector = parse_selector(text, now=NOW)
    with normalized_model_manager(Settings(root=tmp_path / "library")) as manager:
        for seed, name in enumerate(("one", "two", "three")):
            manager.add(tiny.vae(tmp_path / f"{name}.safetensors", base="sd-1", seed=seed))
        manager.add(tiny.lora(tmp_path / "gone.safetensors", base="sd-1"))
        manager.delete("gone")
        away = {"name": "away", "type": "lora", "format": "lycoris", "base": "sdxl", "path": "/a"}
        manager.store.add_model("0" * 32, away)
        used = {"last_used_at": 1_000_000.0, "tags": ["ink"]}
        manager.store.update_model(manager.get_model("two").key, used)
        for order in Order:
            for descending in (False, True):
                found = manager.store.find(selector, order=order, descending=descending)
                keys = manager.store.find_keys(selector, order=order, descending=descending)
                assert keys == [config.key for config in found]
