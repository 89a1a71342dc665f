"""Adding models: from a path to a registered, normalized model, whole or not at all.

Names are fetched when they are first used: who looks for models does not wait for what adds them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelshelf.install.discovery import discover_models
    from modelshelf.install.pipeline import ModelAdder

__all__ = ["ModelAdder", "discover_models"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    home = "pipeline" if name == "ModelAdder" else "discovery"
    return getattr(import_module(f"{__name__}.{home}"), name)
