"""The command `shelf`: turns words into calls and results into words, and decides nothing.

stdout is data, stderr is words. Every verb is a module of its own, imported when it is called, so that
`--help`, `--version` and completion import neither the database nor the settings.
"""

from modelshelf.cli.app import main, shelf

__all__ = ["main", "shelf"]
