"""Records of models that lie elsewhere may say how it is known what they are, in their field `detail`."""

from __future__ import annotations

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change no table: an older program would call such a record invalid, and is told now what to do instead."""
