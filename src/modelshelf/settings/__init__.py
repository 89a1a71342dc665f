"""Where the library lies and how it behaves: one frozen value, made of file < environment < flags.

Names are fetched when they are first used: `modelshelf.settings.location` answers shell completion,
which cannot wait for pydantic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelshelf.settings.sources import read_flags
    from modelshelf.settings.values import Config, Settings, TrashSettings

__all__ = ["Config", "Settings", "TrashSettings", "read_flags"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    home = "sources" if name == "read_flags" else "values"
    return getattr(import_module(f"{__name__}.{home}"), name)
