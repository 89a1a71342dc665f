"""Model records, beside the parts and names that they are about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the full-text index; whoever opens the library enters what it holds."""
    op.create_table(
        "model_config",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("base", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger),
        sa.Column("created_at", sa.Double),
        sa.Column("updated_at", sa.Double),
        sa.Column("last_used_at", sa.Double),
        sa.Column("variant", sa.Text),
        sa.Column("prediction", sa.Text),
        sa.Column("folded_key", sa.Text, nullable=False),
        sa.Column("folded_name", sa.Text, nullable=False),
        sa.Column("folded_path", sa.Text, nullable=False),
        sa.Column("folded_author", sa.Text),
        sa.Column("folded_license", sa.Text),
        sa.Column("folded_source", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_model_config"),
        sa.UniqueConstraint("key", name="uq_model_config_key"),
        sqlite_autoincrement=True,
    )
    for name, columns in (
        ("default", ("type", "base", "name", "format")),
        ("name", ("name",)),
        ("type", ("type",)),
        ("base", ("base",)),
        ("format", ("format",)),
        ("size", ("size",)),
        ("created_at", ("created_at",)),
        ("updated_at", ("updated_at",)),
        ("last_used_at", ("last_used_at",)),
    ):
        op.create_index(f"ix_model_config_{name}", "model_config", [*columns, "key", "hidden"])
    op.create_table(
        "model_config_base",
        sa.Column("config_id", sa.Integer, nullable=False),
        sa.Column("base", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("config_id", "base", name="pk_model_config_base"),
        sa.ForeignKeyConstraint(
            ["config_id"], ["model_config.id"], name="fk_model_config_base_config_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_model_config_base_base", "model_config_base", ["base", "config_id"])
    op.create_table(
        "model_config_tag",
        sa.Column("config_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("folded_tag", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("config_id", "position", name="pk_model_config_tag"),
        sa.ForeignKeyConstraint(
            ["config_id"], ["model_config.id"], name="fk_model_config_tag_config_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "model_config_hash",
        sa.Column("config_id", sa.Integer, nullable=False),
        sa.Column("is_own", sa.Boolean, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("config_id", "is_own", "position", name="pk_model_config_hash"),
        sa.ForeignKeyConstraint(
            ["config_id"], ["model_config.id"], name="fk_model_config_hash_config_id"
        ),
        sqlite_with_rowid=False,
    )
    for table, column in (
        ("model_config", "folded_key"),
        ("model_config", "folded_name"),
        ("model_config", "folded_path"),
        ("model_config_tag", "folded_tag"),
        ("model_config_hash", "hash"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])
    _make_text_index()


def _make_text_index() -> None:
    connection = op.get_bind()
    savepoint = connection.begin_nested()
    try:
        for statement in _TEXT_INDEX:
            connection.exec_driver_sql(statement)
    except sa.exc.OperationalError:
        # A SQLite before 3.34, or one made without FTS5: finding is slower and finds the same.
        savepoint.rollback()
    else:
        savepoint.commit()


_TEXT_INDEX = (
    """
    CREATE VIRTUAL TABLE model_config_text
    USING fts5(text, content='model_config', content_rowid='id', tokenize='trigram case_sensitive 1')
    """,
    """
    CREATE TRIGGER model_config_text_added AFTER INSERT ON model_config
    BEGIN INSERT INTO model_config_text (rowid, text) VALUES (NEW.id, NEW.text); END
    """,
    """
    CREATE TRIGGER model_config_text_removed AFTER DELETE ON model_config
    BEGIN
        INSERT INTO model_config_text (model_config_text, rowid, text)
        VALUES ('delete', OLD.id, OLD.text);
    END
    """,
    """
    CREATE TRIGGER model_config_text_changed AFTER UPDATE OF id, text ON model_config
    WHEN OLD.id <> NEW.id OR OLD.text <> NEW.text
    BEGIN
        INSERT INTO model_config_text (model_config_text, rowid, text)
        VALUES ('delete', OLD.id, OLD.text);
        INSERT INTO model_config_text (rowid, text) VALUES (NEW.id, NEW.text);
    END
    """,
)
