"""Adding models: from a path to a registered, normalized model, whole or not at all."""

from modelshelf.install.discovery import discover_models
from modelshelf.install.pipeline import ModelAdder

__all__ = ["ModelAdder", "discover_models"]
