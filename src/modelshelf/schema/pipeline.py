"""What `model_index.json` says: the class of a diffusers pipeline, and the folders it is made of."""

from __future__ import annotations

from dataclasses import dataclass

from modelshelf.schema.source import SourceFile
from modelshelf.schema.taxonomy import ModelType, SubModelType

__all__ = ["PipelineIndex", "PipelineSlot", "type_in_pipeline"]


@dataclass(frozen=True, slots=True)
class PipelineSlot:
    """One component that a pipeline declares; its folder may be missing."""

    folder: str
    """Name of the component and of its folder: one plain step, such as `text_encoder_2`."""
    library: str
    """Who has the class: `diffusers`, `transformers`, or the name of a pipeline's own module."""
    class_name: str
    """The class that loads it, such as `CLIPTextModel`."""


@dataclass(frozen=True, slots=True)
class PipelineIndex:
    """The contents of one `model_index.json`, checked."""

    class_name: str
    """The pipeline's class, such as `StableDiffusionPipeline`. A claim: components decide the base."""
    slots: tuple[PipelineSlot, ...]
    """Declared components sorted by folder; those declared as null are left out."""
    member: SourceFile
    """The file itself, which an export gives back byte for byte."""

    def slot(self, folder: str) -> PipelineSlot | None:
        """Return the component called *folder*, or None."""
        return next((slot for slot in self.slots if slot.folder == folder), None)


def type_in_pipeline(folder: str, alone: ModelType) -> ModelType:
    """Return what a model is called as the component *folder* of a pipeline.

    Alone, CLIP's text half and its image half may serve any model; in a pipeline they are its text
    encoder and its image encoder, whether or not the same folder was also added by itself.

    Args:
        folder: Name of the component.
        alone: What the model is by itself.

    Example:
        >>> type_in_pipeline("text_encoder_2", ModelType.CLIP_EMBED).value
        'text_encoder'
        >>> type_in_pipeline("vae", ModelType.VAE).value
        'vae'

    Source: `spec/normalized-model-manager.md`, "MODEL_PATH".
    """
    if alone is ModelType.CLIP_EMBED:
        return ModelType.TEXT_ENCODER
    if alone is ModelType.CLIP_VISION and folder == SubModelType.IMAGE_ENCODER:
        return ModelType.IMAGE_ENCODER
    return alone
