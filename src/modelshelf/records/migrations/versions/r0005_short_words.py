"""Words of one and two letters in the full-text index, and what was written about a model, whole."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the full-text index anew, and room; of what is stored already nothing more is known."""
    op.create_table(
        "model_metadata",
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_model_metadata"),
    )
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
    "DROP TRIGGER IF EXISTS model_config_text_added",
    "DROP TRIGGER IF EXISTS model_config_text_removed",
    "DROP TRIGGER IF EXISTS model_config_text_changed",
    "DROP TABLE IF EXISTS model_config_text",
    "DROP VIEW IF EXISTS model_config_text_source",
    "DROP TABLE IF EXISTS model_config_text_terms",
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
