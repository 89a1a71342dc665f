"""Giving models back, byte for byte, as the files they came as."""

from modelshelf.export.folder import Exporter
from modelshelf.export.tar import write_tar

__all__ = ["Exporter", "write_tar"]
