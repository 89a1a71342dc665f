"""Turning models from one layout into another, range by range, so that nothing is lost or changed."""

from modelshelf.convert.checkpoint import convert_checkpoint

__all__ = ["convert_checkpoint"]
