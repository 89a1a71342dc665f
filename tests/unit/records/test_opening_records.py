from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Lock

import pytest

from modelshelf import Settings, normalized_model_manager
from modelshelf.errors import DuplicateKeyError, InvalidChoiceError, InvalidModelConfigException
from modelshelf.records.services import (
    LibraryRecordService,
    ModelRecordServiceBase,
    ModelRecordServiceFile,
    ModelRecordServiceSQL,
)
from modelshelf.settings import Config
from modelshelf.testing import tiny
from modelshelf.testing.record_service_case import lora


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Where a library is going to be."""
    return Settings(root=tmp_path / "library")


@pytest.mark.parametrize("is_lent", [False, True])
def test_settings_open_the_library_that_they_describe(
    settings: Settings, tmp_path: Path, *, is_lent: bool
) -> None:
    """Through a connection of the host's or of its own, a library that is not there yet is made."""
    settings.db_path.parent.mkdir(parents=True)
    conn = sqlite3.connect(settings.db_path, check_same_thread=False) if is_lent else None
    lock = Lock() if is_lent else None
    with ModelRecordServiceBase.open(settings, conn, lock) as store:
        store.add_model("elsewhere", lora())
    with normalized_model_manager(settings) as manager:
        key = manager.add(tiny.lora(tmp_path / "ink.safetensors", base="sd-1")).info.key
    with ModelRecordServiceBase.open(settings, conn, lock) as store:
        assert type(store) is LibraryRecordService
        assert {one.key for one in store.all_models()} == {key, "elsewhere"}
        changed = store.update_model(key, {"name": "night", "tags": ["dark"]})
        assert changed.name == "night"
        with pytest.raises(InvalidModelConfigException):
            store.update_model(key, {"path": "/elsewhere"})
        with pytest.raises(DuplicateKeyError):
            store.add_model(key, lora())
        store.del_model("elsewhere")
    if conn is not None:
        assert conn.execute("SELECT 1").fetchone() == (1,)
        conn.close()
    with normalized_model_manager(settings) as manager:
        assert [one.name for one in manager.list_models()] == ["night"]
        # What people see follows as soon as the library is used.
        manager.collect_garbage()
        assert manager.verify().clean
        assert (settings.models_path / "sd-1/lora/night.safetensors").is_file()


def test_deleting_through_a_lent_connection_is_deleting(settings: Settings, tmp_path: Path) -> None:
    """The model lies in the trash, from where it comes back."""
    with normalized_model_manager(settings) as manager:
        key = manager.add(tiny.lora(tmp_path / "ink.safetensors", base="sd-1")).info.key
    with (
        closing(sqlite3.connect(settings.db_path)) as conn,
        ModelRecordServiceBase.open(settings, conn, Lock()) as store,
    ):
        store.del_model(key)
        assert store.all_models() == []
    with normalized_model_manager(settings) as manager:
        manager.undo(manager.trash()[0].trash_id)
        assert manager.store.exists(key)
        assert manager.verify().clean


def test_a_lent_connection_to_another_database_is_the_hosts(
    settings: Settings, tmp_path: Path
) -> None:
    """Records go where the connection leads, whatever the settings say of a library."""
    with closing(sqlite3.connect(tmp_path / "host.db")) as conn:
        with ModelRecordServiceBase.open(settings, conn, Lock()) as store:
            assert type(store) is ModelRecordServiceSQL
            store.add_model("a", lora())
        assert conn.execute("SELECT key FROM model_config").fetchall() == [("a",)]


def test_a_path_is_opened_by_its_name(settings: Settings) -> None:
    """A relative path counts from the root; None means `conf_path`."""
    kinds: dict[str | None, type[ModelRecordServiceBase]] = {
        "records.db": ModelRecordServiceSQL,
        "other/records.yaml": ModelRecordServiceFile,
        None: ModelRecordServiceFile,
    }
    for chosen, kind in kinds.items():
        config = Settings(root=settings.root, model_config_db=chosen and Path(chosen))
        with ModelRecordServiceBase.open(config) as store:
            assert type(store) is kind
            store.add_model("a", lora())
        assert (config.root / (chosen or "configs/models.yaml")).is_file()


def test_a_yaml_store_is_in_no_database(settings: Settings) -> None:
    """Asked for a YAML store, `auto` has none to open."""
    with pytest.raises(InvalidChoiceError):
        ModelRecordServiceFile.open(settings)
    assert not settings.root.exists()


def test_the_configuration_of_the_document_serves_as_well(settings: Settings) -> None:
    """What `Settings.get_config` returns says what its settings say."""
    config = Config(settings)
    assert config.trash_retention == timedelta(days=30)
    with ModelRecordServiceBase.open(config) as store:
        assert type(store) is LibraryRecordService
        assert store.all_models() == []
