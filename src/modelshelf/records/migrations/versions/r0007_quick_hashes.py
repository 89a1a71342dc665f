"""The quick hash of a model as its record's `hash`, as the records of models that stay where they are have it."""

from __future__ import annotations

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change no table: whoever opens the library corrects its records, as after every revision."""
