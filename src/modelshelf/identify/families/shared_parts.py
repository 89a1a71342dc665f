"""Parts of pipelines that no base owns: schedulers, tokenizers, extractors, safety checkers."""

from __future__ import annotations

from modelshelf.identify.condition import Both, Either, Never, Setting, Unset
from modelshelf.identify.family import Family, Trait
from modelshelf.identify.tensor_condition import Absent, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_ANY = (BaseModelType.ANY,)

# What these classes of diffusers take where the file is silent, so loading it means just that.
_EPSILON_UNLESS_SAID = (
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "UniPCMultistepScheduler",
)
_EDM = Setting("class", ("EDM*",))
_PREDICTIONS = (
    *(
        # Karras' schedulers write `epsilon` and mean what they wrap around it.
        Trait(value, Both(Setting("prediction_type", (value.value,)), Never(_EDM)))
        for value in SchedulerPredictionType
    ),
    Trait(SchedulerPredictionType.EDM, _EDM),
    Trait(SchedulerPredictionType.FLOW, Setting("class", ("FlowMatch*",))),
    Trait(SchedulerPredictionType.FLOW, Setting("prediction_type", ("flow_prediction",))),
    Trait(
        SchedulerPredictionType.EPSILON,
        Both(Unset("prediction_type"), Setting("class", _EPSILON_UNLESS_SAID)),
    ),
)

FAMILIES = (
    Family(
        id="safety-checker/folder",
        type=ModelType.SAFETY_CHECKER,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(Setting("class", ("*SafetyChecker",)),),
    ),
    Family(
        id="safety-checker/file",
        type=ModelType.SAFETY_CHECKER,
        format=ModelFormat.DIFFUSERS,
        bases=_ANY,
        conditions=(
            Tensor("concept_embeds", (17, 768)),
            Tensor("special_care_embeds", (3, 768)),
            Tensor("visual_projection.weight", (768, 1024)),
            Absent("*input_blocks.*"),
            Absent("*down_blocks.*"),
        ),
    ),
    Family(
        id="scheduler/folder",
        type=ModelType.SCHEDULER,
        format=ModelFormat.DIFFUSERS,
        bases=_ANY,
        conditions=(
            Either(
                (
                    Setting("config", ("scheduler_config.json",)),
                    Setting("class", ("*Scheduler",)),
                )
            ),
        ),
        traits=_PREDICTIONS,
    ),
    Family(
        id="feature-extractor/folder",
        type=ModelType.FEATURE_EXTRACTOR,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(Setting("config", ("preprocessor_config.json",)),),
    ),
    Family(
        id="tokenizer/folder",
        type=ModelType.TOKENIZER,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(Setting("tokenizer", (True,)),),
    ),
)
"""Parts that no one base owns."""
