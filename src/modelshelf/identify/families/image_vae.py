"""VAEs of images, as files: what goes in, what comes out and how many layers lie between.

Latent channels alone decide nothing: a kind is its channels, its widths and the number of its
layers. Where several bases were trained with one layout, and differ in values alone, the answer is
all of them.

Sources: `ldm/modules/diffusionmodules/model.py` of CompVis/latent-diffusion,
`src/flux/modules/autoencoder.py` of black-forest-labs/flux and of black-forest-labs/flux2,
`AutoencoderKL`, `AsymmetricAutoencoderKL`, `AutoencoderDC`, `AutoencoderKLHunyuanImage`,
`ConsistencyDecoderVAE` and `VQModel` of huggingface/diffusers, `modules/stage_a.py` of
Stability-AI/StableCascade.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.identify.condition import Condition, Either
from modelshelf.identify.family import Detail, Family, Trait
from modelshelf.identify.network import Within
from modelshelf.identify.side import Side
from modelshelf.identify.tensor_condition import Absent, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType, ModelVariantType

__all__ = ["FAMILIES", "SD_KIND", "SIXTEEN_CHANNELS"]

SD_KIND = (BaseModelType.SD_1, BaseModelType.SD_2, BaseModelType.SDXL)
"""Bases whose VAEs have 4 latent channels and the same layout; PixArt, Kolors and HunyuanDiT use
one of these."""
SIXTEEN_CHANNELS = (
    BaseModelType.FLUX,
    BaseModelType.SD_3,
    BaseModelType.Z_IMAGE,
    BaseModelType.LUMINA_2,
    BaseModelType.CHROMA,
    BaseModelType.HIDREAM,
)
"""Bases whose VAEs have 16 latent channels and the same layout."""

_LDM = ("encoder.down.#.block.#.conv1.weight", "decoder.up.#.block.#.conv1.weight")
_DIFFUSERS = (
    "encoder.down_blocks.#.resnets.#.conv1.weight",
    "decoder.up_blocks.#.resnets.#.conv1.weight",
)
_IMAGE: tuple[Condition, ...] = (
    # What video VAEs and vector-quantised ones of the same layers add.
    Absent("*time_stack*"),
    Absent("*time_mix_conv*"),
    Absent("*temporal_res_block*"),
    Absent("*temp_conv*"),
    Absent("quantize.*"),
)


def _autoencoder(
    names: tuple[str, str], latents: int, layers: tuple[int, int], decoder: Side = 512
) -> tuple[Condition, ...]:
    """Residual blocks on the way down and up, in one of two ways of naming them."""
    down, up = layers
    return (
        Tensor("decoder.conv_in.weight", (decoder, latents), rank=4),
        Tensor("encoder.conv_in.weight", (128, 3), rank=4),
        Tensor(names[0], count=down),
        Tensor(names[1], count=up),
        *_IMAGE,
    )


def _two_namings(
    kind: str,
    bases: tuple[BaseModelType, ...],
    latents: int,
    layers: tuple[int, int],
    *conditions: Condition,
    decoder: Side = 512,
    variant: ModelVariantType | None = None,
) -> tuple[Family, Family]:
    """A kind in the names of the original code and in those of diffusers."""
    namings = (
        ("ldm", ModelFormat.CHECKPOINT, _LDM),
        ("diffusers", ModelFormat.DIFFUSERS, _DIFFUSERS),
    )
    first, second = (
        Family(
            id=f"vae/{kind}/{naming}",
            type=ModelType.VAE,
            format=model_format,
            bases=bases if len(bases) == 1 else (),
            candidates=bases if len(bases) > 1 else (),
            conditions=(*_autoencoder(names, latents, layers, decoder), *conditions),
            details=(Detail("latent_channels", str(latents)),),
            traits=(Trait(variant, Tensor("decoder.conv_in.weight")),) if variant else (),
        )
        for naming, model_format, names in namings
    )
    return first, second


def _halves(
    kind: str, bases: tuple[BaseModelType, ...], latents: int, *conditions: Condition
) -> Iterator[Family]:
    """An encoder or a decoder alone, of a kind that is eight times down."""
    for naming, model_format, (down, up) in (
        ("ldm", ModelFormat.CHECKPOINT, _LDM),
        ("diffusers", ModelFormat.DIFFUSERS, _DIFFUSERS),
    ):
        encoder = (
            Tensor("encoder.conv_out.weight", (2 * latents, 512), rank=4),
            Tensor("encoder.conv_in.weight", (128, 3), rank=4),
            Tensor(down, count=8),
            # The encoder of others has another decoder behind it, under another name.
            Within("an encoder of images", ("encoder.", "quant_conv.")),
        )
        decoder = (
            Tensor("decoder.conv_in.weight", (512, latents), rank=4),
            Tensor("decoder.conv_out.weight", (3, 128), rank=4),
            Tensor(up, count=12),
            Within("a decoder of images", ("decoder.", "post_quant_conv.")),
        )
        for part, half in (("encoder", encoder), ("decoder", decoder)):
            yield Family(
                id=f"vae/{kind}/{naming}-{part}",
                type=ModelType.VAE,
                format=model_format,
                candidates=bases,
                conditions=(*half, *_IMAGE, *conditions),
                details=(Detail("latent_channels", str(latents)), Detail("part", part)),
            )


_NO_QUANT = Absent("quant_conv.*")
_FOUR = Tensor("quant_conv.weight", (8, 8))

FAMILIES = (
    *_two_namings("4-channels", SD_KIND, 4, (8, 12), _FOUR),
    *_halves("4-channels", SD_KIND, 4),
    # Four times down instead of eight: no other base of four channels has it.
    *_two_namings(
        "x4-upscaler", (BaseModelType.SD_2,), 4, (6, 9), _FOUR, variant=ModelVariantType.UPSCALER
    ),
    *_two_namings("16-channels", SIXTEEN_CHANNELS, 16, (8, 12), _NO_QUANT),
    *_halves("16-channels", SIXTEEN_CHANNELS, 16, Absent("*quant_conv.*")),
    *_two_namings(
        "flux2",
        (BaseModelType.FLUX_2,),
        32,
        (8, 12),
        Tensor("bn.running_mean", (128,)),
        decoder=None,
    ),
    # Wider, a layer more on each level, and no attention in the middle.
    *_two_namings(
        "cogview4",
        (BaseModelType.COGVIEW_4,),
        16,
        (12, 16),
        _NO_QUANT,
        Absent("decoder.mid_block.attentions.*"),
        Absent("decoder.mid.attn_1.*"),
        decoder=1024,
    ),
    Family(
        id="vae/hunyuan-image/original",
        type=ModelType.VAE,
        format=ModelFormat.CHECKPOINT,
        bases=(BaseModelType.HUNYUAN_IMAGE,),
        conditions=(
            Tensor("decoder.conv_in.weight", (1024, 64), rank=4),
            Tensor("encoder.conv_out.weight", (128, 1024), rank=4),
            Tensor("encoder.down.#.block.#.conv1.weight", count=12),
            Tensor("encoder.down.#.downsample.conv.weight", count=5),
        ),
        details=(Detail("latent_channels", "64"),),
    ),
    Family(
        id="vae/hunyuan-image/diffusers",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        bases=(BaseModelType.HUNYUAN_IMAGE,),
        conditions=(
            Tensor("decoder.conv_in.weight", (1024, 64), rank=4),
            Tensor("encoder.conv_out.weight", (128, 1024), rank=4),
            Tensor("encoder.down_blocks.#.conv1.weight", count=12),
        ),
        details=(Detail("latent_channels", "64"),),
    ),
    Family(
        id="vae/dc-ae/diffusers",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        bases=(BaseModelType.SANA,),
        conditions=(
            Tensor("decoder.conv_in.weight", (1024, 32), rank=4),
            Tensor("encoder.conv_out.weight", (32, 1024), rank=4),
            Tensor("encoder.down_blocks.#.#.conv1.weight", rank=4),
            Tensor("decoder.up_blocks.#.#.conv1.weight", rank=4),
        ),
        architecture="dc-ae-f32c32",
        details=(Detail("latent_channels", "32"),),
    ),
    Family(
        id="vae/dc-ae/original",
        type=ModelType.VAE,
        format=ModelFormat.CHECKPOINT,
        bases=(BaseModelType.SANA,),
        conditions=(
            Tensor("decoder.project_in.main.conv.weight", (1024, 32), rank=4),
            Tensor("encoder.project_out.main.op_list.0.conv.weight", (32, 1024), rank=4),
            Tensor("encoder.stages.#.op_list.#.main.conv1.conv.weight", rank=4),
        ),
        architecture="dc-ae-f32c32",
        details=(Detail("latent_channels", "32"),),
    ),
    Family(
        # Made for class labels and never taken up by a base: 128 channels at a 64th or a 128th.
        id="vae/dc-ae/128-channels",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        conditions=(
            Tensor("decoder.conv_in.weight", (2048, 128), rank=4),
            Tensor("encoder.conv_out.weight", (128, 2048), rank=4),
            Tensor("encoder.down_blocks.#.#.conv1.weight", rank=4),
            Tensor("decoder.up_blocks.#.#.conv1.weight", rank=4),
        ),
        architecture="dc-ae-c128",
        details=(Detail("latent_channels", "128"),),
    ),
    Family(
        id="vae/movq",
        type=ModelType.VAE,
        format=ModelFormat.CHECKPOINT,
        bases=(BaseModelType.KANDINSKY_2,),
        conditions=(
            Tensor("quantize.embedding.weight", (16384, 4)),
            Tensor("decoder.conv_in.weight", (512, 4), rank=4),
            # Norms that look at the latents: MoVQ's own, and no other quantised VAE's.
            Either(
                (
                    Tensor("decoder.up.#.block.#.norm1.conv_y.weight", (None, 4)),
                    Tensor("decoder.up_blocks.#.resnets.#.norm1.conv_y.weight", (None, 4)),
                )
            ),
        ),
        traits=(
            Trait(
                ModelFormat.DIFFUSERS,
                Tensor("decoder.up_blocks.#.resnets.#.norm1.conv_y.weight"),
            ),
        ),
    ),
    Family(
        id="vae/cascade-stage-a",
        type=ModelType.VAE,
        format=ModelFormat.CHECKPOINT,
        bases=(BaseModelType.STABLE_CASCADE,),
        conditions=(
            Tensor("vquantizer.codebook.weight", (8192, 4)),
            Tensor("in_block.1.weight", (192, 12), rank=4),
            Tensor("out_block.0.weight", (12, 192), rank=4),
        ),
    ),
    Family(
        id="vae/asymmetric",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        # Latents of both are the same; of SDXL's they are not.
        bases=SD_KIND[:2],
        conditions=(
            Tensor("decoder.condition_encoder.layers.#.weight", rank=4),
            Tensor("decoder.conv_in.weight", (None, 4), rank=4),
            Tensor("encoder.conv_in.weight", (128, 3), rank=4),
            Tensor("quant_conv.weight", (8, 8)),
        ),
        architecture="asymmetric-autoencoder-kl",
        special_case_of=("vae/4-channels/diffusers",),
    ),
    Family(
        id="vae/consistency-decoder",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        bases=SD_KIND[:2],
        conditions=(
            Tensor("decoder_unet.conv_in.weight", (320, 7), rank=4),
            Tensor("decoder_unet.time_proj.weight", (1024, 320)),
        ),
        architecture="consistency-decoder",
    ),
)
"""One or two per kind: the original's names, and diffusers'; and the halves of the most frequent kinds."""
