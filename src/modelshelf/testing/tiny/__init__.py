"""Makes small but genuine models: published names, layouts and configs, random weights from a seed.

Each maker takes a path and keyword options, depends on nothing but them, and returns the path it
made. How a model is made small is said in `modelshelf.testing.tiny.scale`. The layouts are
functions of their own, for tests that need no file.
"""

from modelshelf.testing.tiny.adapter import (
    clip_vision,
    controlnet,
    ip_adapter,
    t5,
    textual_inversion,
)
from modelshelf.testing.tiny.autoencoder import autoencoder_layout
from modelshelf.testing.tiny.checkpoint import checkpoint
from modelshelf.testing.tiny.gguf import Value, gguf_bytes, write_gguf
from modelshelf.testing.tiny.library import MODELS, library
from modelshelf.testing.tiny.lora import lora, lora_layout
from modelshelf.testing.tiny.onnx import protobuf_field, write_onnx
from modelshelf.testing.tiny.payload import header_bytes, write_safetensors
from modelshelf.testing.tiny.pipeline import pipeline
from modelshelf.testing.tiny.scale import BASES
from modelshelf.testing.tiny.text import (
    CLIPS,
    T5_XXL,
    VISIONS,
    clip_layout,
    t5_layout,
    vision_layout,
)
from modelshelf.testing.tiny.torch_file import write_torch, write_torch_zip
from modelshelf.testing.tiny.torch_pickle import Opcodes, TorchTensor, torch_pickle
from modelshelf.testing.tiny.transformer import flux_layout, sd3_layout
from modelshelf.testing.tiny.unet import controlnet_layout, unet_layout
from modelshelf.testing.tiny.vae import vae

__all__ = [
    "BASES",
    "CLIPS",
    "MODELS",
    "T5_XXL",
    "VISIONS",
    "Opcodes",
    "TorchTensor",
    "Value",
    "autoencoder_layout",
    "checkpoint",
    "clip_layout",
    "clip_vision",
    "controlnet",
    "controlnet_layout",
    "flux_layout",
    "gguf_bytes",
    "header_bytes",
    "ip_adapter",
    "library",
    "lora",
    "lora_layout",
    "pipeline",
    "protobuf_field",
    "sd3_layout",
    "t5",
    "t5_layout",
    "textual_inversion",
    "torch_pickle",
    "unet_layout",
    "vae",
    "vision_layout",
    "write_gguf",
    "write_onnx",
    "write_safetensors",
    "write_torch",
    "write_torch_zip",
]
