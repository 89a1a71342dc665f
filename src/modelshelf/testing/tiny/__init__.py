"""Makes small but genuine models: published names, layouts and configs, random weights from a seed.

Each maker takes a path and keyword options, depends on nothing but them, and returns the path it made.
"""

from modelshelf.testing.tiny.lora import lora, lora_layout
from modelshelf.testing.tiny.payload import write_safetensors
from modelshelf.testing.tiny.pipeline import pipeline
from modelshelf.testing.tiny.vae import vae

__all__ = ["lora", "lora_layout", "pipeline", "vae", "write_safetensors"]
