"""The composition root: everything above is put together here, once, by hand.

Names are fetched when they are first used: who lists models does not wait for what installs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelshelf.manager.install_service import ModelInstallService
    from modelshelf.manager.normalized import NormalizedModelManager, normalized_model_manager

__all__ = ["ModelInstallService", "NormalizedModelManager", "normalized_model_manager"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    home = "install_service" if name == "ModelInstallService" else "normalized"
    return getattr(import_module(f"{__name__}.{home}"), name)
