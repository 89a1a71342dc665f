"""Checkpoints that were converted, and what their original files were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; no pipeline of an older library was a checkpoint."""
    op.create_table(
        "original_file",
        sa.Column("pipeline_id", sa.Integer, nullable=False),
        sa.Column("suffix", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("blake3", sa.LargeBinary(32), nullable=False),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("pipeline_id", name="pk_original_file"),
        sa.ForeignKeyConstraint(
            ["pipeline_id"], ["pipeline.id"], name="fk_original_file_pipeline_id"
        ),
    )
    op.create_index("ix_original_file_blake3", "original_file", ["blake3"])
    op.create_index("ix_original_file_sha256", "original_file", ["sha256"])
