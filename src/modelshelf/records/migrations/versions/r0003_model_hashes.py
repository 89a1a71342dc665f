"""The hashes by which other programs know a model file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room; what is stored already has none until it is added again."""
    for table in ("part_file", "original_file"):
        op.add_column(table, sa.Column("imohash", sa.LargeBinary(16)))
        op.add_column(table, sa.Column("data_sha256", sa.LargeBinary(32)))
        op.create_index(f"ix_{table}_imohash", table, ["imohash"])
        op.create_index(f"ix_{table}_data_sha256", table, ["data_sha256"])
