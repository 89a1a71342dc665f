from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from modelshelf import Settings, normalized_model_manager
from modelshelf.testing import tiny

_STALE = ("created_at", "updated_at", "revision")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Make a library with a file, a folder, a checkpoint and something in the trash."""
    settings = Settings(root=tmp_path / "library")
    with normalized_model_manager(settings) as manager:
        manager.add(tiny.lora(tmp_path / "lora.safetensors", base="sd-1"))
        manager.add(tiny.vae(tmp_path / "vae", base="sd-1", folder=True))
        manager.add(tiny.checkpoint(tmp_path / "main.safetensors"))
        manager.add(tiny.vae(tmp_path / "gone.safetensors", base="sd-1", seed=9))
        manager.delete("gone")
    return settings


def without_records(path: Path) -> None:
    """Make of a library one of the revision before records."""
    with closing(sqlite3.connect(path)) as connection:
        for name in (
            "model_config_text_terms",
            "model_config_text",
            "model_config_base",
            "model_config_tag",
            "model_config_hash",
            "model_config",
            "model_metadata",
        ):
            connection.execute(f"DROP TABLE {name}")
        connection.execute("DROP VIEW model_config_text_source")
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
        connection.commit()


def test_models_of_an_older_library_get_their_records(settings: Settings) -> None:
    """They say what they would have said had they been there when the models were added."""
    with normalized_model_manager(settings) as manager:
        before = manager.store.all_models()
        hashes = [file.sha256 for model in before for file in manager.files(model.key)]
        found = [[one.key for one in manager.store.search_by_hash(each)] for each in hashes]
    assert any(found)
    without_records(settings.db_path)
    with normalized_model_manager(settings) as manager:
        after = manager.store.all_models()
        assert [one.model_dump(exclude={*_STALE}) for one in after] == [
            one.model_dump(exclude={*_STALE}) for one in before
        ]
        for one in after:
            assert one.created_at is not None
            added_at = manager.get_model(one.key).added_at
            assert added_at is not None
            assert one.created_at == pytest.approx(added_at.timestamp())
        assert found == [[one.key for one in manager.store.search_by_hash(each)] for each in hashes]
        assert manager.store.search_by_name("gone") == []
        manager.undo(manager.trash()[0].trash_id)
        assert [one.name for one in manager.store.search_by_name("gone")] == ["gone"]


def test_what_was_said_of_a_model_stays_when_the_library_is_opened_again(
    settings: Settings,
) -> None:
    """Records are completed once, when the schema changes."""
    with normalized_model_manager(settings) as manager:
        key = manager.get_model("lora").key
        manager.store.update_model(key, {"tags": ["ink"]})
    with normalized_model_manager(settings) as manager:
        assert manager.store.get_model(key).tags == ["ink"]


def test_loose_files_of_an_older_library_are_found(settings: Settings, tmp_path: Path) -> None:
    """A library of the revision that left their hashes out has them when it is opened again."""
    folder = tiny.pipeline(tmp_path / "pipe", base="sd-1")
    readme = b"Read me."
    (folder / "README.md").write_bytes(readme)
    wanted = hashlib.sha256(readme).hexdigest()
    with normalized_model_manager(settings) as manager:
        manager.add(folder)
        assert [one.name for one in manager.store.search_by_hash(wanted)] == ["pipe"]
        before = {one.key: (one.sha256, one.updated_at) for one in manager.store.all_models()}
    with closing(sqlite3.connect(settings.db_path)) as connection:
        connection.execute("DELETE FROM model_config_hash WHERE hash = ?", (wanted,))
        connection.execute("UPDATE model_config SET config = json_remove(config, '$.sha256')")
        connection.execute("DROP TABLE model_metadata")
        connection.execute("UPDATE alembic_version SET version_num = '0004'")
        connection.commit()
    with normalized_model_manager(settings) as manager:
        assert [one.name for one in manager.store.search_by_hash(wanted[:10])] == ["pipe"]
        after = {one.key: (one.sha256, one.updated_at) for one in manager.store.all_models()}
        assert after == before
        assert [one.name for one in manager.store.find_text("go")] == []
        assert [one.name for one in manager.store.find_text("pi")] == ["pipe"]
