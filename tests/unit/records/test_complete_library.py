from __future__ import annotations

import hashlib
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from modelshelf import Settings, normalized_model_manager
from modelshelf.errors import InvalidModelConfigException, StoreUnusableError
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


def as_revision_6(path: Path) -> None:
    """Make of a library one of the revision whose records said the digest as `hash`."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "UPDATE model_config SET config ="
            " json_set(config, '$.hash', 'blake3:' || json_extract(config, '$.blake3'))"
        )
        connection.execute(
            "DELETE FROM model_config_hash WHERE is_own AND length(hash) = 32",
        )
        connection.execute("UPDATE alembic_version SET version_num = '0006'")
        connection.commit()


def test_records_that_said_the_digest_say_the_quick_hash(settings: Settings) -> None:
    """It is what it would have been, the rest stays, and every hash finds its model as before."""
    with normalized_model_manager(settings) as manager:
        key = manager.get_model("lora").key
        manager.store.update_model(key, {"tags": ["ink"], "description": "Said"})
        before = manager.store.all_models()
    as_revision_6(settings.db_path)
    with normalized_model_manager(settings) as manager:
        after = manager.store.all_models()
        assert [one.model_dump(exclude={"revision"}) for one in after] == [
            one.model_dump(exclude={"revision"}) for one in before
        ]
        assert [one.revision for one in after] == [one.revision + 1 for one in before]
        for one in after:
            for digits in one.hashes:
                assert one.key in {found.key for found in manager.store.search_by_hash(digits)}
        manager.undo(manager.trash()[0].trash_id)
        assert manager.store.search_by_name("gone")[0].hash.startswith("imohash:")
    backup = settings.db_path.with_suffix(".before-0008-was-0006.db")
    with closing(sqlite3.connect(backup)) as connection:
        said = connection.execute("SELECT json_extract(config, '$.hash') FROM model_config")
        assert all(value.startswith("blake3:") for (value,) in said)


def test_a_model_of_which_no_quick_hash_is_known_has_its_digest(settings: Settings) -> None:
    """Libraries from before quick hashes were kept have none of what they held then."""
    with closing(sqlite3.connect(settings.db_path)) as connection:
        connection.execute("UPDATE part_file SET imohash = NULL")
        connection.execute("UPDATE original_file SET imohash = NULL")
        connection.commit()
    as_revision_6(settings.db_path)
    with normalized_model_manager(settings) as manager:
        for one in manager.store.all_models():
            assert one.hash == f"blake3:{one.blake3}"
            assert one.revision == 1


@pytest.mark.parametrize(
    "spoiled",
    [
        '{"name": "lora", "model_type": "laura"}',
        "[" * 100_000,
        "an own key",
        "no key",
    ],
    ids=["fields", "depth", "own-key", "no-key"],
)
def test_a_record_that_somebody_spoiled_stops_no_library(settings: Settings, spoiled: str) -> None:
    """The others come up to date, and that one stays as it is for who can mend it."""
    with normalized_model_manager(settings) as manager:
        key = manager.get_model("lora").key
        other = manager.get_model("vae").key
    as_revision_6(settings.db_path)
    with closing(sqlite3.connect(settings.db_path)) as connection:
        (written,) = connection.execute(
            "SELECT config FROM model_config WHERE key = ?", (key,)
        ).fetchone()
        spoiled = {
            "an own key": json.dumps(json.loads(written) | {"key": "ink"}),
            "no key": json.dumps(json.loads(written) | {"key": ""}),
        }.get(spoiled, spoiled)
        connection.execute("UPDATE model_config SET config = ? WHERE key = ?", (spoiled, key))
        connection.commit()
    with normalized_model_manager(settings) as manager:
        assert manager.store.get_model(other).hash.startswith("imohash-tree:")
        with pytest.raises(InvalidModelConfigException):
            manager.store.get_model(key)
    with closing(sqlite3.connect(settings.db_path)) as connection:
        kept = connection.execute("SELECT config FROM model_config WHERE key = ?", (key,))
        assert kept.fetchone() == (spoiled,)


@pytest.mark.parametrize(("models", "level"), [(4, "INFO"), (2_500, "WARNING")])
def test_who_waits_for_a_large_library_hears_why(
    settings: Settings, models: int, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    """How many models there are, and where the library is kept as it was."""
    as_revision_6(settings.db_path)
    with closing(sqlite3.connect(settings.db_path)) as connection:
        connection.execute(
            "WITH RECURSIVE number(n) AS (SELECT 5 UNION SELECT n + 1 FROM number WHERE n < ?)"
            " INSERT INTO model_name SELECT printf('%032x', n), id, 'copy ' || n, source,"
            " description, entry, suffix, added_at, NULL FROM number,"
            " (SELECT * FROM model_name WHERE trash_id IS NULL LIMIT 1)",
            (models,),
        )
        connection.commit()
    with caplog.at_level("INFO", logger="modelshelf.records"):
        normalized_model_manager(settings).close()
    (said,) = [one for one in caplog.records if one.name == "modelshelf.records"]
    assert said.levelname == level
    assert "models.before-0008-was-0006.db" in said.getMessage()
    with normalized_model_manager(settings) as manager:
        assert manager.store.count() >= models - 1


def test_a_step_that_fails_half_way_changes_nothing(settings: Settings) -> None:
    """The library is of the old revision whole, and comes up to date when what was in the way is gone."""
    as_revision_6(settings.db_path)
    with closing(sqlite3.connect(settings.db_path)) as connection:
        rows = connection.execute("SELECT * FROM model_config ORDER BY id").fetchall()
        connection.execute(
            "CREATE TRIGGER in_the_way BEFORE UPDATE ON model_config"
            " WHEN OLD.id = (SELECT max(id) FROM model_config WHERE NOT hidden)"
            " BEGIN SELECT raise(ABORT, 'no'); END"
        )
        connection.commit()
    with pytest.raises(StoreUnusableError):
        normalized_model_manager(settings)
    with closing(sqlite3.connect(settings.db_path)) as connection:
        assert connection.execute("SELECT * FROM model_config ORDER BY id").fetchall() == rows
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        assert revision == ("0006",)
        connection.execute("DROP TRIGGER in_the_way")
        connection.commit()
    with normalized_model_manager(settings) as manager:
        assert all(one.hash.startswith("imohash") for one in manager.store.all_models())


def test_many_open_an_old_library_at_once(settings: Settings) -> None:
    """One of them brings it up to date, and the others wait for that; each record is corrected once."""
    as_revision_6(settings.db_path)

    def opened(_: int) -> list[tuple[str, int]]:
        with normalized_model_manager(settings) as manager:
            return [
                (one.hash.partition(":")[0], one.revision) for one in manager.store.all_models()
            ]

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(opened, range(4))
    assert others == [first] * 3
    assert {revision for _, revision in first} == {2}
    assert {algorithm for algorithm, _ in first} == {"imohash", "imohash-tree"}
