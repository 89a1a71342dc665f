from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from modelshelf import NormalizedModelManager, Settings, normalized_model_manager
from modelshelf.errors import InvalidSettingError, StoreUnusableError
from tests.shelves import plain_pipeline


@dataclass
class HostConfig:
    """What a program configures itself with, as the specification's example does."""

    root_path: Path


def test_opens_for_a_host_program(tmp_path: Path) -> None:
    """Any object with the documented attributes will do, and is the same library as its settings."""
    with normalized_model_manager(HostConfig(tmp_path / "shelf")) as nmm:
        model = nmm.import_model(plain_pipeline(tmp_path / "model"))
    with normalized_model_manager(Settings(root=tmp_path / "shelf")) as nmm:
        assert isinstance(nmm, NormalizedModelManager)
        assert nmm.get_model(model).name == "model"


def test_refuses_what_is_no_configuration() -> None:
    """An object without a root is refused before anything is made."""
    with pytest.raises(InvalidSettingError):
        normalized_model_manager(object())


def test_opening_makes_what_is_documented(tmp_path: Path) -> None:
    """A new library is the database and the folders of the drawing, and nothing besides."""
    normalized_model_manager(Settings(root=tmp_path / "shelf")).close()
    made = {str(path.relative_to(tmp_path / "shelf")) for path in (tmp_path / "shelf").rglob("*")}
    assert made == {
        "databases",
        "databases/models.db",
        "databases/models.lock",
        "models",
        "models/.cache",
        "models/blob",
    }


def test_a_file_in_place_of_the_root_is_refused(tmp_path: Path) -> None:
    """What is there is not touched."""
    (tmp_path / "shelf").write_bytes(b"mine")
    with pytest.raises(StoreUnusableError):
        normalized_model_manager(Settings(root=tmp_path / "shelf"))
    assert (tmp_path / "shelf").read_bytes() == b"mine"


def test_the_drawing_is_what_lies_on_disk(tmp_path: Path) -> None:
    """Parts lie in folders named by UUIDs, read-only, as `docs/format.md` and the store's class draw."""
    with normalized_model_manager(Settings(root=tmp_path / "shelf")) as nmm:
        nmm.import_model(plain_pipeline(tmp_path / "model"))
    blob = tmp_path / "shelf" / "models" / "blob"
    for part in blob.iterdir():
        assert [len(step) for step in part.name.split("-")] == [8, 4, 4, 4, 12]
        for path in part.rglob("*"):
            assert path.is_dir() or path.stat().st_mode & 0o777 == 0o444
