"""How the names of files end in which programs keep weights.

The one list of them. Who means more or less than these begins with it and says what differs: a folder is
searched for what ComfyUI reads besides, a text is taken for a path where it ends like any model file, and
beside a model Flax's and TensorFlow's files are models too. The hub's names have an order of their own:
which of two endings is taken before the other (`sources/weight_forms.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from modelshelf.schema.tensor import Container

__all__ = ["CONTAINERS", "WEIGHT_SUFFIXES"]

CONTAINERS: Mapping[str, Container] = MappingProxyType(
    {
        ".safetensors": Container.SAFETENSORS,
        ".sft": Container.SAFETENSORS,
        ".onnx": Container.ONNX,
        ".gguf": Container.GGUF,
        ".ckpt": Container.PICKLE,
        ".pt": Container.PICKLE,
        ".pth": Container.PICKLE,
        ".bin": Container.PICKLE,
    }
)
"""Ending, in lower case → what a file with it claims to be written in."""
WEIGHT_SUFFIXES = frozenset(CONTAINERS)
"""Endings, in lower case, under which weights are kept that can be read here."""
