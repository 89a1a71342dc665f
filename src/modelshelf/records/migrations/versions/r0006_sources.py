"""One content may have the same name twice, where it comes from two sources: each has its record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the source tell apart what name and content do not."""
    alive = sa.text("trash_id IS NULL")
    for index, table, columns in (
        ("uq_model_name_alive", "model_name", ["id", "name", "source"]),
        ("uq_pipeline_alive", "pipeline", ["name", "base", "digest", "source"]),
    ):
        op.drop_index(index, table_name=table)
        op.create_index(
            index, table, columns, unique=True, sqlite_where=alive, postgresql_where=alive
        )
