"""The command `shelf`: translates words into calls and results into words; decides nothing."""

from __future__ import annotations


def main() -> None:
    """Run the command."""
