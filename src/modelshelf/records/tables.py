"""The database schema: NMM's tables by their names, and what keeps them true.

::

    model_id ──┬── model_path ──┬── model_base          one part, its bases
               │                ├── part_file           its files and their digests
               │                └── model_name          the names people gave it
               └── pipeline ────┬── pipeline_parts      its parts, by component folder
                                ├── original_file       the checkpoint that it came as, if it did
                                └── trash, view         also of model_name
    model_metadata                                      what was written about a model, by its key

Columns that hold digests are the raw 32 bytes; times are microseconds since 1970 in UTC; paths are
relative to the models folder, so a library can be moved.

Source: `spec/normalized-model-manager.md`, "Database tables". Beyond it: ids come from one sequence, so
a pipeline and a fundamental model never share one; the folder `''` in `pipeline_parts` holds what a
pipeline has outside its component folders (`docs/decisions/0002-leftovers-are-a-part.md`).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

__all__ = [
    "lease",
    "lease_item",
    "metadata",
    "model_base",
    "model_id",
    "model_metadata",
    "model_name",
    "model_path",
    "original_file",
    "part_file",
    "pipeline",
    "pipeline_parts",
    "trash",
    "view",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_alive = text("trash_id IS NULL")

model_id = Table(
    "model_id",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("is_pipeline", Boolean, nullable=False),
    sqlite_autoincrement=True,
)
"""One sequence for both kinds of ids; AUTOINCREMENT never gives one out twice."""

model_path = Table(
    "model_path",
    metadata,
    Column("id", ForeignKey("model_id.id"), primary_key=True),
    Column("type", String(40), nullable=False),
    Column("refcount", Integer, nullable=False, server_default="0"),
    Column("path", String(80), nullable=False, unique=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("format", String(40), nullable=False),
    Column("empty_folders", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("damaged_at", BigInteger),
)
"""NMM's MODEL_PATH: a part. *empty_folders* is a JSON list; *damaged_at* is set when `verify` finds the
part hurt."""

model_base = Table(
    "model_base",
    metadata,
    Column("id", ForeignKey("model_path.id"), primary_key=True),
    Column("base", String(40), primary_key=True),
    Column("position", Integer, nullable=False),
)
"""NMM's MODEL_BASE, one-to-many; *position* 0 is the part's own base, or the first of the taxonomy."""

trash = Table(
    "trash",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("deleted_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

model_name = Table(
    "model_name",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("id", ForeignKey("model_path.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("suffix", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("trash_id", ForeignKey("trash.id")),
    Index("ix_model_name_name", "name"),
    Index(
        "uq_model_name_alive",
        "id",
        "name",
        "source",
        unique=True,
        sqlite_where=_alive,
    ),
)
"""NMM's MODEL_NAME: a part may have several names, the same one from several sources, and deleted ones in
the trash. For a model that is
one file *entry* is that file's member in the part and *suffix* ends the name of an export; both are empty
for a folder."""

pipeline = Table(
    "pipeline",
    metadata,
    Column("id", ForeignKey("model_id.id"), primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("base", String(40), nullable=False),
    Column("toc", Text, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("source", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("trash_id", ForeignKey("trash.id")),
    Index("ix_pipeline_name_base", "name", "base"),
    Index(
        "uq_pipeline_alive",
        "name",
        "base",
        "digest",
        "source",
        unique=True,
        sqlite_where=_alive,
    ),
)
"""NMM's PIPELINE. *toc* is the path of its `model_index.json`, kept byte for byte."""

pipeline_parts = Table(
    "pipeline_parts",
    metadata,
    Column("pipeline_id", ForeignKey("pipeline.id"), primary_key=True),
    Column("part_folder", Text, primary_key=True),
    Column("part_id", ForeignKey("model_path.id"), nullable=False),
    Index("ix_pipeline_parts_part_id", "part_id"),
)
"""NMM's PIPELINE_PARTS."""

original_file = Table(
    "original_file",
    metadata,
    Column("pipeline_id", ForeignKey("pipeline.id"), primary_key=True),
    Column("suffix", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("blake3", LargeBinary(32), nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("imohash", LargeBinary(16)),
    Column("data_sha256", LargeBinary(32)),
    Index("ix_original_file_blake3", "blake3"),
    Index("ix_original_file_sha256", "sha256"),
    Index("ix_original_file_imohash", "imohash"),
    Index("ix_original_file_data_sha256", "data_sha256"),
)
"""The file that a converted checkpoint was. It is not stored: the recipe in the pipeline's part
`.original` brings it back (`docs/decisions/0007-a-checkpoint-becomes-a-pipeline.md`)."""

model_metadata = Table(
    "model_metadata",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("document", Text, nullable=False),
)
"""Everything that was written in and beside a model when it was added, as `ModelMetadata.document` says it."""

part_file = Table(
    "part_file",
    metadata,
    Column("part_id", ForeignKey("model_path.id"), primary_key=True),
    Column("member", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("blake3", LargeBinary(32), nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("quick", LargeBinary(16), nullable=False),
    Column("imohash", LargeBinary(16)),
    Column("data_sha256", LargeBinary(32)),
    Index("ix_part_file_blake3", "blake3"),
    Index("ix_part_file_sha256", "sha256"),
    Index("ix_part_file_imohash", "imohash"),
    Index("ix_part_file_data_sha256", "data_sha256"),
    Index("ix_part_file_size_quick", "size", "quick"),
    sqlite_with_rowid=False,
)

view = Table(
    "view",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("path", Text(collation="NOCASE"), nullable=False, unique=True),
    Column("state", String(10), nullable=False),
    Index("ix_view_state", "state"),
)
"""What a person sees below the models folder. *state* is `wanted` until the links are there, then
`made`, and `unwanted` until they are gone: an interrupted change is finished by whoever comes next."""

lease = Table(
    "lease",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
)
"""An operation in flight; its owner holds the lock file of the same id."""

lease_item = Table(
    "lease_item",
    metadata,
    Column("lease_id", ForeignKey("lease.id"), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("value", Text, primary_key=True),
    Index("ix_lease_item_kind_value", "kind", "value"),
)
"""What a lease protects: `folder` (a location being written), `part` (an id that will be used) and
`path` (an unfinished export outside the library)."""
