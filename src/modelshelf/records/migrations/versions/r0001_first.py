"""The first released schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ALIVE = sa.text("trash_id IS NULL")


def upgrade() -> None:
    """Make every table, then the triggers that keep REFCOUNT right."""
    op.create_table(
        "model_id",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("is_pipeline", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_model_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "model_path",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("refcount", sa.Integer, nullable=False, server_default="0"),
        sa.Column("path", sa.String(80), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("format", sa.String(40), nullable=False),
        sa.Column("empty_folders", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("damaged_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_model_path"),
        sa.ForeignKeyConstraint(["id"], ["model_id.id"], name="fk_model_path_id"),
        sa.UniqueConstraint("path", name="uq_model_path_path"),
        sa.UniqueConstraint("digest", name="uq_model_path_digest"),
    )
    op.create_table(
        "model_base",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("base", sa.String(40), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", "base", name="pk_model_base"),
        sa.ForeignKeyConstraint(["id"], ["model_path.id"], name="fk_model_base_id"),
    )
    op.create_table(
        "trash",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("deleted_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_trash"),
    )
    op.create_table(
        "model_name",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("suffix", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("trash_id", sa.String(16)),
        sa.PrimaryKeyConstraint("key", name="pk_model_name"),
        sa.ForeignKeyConstraint(["id"], ["model_path.id"], name="fk_model_name_id"),
        sa.ForeignKeyConstraint(["trash_id"], ["trash.id"], name="fk_model_name_trash_id"),
    )
    op.create_index("ix_model_name_name", "model_name", ["name"])
    op.create_index(
        "uq_model_name_alive",
        "model_name",
        ["id", "name"],
        unique=True,
        sqlite_where=_ALIVE,
        postgresql_where=_ALIVE,
    )
    op.create_table(
        "pipeline",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("base", sa.String(40), nullable=False),
        sa.Column("toc", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("trash_id", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_pipeline"),
        sa.ForeignKeyConstraint(["id"], ["model_id.id"], name="fk_pipeline_id"),
        sa.ForeignKeyConstraint(["trash_id"], ["trash.id"], name="fk_pipeline_trash_id"),
        sa.UniqueConstraint("key", name="uq_pipeline_key"),
    )
    op.create_index("ix_pipeline_name_base", "pipeline", ["name", "base"])
    op.create_index(
        "uq_pipeline_alive",
        "pipeline",
        ["name", "base", "digest"],
        unique=True,
        sqlite_where=_ALIVE,
        postgresql_where=_ALIVE,
    )
    op.create_table(
        "pipeline_parts",
        sa.Column("pipeline_id", sa.Integer, nullable=False),
        sa.Column("part_folder", sa.Text, nullable=False),
        sa.Column("part_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("pipeline_id", "part_folder", name="pk_pipeline_parts"),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipeline.id"], name="fk_pipeline_parts_pipeline_id"),
        sa.ForeignKeyConstraint(["part_id"], ["model_path.id"], name="fk_pipeline_parts_part_id"),
    )
    op.create_index("ix_pipeline_parts_part_id", "pipeline_parts", ["part_id"])
    op.create_table(
        "part_file",
        sa.Column("part_id", sa.Integer, nullable=False),
        sa.Column("member", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("blake3", sa.LargeBinary(32), nullable=False),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("quick", sa.LargeBinary(16), nullable=False),
        sa.PrimaryKeyConstraint("part_id", "member", name="pk_part_file"),
        sa.ForeignKeyConstraint(["part_id"], ["model_path.id"], name="fk_part_file_part_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_part_file_blake3", "part_file", ["blake3"])
    op.create_index("ix_part_file_sha256", "part_file", ["sha256"])
    op.create_index("ix_part_file_size_quick", "part_file", ["size", "quick"])
    op.create_table(
        "view",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("path", sa.Text(collation="NOCASE"), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_view"),
        sa.UniqueConstraint("path", name="uq_view_path"),
    )
    op.create_index("ix_view_state", "view", ["state"])
    op.create_table(
        "lease",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lease"),
    )
    op.create_table(
        "lease_item",
        sa.Column("lease_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("lease_id", "kind", "value", name="pk_lease_item"),
        sa.ForeignKeyConstraint(["lease_id"], ["lease.id"], name="fk_lease_item_lease_id"),
    )
    op.create_index("ix_lease_item_kind_value", "lease_item", ["kind", "value"])
    for statement in (*_NAME_TRIGGERS, *_PART_TRIGGERS, *_PIPELINE_TRIGGERS):
        op.execute(statement)


# REFCOUNT counts the living: names of the part that are not in the trash, and pipelines that are not in
# the trash and have the part in at least one folder. A pipeline that uses one tokenizer twice counts once.

_NAME_TRIGGERS = (
    """
    CREATE TRIGGER model_name_added AFTER INSERT ON model_name WHEN NEW.trash_id IS NULL
    BEGIN UPDATE model_path SET refcount = refcount + 1 WHERE id = NEW.id; END
    """,
    """
    CREATE TRIGGER model_name_removed AFTER DELETE ON model_name WHEN OLD.trash_id IS NULL
    BEGIN UPDATE model_path SET refcount = refcount - 1 WHERE id = OLD.id; END
    """,
    """
    CREATE TRIGGER model_name_changed AFTER UPDATE OF id, trash_id ON model_name
    BEGIN
        UPDATE model_path SET refcount = refcount - 1 WHERE id = OLD.id AND OLD.trash_id IS NULL;
        UPDATE model_path SET refcount = refcount + 1 WHERE id = NEW.id AND NEW.trash_id IS NULL;
    END
    """,
)

_OTHER_FOLDER = """(
    SELECT count(*) FROM pipeline_parts
    WHERE pipeline_id = {row}.pipeline_id AND part_id = {row}.part_id
)"""
_PIPELINE_LIVES = "EXISTS (SELECT 1 FROM pipeline WHERE id = {row}.pipeline_id AND trash_id IS NULL)"

_PART_TRIGGERS = (
    f"""
    CREATE TRIGGER pipeline_parts_added AFTER INSERT ON pipeline_parts
    WHEN {_OTHER_FOLDER.format(row="NEW")} = 1 AND {_PIPELINE_LIVES.format(row="NEW")}
    BEGIN UPDATE model_path SET refcount = refcount + 1 WHERE id = NEW.part_id; END
    """,
    f"""
    CREATE TRIGGER pipeline_parts_removed AFTER DELETE ON pipeline_parts
    WHEN {_OTHER_FOLDER.format(row="OLD")} = 0 AND {_PIPELINE_LIVES.format(row="OLD")}
    BEGIN UPDATE model_path SET refcount = refcount - 1 WHERE id = OLD.part_id; END
    """,
    """
    CREATE TRIGGER pipeline_parts_changed BEFORE UPDATE OF pipeline_id, part_id ON pipeline_parts
    BEGIN SELECT RAISE(ABORT, 'delete the row and insert another, so that REFCOUNT stays right'); END
    """,
)

_PIPELINE_TRIGGERS = (
    """
    CREATE TRIGGER pipeline_trashed AFTER UPDATE OF trash_id ON pipeline
    WHEN (OLD.trash_id IS NULL) <> (NEW.trash_id IS NULL)
    BEGIN
        UPDATE model_path SET refcount = refcount + CASE WHEN NEW.trash_id IS NULL THEN 1 ELSE -1 END
        WHERE id IN (SELECT part_id FROM pipeline_parts WHERE pipeline_id = NEW.id);
    END
    """,
)
