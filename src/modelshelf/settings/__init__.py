"""Where the library lies and how it behaves: one frozen value, made of file < environment < flags."""

from modelshelf.settings.values import Config, Settings, TrashSettings

__all__ = ["Config", "Settings", "TrashSettings"]
