"""The tables of MM2's records; in a library's database, in a file of their own, or in somebody else's.

::

    model_config ──┬── model_config_base     every base that the model works with
                   ├── model_config_tag      its tags
                   └── model_config_hash     every hash that it is known by
    model_manager_metadata                   which version all this is; not in a library's database

The record itself is the JSON text in `config`. Everything else is made from it, for searching: text is
folded (`str.casefold`), because databases do not agree on what is the same letter; `key` and `name` are
there as they are, too. What is sorted by compares code points everywhere.

On SQLite a full-text index stands beside (`text_index`).
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    event,
)

from modelshelf.records.tables import metadata

__all__ = [
    "alone_metadata",
    "config_metadata",
    "model_config",
    "model_config_base",
    "model_config_hash",
    "model_config_tag",
    "model_manager_metadata",
]

config_metadata = MetaData(naming_convention=metadata.naming_convention)
"""The tables of records, wherever they are."""
alone_metadata = MetaData(naming_convention=metadata.naming_convention)
"""What a database of records has besides, unless it is a whole library's: that counts its own versions."""

# Code points compare alike everywhere: SQLite by itself, PostgreSQL where it is told so.
_Plain = Text().with_variant(Text(collation="C"), "postgresql")
_Id = BigInteger().with_variant(Integer(), "sqlite")


def _sorted(name: str, *columns: str) -> Index:
    """Let a page of a long list be read without sorting all of it, on SQLite; see `page_index`."""
    # What is hidden comes last: first, it would look to SQLite like the column to search by.
    index = Index(f"ix_model_config_{name}", *columns, "key", "hidden")
    return index.ddl_if(dialect="sqlite")


def _looked_up(table: str, column: str) -> Index:
    """Let a column be asked for its whole text. Hashed on PostgreSQL, for the same reason."""
    # As text: an index with an option of PostgreSQL's would import its dialect for SQLite, too.
    name = f"ix_{table}_{column}"
    hashed = DDL(f"CREATE INDEX {name} ON {table} USING hash ({column})")  # type: ignore[no-untyped-call]
    event.listen(config_metadata, "after_create", hashed.execute_if(dialect="postgresql"))
    return Index(name, column).ddl_if(dialect="sqlite")


model_config = Table(
    "model_config",
    config_metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", _Plain, nullable=False, unique=True),
    Column("hidden", Boolean, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("type", _Plain, nullable=False),
    Column("base", _Plain, nullable=False),
    Column("name", _Plain, nullable=False),
    Column("format", _Plain, nullable=False),
    Column("size", BigInteger),
    Column("created_at", Double),
    Column("updated_at", Double),
    Column("last_used_at", Double),
    Column("variant", _Plain),
    Column("prediction", _Plain),
    Column("folded_key", _Plain, nullable=False),
    Column("folded_name", _Plain, nullable=False),
    Column("folded_path", _Plain, nullable=False),
    Column("folded_author", _Plain),
    Column("folded_license", _Plain),
    Column("folded_source", _Plain),
    Column("text", _Plain, nullable=False),
    Column("config", _Plain, nullable=False),
    _sorted("default", "type", "base", "name", "format"),
    _sorted("name", "name"),
    _sorted("type", "type"),
    _sorted("base", "base"),
    _sorted("format", "format"),
    _sorted("size", "size"),
    _sorted("created_at", "created_at"),
    _sorted("updated_at", "updated_at"),
    _sorted("last_used_at", "last_used_at"),
    _looked_up("model_config", "folded_key"),
    _looked_up("model_config", "folded_name"),
    _looked_up("model_config", "folded_path"),
    sqlite_autoincrement=True,
)
"""A record. *hidden* is a model of the library that lies in the trash; *text* is what a full-text search
looks at."""

model_config_base = Table(
    "model_config_base",
    config_metadata,
    Column("config_id", ForeignKey("model_config.id"), primary_key=True),
    Column("base", _Plain, primary_key=True),
    Index("ix_model_config_base_base", "base", "config_id"),
    sqlite_with_rowid=False,
)

model_config_tag = Table(
    "model_config_tag",
    config_metadata,
    Column("config_id", ForeignKey("model_config.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("folded_tag", _Plain, nullable=False),
    _looked_up("model_config_tag", "folded_tag"),
    sqlite_with_rowid=False,
)

model_config_hash = Table(
    "model_config_hash",
    config_metadata,
    Column("config_id", ForeignKey("model_config.id"), primary_key=True),
    Column("is_own", Boolean, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("hash", _Plain, nullable=False),
    _looked_up("model_config_hash", "hash"),
    sqlite_with_rowid=False,
)
"""Lower-case digits. *is_own* are those that the record says itself, others are those of its files."""

model_manager_metadata = Table(
    "model_manager_metadata",
    alone_metadata,
    Column("metadata_key", _Plain, primary_key=True),
    Column("metadata_value", _Plain, nullable=False),
)
