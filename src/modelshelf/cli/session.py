"""What the global flags said, handed to every verb."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelshelf.manager import NormalizedModelManager
    from modelshelf.settings import Settings

__all__ = ["Session"]


@dataclass(slots=True)
class Session:
    """One run of the command. Filled while the flags are read, constant afterwards."""

    root: str | None = None
    """`--root`; None where environment and default decide."""
    json: bool = False
    """One JSON document on stdout."""
    quiet: bool = False
    """Keys only on stdout, no words beside errors."""
    color: bool | None = None
    """`--color` or `--no-color`; None where the terminal decides."""
    progress: bool = True
    """False after `--no-progress`."""

    def settings(self) -> Settings:
        """Read file, environment and flags.

        Raises:
            InvalidSettingError: One of them is wrong.
        """
        from modelshelf.settings import Settings, read_flags  # noqa: PLC0415 - pydantic is slow

        flags, _ = read_flags([] if self.root is None else [f"--root={self.root}"])
        return Settings.load(flags)

    def open(self) -> NormalizedModelManager:
        """Open the library; use it in a `with`."""
        from modelshelf.manager import normalized_model_manager  # noqa: PLC0415 - so is the database

        return normalized_model_manager(self.settings())

    @property
    def colors(self) -> bool | None:
        """What `click.echo` wants to know; None lets it look at the terminal."""
        if self.color is None and os.environ.get("NO_COLOR"):
            return False
        return self.color

    @property
    def shows_progress(self) -> bool:
        """True where somebody watches: a terminal, and neither `-q` nor `--no-progress`."""
        return self.progress and not self.quiet and sys.stderr.isatty()

    @property
    def can_ask(self) -> bool:
        """True where a question would be seen and could be answered."""
        return sys.stdin.isatty() and sys.stderr.isatty()
