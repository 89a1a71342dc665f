"""Readers of file formats: each says what a file claims, checked to the letter, and reads no weight."""

from modelshelf.formats.checkpoint import read_checkpoint
from modelshelf.formats.checkpoint_config import predicts_velocity
from modelshelf.formats.container import container_of
from modelshelf.formats.diffusers_folder import read_modular_pipeline, read_pipeline
from modelshelf.formats.gguf import read_gguf
from modelshelf.formats.json_document import read_json
from modelshelf.formats.model_folder import (
    FolderConfig,
    WeightFile,
    WeightFormat,
    read_folder_config,
)
from modelshelf.formats.onnx import read_onnx
from modelshelf.formats.opening import read_start
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.recipe_document import parse_recipe, write_recipe
from modelshelf.formats.safetensors import read_safetensors
from modelshelf.formats.shards import read_shards
from modelshelf.formats.source_tree import read_tree
from modelshelf.formats.tensors import read_tensors

__all__ = [
    "FolderConfig",
    "ReadingBudget",
    "WeightFile",
    "WeightFormat",
    "container_of",
    "parse_recipe",
    "predicts_velocity",
    "read_checkpoint",
    "read_folder_config",
    "read_gguf",
    "read_json",
    "read_modular_pipeline",
    "read_onnx",
    "read_pipeline",
    "read_safetensors",
    "read_shards",
    "read_start",
    "read_tensors",
    "read_tree",
    "write_recipe",
]
