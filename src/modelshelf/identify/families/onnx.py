"""Components as ONNX graphs: exporters rename the matrices and keep inputs, convolutions and norms.

What joins a graph to its surroundings decides, as for every denoiser: the width of the text that it
takes, and what else is asked for.

Sources: `scripts/convert_stable_diffusion_checkpoint_to_onnx.py` of huggingface/diffusers and the export
configurations `optimum/exporters/onnx/model_configs.py` of huggingface/optimum.
"""

from __future__ import annotations

from modelshelf.identify.condition import Both, Condition, Either, Never
from modelshelf.identify.families.image_vae import SD_KIND, SIXTEEN_CHANNELS
from modelshelf.identify.family import Family, Trait
from modelshelf.identify.port import Port
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_TEXT = "input:encoder_hidden_states"
_LABEL = "input:text_embeds"
# With a mask and a masked image 9, with a depth map 5; 8 is video and views of objects too.
_IMAGE = (4, 5, 9)

_SAMPLE = "input:sample"


def _takes(*channels: int) -> Condition:
    """Images of so many channels: by the convolution, or by the port where an optimiser renamed it.

    Video models have a side more, so that the channels stand at another place from the end.
    """
    port = Both(Port(_SAMPLE, 1, channels), Port(_SAMPLE, -3, channels))
    return Either((Tensor("conv_in.weight", (None, channels), rank=4), port))


_VARIANTS = tuple(
    Trait(variant, _takes(channels))
    for variant, channels in (
        (ModelVariantType.NORMAL, 4),
        (ModelVariantType.INPAINT, 9),
        (ModelVariantType.DEPTH, 5),
    )
)


def _unet(
    base: BaseModelType,
    text: int,
    *,
    label: bool,
    usual: SchedulerPredictionType | None = None,
) -> Family:
    return Family(
        id=f"{base}/unet/onnx",
        type=ModelType.UNET,
        format=ModelFormat.ONNX,
        bases=(base,),
        conditions=(
            Port(_TEXT, -1, text),
            Port("input:timestep"),
            _takes(*_IMAGE),
            Port(_LABEL) if label else Never(Port(_LABEL)),
            Never(Port("input:image_embeds")),
            # A ControlNet begins like its base, and ends in other outputs.
            Never(Port("input:controlnet_cond")),
        ),
        traits=_VARIANTS,
        usual_prediction=usual,
    )


def _vae(
    name: str, side: str, channels: int, candidates: tuple[BaseModelType, ...], *ports: Port
) -> Family:
    return Family(
        id=f"vae/{name}/onnx",
        type=ModelType.VAE,
        format=ModelFormat.ONNX,
        candidates=candidates,
        conditions=(
            Either(ports),
            Tensor("decoder.conv_in.weight", (None, channels), rank=4)
            if side == "decoder"
            else Tensor("encoder.conv_out.weight", (2 * channels,), rank=4),
        ),
    )


FAMILIES = (
    _unet(BaseModelType.SD_1, 768, label=False, usual=SchedulerPredictionType.EPSILON),
    _unet(BaseModelType.SD_2, 1024, label=False),
    _unet(BaseModelType.SDXL, 2048, label=True),
    _unet(BaseModelType.SDXL_REFINER, 1280, label=True, usual=SchedulerPredictionType.EPSILON),
    Family(
        id="sd-3/transformer/onnx",
        type=ModelType.TRANSFORMER,
        format=ModelFormat.ONNX,
        bases=(BaseModelType.SD_3,),
        conditions=(
            Port(_TEXT, -1, 4096),
            Port("input:pooled_projections", -1, 2048),
            Port("input:hidden_states", 1, 16),
        ),
        prediction_type=SchedulerPredictionType.FLOW,
    ),
    Family(
        id="flux/transformer/onnx",
        type=ModelType.TRANSFORMER,
        format=ModelFormat.ONNX,
        bases=(BaseModelType.FLUX,),
        conditions=(
            Port(_TEXT, -1, 4096),
            Port("input:pooled_projections", -1, 768),
            Port("input:img_ids"),
            Port("input:hidden_states", -1, (64, 128, 384)),
        ),
        prediction_type=SchedulerPredictionType.FLOW,
    ),
    *(
        _vae(
            f"{channels}-channels-decoder",
            "decoder",
            channels,
            candidates,
            Port("input:latent_sample"),
            Port("input:latent"),
        )
        for channels, candidates in ((4, SD_KIND), (16, SIXTEEN_CHANNELS))
    ),
    *(
        _vae(
            f"{channels}-channels-encoder",
            "encoder",
            channels,
            candidates,
            Port("output:latent_sample"),
            Port("output:latent_parameters"),
            Port("output:latent"),
        )
        for channels, candidates in ((4, SD_KIND), (16, SIXTEEN_CHANNELS))
    ),
    Family(
        id="text-encoder/onnx",
        type=ModelType.TEXT_ENCODER,
        format=ModelFormat.ONNX,
        bases=(BaseModelType.ANY,),
        conditions=(
            Port("input:input_ids"),
            Tensor("text_model.embeddings.token_embedding.weight", (49408, (768, 1024, 1280))),
        ),
    ),
    Family(
        id="safety-checker/onnx",
        type=ModelType.SAFETY_CHECKER,
        format=ModelFormat.ONNX,
        bases=(BaseModelType.ANY,),
        conditions=(Port("input:clip_input"), Port("input:images")),
    ),
)
"""Denoisers, VAEs in two halves, text encoders and safety checkers."""
