"""A hub with one small model, and a command line whose settings name it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf.testing import tiny
from tests.desks import Desk
from tests.hubs import HuggingFaceHub, hugging_face_hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HuggingFaceHub]:
    with hugging_face_hub() as hub:
        hub.add("acme/dream", tiny.pipeline(tmp_path / "dream", base="sd-1", size=3_000_000))
        yield hub


@pytest.fixture
def desk(tmp_path: Path, hub: HuggingFaceHub) -> Desk:
    return Desk(tmp_path, hub)
