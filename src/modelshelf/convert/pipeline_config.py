"""What a pipeline needs beside its weights: its index and its scheduler, as published.

Source: `model_index.json` and `scheduler/scheduler_config.json` of the published models of each base.
"""

from __future__ import annotations

from typing import Any

from modelshelf.schema.taxonomy import BaseModelType, SchedulerPredictionType

__all__ = ["model_index", "pipeline_class", "scheduler_config"]

_SD = {
    4: "StableDiffusionPipeline",
    8: "StableDiffusionInstructPix2PixPipeline",
    9: "StableDiffusionInpaintPipeline",
}
_SDXL = {
    4: "StableDiffusionXLPipeline",
    8: "StableDiffusionXLInstructPix2PixPipeline",
    9: "StableDiffusionXLInpaintPipeline",
}
_CLASSES = {
    BaseModelType.SD_1: _SD,
    BaseModelType.SD_2: _SD,
    BaseModelType.SDXL: _SDXL,
    BaseModelType.SDXL_REFINER: {4: "StableDiffusionXLImg2ImgPipeline"},
}
_DIFFUSERS = "0.30.0"
"""The release whose layout the folders have; it has not changed since."""
_SCHEDULERS = {
    BaseModelType.SD_1: "PNDMScheduler",
    BaseModelType.SD_2: "DDIMScheduler",
}


def pipeline_class(base: BaseModelType, inputs: int) -> str | None:
    """Return the pipeline class for a denoiser that takes *inputs* channels; None without one."""
    return _CLASSES.get(base, {}).get(inputs)


def scheduler_class(base: BaseModelType) -> str:
    """Return the class of the scheduler that models of a base are published with."""
    return _SCHEDULERS.get(base, "EulerDiscreteScheduler")


def scheduler_config(base: BaseModelType, prediction: SchedulerPredictionType) -> dict[str, Any]:
    """Return `scheduler_config.json`."""
    config: dict[str, Any] = {
        "_class_name": scheduler_class(base),
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "clip_sample": False,
        "num_train_timesteps": 1000,
        "prediction_type": prediction.value,
        "set_alpha_to_one": False,
        "skip_prk_steps": True,
        "steps_offset": 1,
        "trained_betas": None,
    }
    if base not in _SCHEDULERS:
        config |= {"interpolation_type": "linear", "timestep_spacing": "leading"}
    return config


def model_index(
    base: BaseModelType, class_name: str, components: dict[str, tuple[str, str]]
) -> dict[str, Any]:
    """Return `model_index.json`.

    Args:
        base: Of the model.
        class_name: Of the pipeline.
        components: Folder → library and class.
    """
    # Readers ask for it, to warn of files that old releases wrote: these are laid out as today's.
    index: dict[str, Any] = {"_class_name": class_name, "_diffusers_version": _DIFFUSERS}
    index |= {folder: list(names) for folder, names in components.items()}
    if base in {BaseModelType.SD_1, BaseModelType.SD_2}:
        # The checkpoint has none, and the pipeline asks to be told so.
        index |= {
            "feature_extractor": [None, None],
            "requires_safety_checker": False,
            "safety_checker": [None, None],
        }
    else:
        index["force_zeros_for_empty_prompt"] = base is BaseModelType.SDXL
    if base is BaseModelType.SDXL_REFINER:
        index |= {
            "requires_aesthetics_score": True,
            "text_encoder": [None, None],
            "tokenizer": [None, None],
        }
    return index
