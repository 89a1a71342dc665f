"""The full-text index that stands beside the records on SQLite, kept right by triggers whoever writes.

It holds three-letter groups, so it finds parts of words, in any script, and not only their beginnings. Each
text has two line ends more there: so its last letters too begin a group, and words of one or two letters are
found as the beginnings of groups.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import OperationalError

__all__ = ["TEXT_INDEX", "TEXT_TERMS", "has_older_text_index", "make_text_index"]

TEXT_INDEX = "model_config_text"
"""The name of SQLite's full-text index, and the beginning of the names of all that belongs to it."""
TEXT_TERMS = "model_config_text_terms"
"""The three-letter groups that are in the index, each once, sorted: where shorter words are looked up."""

_TEXT_INDEX = (
    """
    CREATE VIEW model_config_text_source AS
    SELECT id, text || char(10, 10) AS text FROM model_config
    """,
    """
    CREATE VIRTUAL TABLE model_config_text USING fts5(
        text, content='model_config_text_source', content_rowid='id', tokenize='trigram case_sensitive 1'
    )
    """,
    "CREATE VIRTUAL TABLE model_config_text_terms USING fts5vocab('model_config_text', 'row')",
    """
    CREATE TRIGGER model_config_text_added AFTER INSERT ON model_config
    BEGIN
        INSERT INTO model_config_text (rowid, text) VALUES (NEW.id, NEW.text || char(10, 10));
    END
    """,
    """
    CREATE TRIGGER model_config_text_removed AFTER DELETE ON model_config
    BEGIN
        INSERT INTO model_config_text (model_config_text, rowid, text)
        VALUES ('delete', OLD.id, OLD.text || char(10, 10));
    END
    """,
    """
    CREATE TRIGGER model_config_text_changed AFTER UPDATE OF id, text ON model_config
    WHEN OLD.id <> NEW.id OR OLD.text <> NEW.text
    BEGIN
        INSERT INTO model_config_text (model_config_text, rowid, text)
        VALUES ('delete', OLD.id, OLD.text || char(10, 10));
        INSERT INTO model_config_text (rowid, text) VALUES (NEW.id, NEW.text || char(10, 10));
    END
    """,
    "INSERT INTO model_config_text (model_config_text) VALUES ('rebuild')",
)
_OLD_TEXT_INDEX = (
    "DROP TRIGGER IF EXISTS model_config_text_added",
    "DROP TRIGGER IF EXISTS model_config_text_removed",
    "DROP TRIGGER IF EXISTS model_config_text_changed",
    "DROP TABLE IF EXISTS model_config_text",
    "DROP VIEW IF EXISTS model_config_text_source",
)


def has_older_text_index(connection: Connection) -> bool:
    """Say whether there is a full-text index of an earlier modelshelf, which lacks shorter words."""
    names = inspect(connection).get_table_names()
    return TEXT_INDEX in names and TEXT_TERMS not in names


def make_text_index(connection: Connection) -> None:
    """Make the full-text index on SQLite, where it is able to; elsewhere texts are read one by one."""
    if connection.dialect.name != "sqlite" or TEXT_TERMS in inspect(connection).get_table_names():
        return
    savepoint = connection.begin_nested()
    try:
        for statement in (*_OLD_TEXT_INDEX, *_TEXT_INDEX):
            connection.exec_driver_sql(statement)
    except OperationalError:
        # A SQLite before 3.34, or one made without FTS5: finding is slower and finds the same.
        savepoint.rollback()
    else:
        savepoint.commit()
