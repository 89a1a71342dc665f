"""Every word that an answer may have is the answer to some published layout, and not to its nearest kin."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import prod
from pathlib import Path

import pytest

from modelshelf.identify import identify
from modelshelf.identify.precision import precision_of
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelRepoVariant,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from modelshelf.testing import tiny
from tests.unit.identify import layouts
from tests.unit.identify.adapter_layouts import DENOISERS, KINDS, adapter
from tests.unit.identify.layouts import REFINER, SD_1, SD_2, SDXL, Shapes, index_of
from tests.unit.identify.parts.known_adapters import ADAPTERS, UPSCALERS
from tests.unit.identify.parts.known_encoders import ENCODERS
from tests.unit.identify.parts.known_vaes import VAES
from tests.unit.identify.recorded import RECORDED
from tests.unit.identify.video_models import PUBLISHED

Make = Callable[[], Shapes]


def _recorded(name: str) -> Make:
    return lambda: RECORDED[name].shapes


def _video(base: str, variant: str = "", architecture: str = "") -> Make:
    return next(
        one.shapes
        for one in PUBLISHED
        if one.base == base
        and variant in {"", one.variant}
        and architecture in {"", one.architecture}
    )


def _deepfloyd(inputs: int) -> Make:
    shapes: Shapes = {
        "conv_in.weight": (704, inputs, 3, 3),
        "encoder_hid_proj.weight": (2816, 4096),
        "add_embedding.norm1.weight": (4096,),
        "add_embedding.pool.positional_embedding": (1, 4096),
        "down_blocks.1.attentions.0.add_k_proj.weight": (1408, 2816),
    }
    return lambda: shapes


def _flux_lora(inputs: int) -> Shapes:
    modules = {**DENOISERS["flux"].modules, "img_in": (3072, inputs)}
    return adapter(modules, "bare", KINDS["peft"][1])


def _kolors() -> Shapes:
    return layouts.diffusers_unet(SDXL) | {
        "encoder_hid_proj.weight": (2048, 4096),
        "add_embedding.linear_1.weight": (1280, 5632),
    }


_B = BaseModelType
BASES: dict[BaseModelType, tuple[Make, Make]] = {
    _B.ANY: (layouts.t5, lambda: {"emb_params": (8, 768)}),
    _B.SD_1: (lambda: layouts.checkpoint(SD_1), lambda: layouts.checkpoint(SD_2)),
    _B.SD_2: (lambda: layouts.checkpoint(SD_2), lambda: layouts.checkpoint(SD_1)),
    _B.SD_3: (_recorded("sd-3-medium"), _recorded("auraflow")),
    _B.SDXL: (lambda: layouts.diffusers_unet(SDXL), _kolors),
    _B.SDXL_REFINER: (
        lambda: layouts.checkpoint(REFINER),
        lambda: layouts.checkpoint(SDXL),
    ),
    _B.STABLE_CASCADE: (_recorded("stable-cascade-c"), _recorded("kandinsky-2.2-prior")),
    _B.SVD: (_video("svd"), lambda: layouts.diffusers_unet(SD_2)),
    _B.KOLORS: (_kolors, lambda: layouts.diffusers_unet(SDXL)),
    _B.PIXART: (_recorded("pixart-sigma"), _recorded("dit")),
    _B.SANA: (_recorded("sana-1.6b"), _recorded("sana-video")),
    _B.HUNYUAN_DIT: (_recorded("hunyuan-dit-1.2"), _recorded("pixart-sigma")),
    _B.HUNYUAN_IMAGE: (_recorded("hunyuan-image"), _recorded("flux-dev")),
    _B.HUNYUAN_VIDEO: (_video("hunyuan-video"), _video("framepack")),
    _B.HUNYUAN_VIDEO_1_5: (_video("hunyuan-video-1.5"), _video("hunyuan-video")),
    _B.FRAMEPACK: (_video("framepack"), _video("hunyuan-video")),
    _B.FLUX: (_recorded("flux-dev"), _recorded("longcat-image")),
    _B.FLUX_2: (_recorded("flux2-klein-4b"), _recorded("flux-3")),
    _B.CHROMA: (_recorded("chroma"), _recorded("flux-schnell")),
    _B.AURAFLOW: (_recorded("auraflow"), _recorded("sd-3-medium")),
    _B.LUMINA: (_recorded("lumina-next"), _recorded("lumina2")),
    _B.LUMINA_2: (_recorded("lumina2"), _recorded("z-image")),
    _B.Z_IMAGE: (_recorded("z-image"), _recorded("lumina2")),
    _B.OMNIGEN_2: (_recorded("omnigen2"), _recorded("boogu")),
    _B.QWEN_IMAGE: (_recorded("qwen-image"), _recorded("qwen-image-2.1")),
    _B.COGVIEW_4: (_recorded("cogview4"), _recorded("glm-image")),
    _B.COGVIDEOX: (_video("cogvideox"), _recorded("consisid")),
    _B.HIDREAM: (_recorded("hidream"), _recorded("nucleus")),
    _B.KANDINSKY_2: (_recorded("kandinsky-2.2-prior"), _recorded("dit")),
    _B.KANDINSKY_5: (_recorded("kandinsky-5-image"), _video("wan")),
    _B.DEEPFLOYD_IF: (_deepfloyd(3), _deepfloyd(4)),
    _B.LTX_VIDEO: (_video("ltx-video"), _video("cogvideox")),
    _B.WAN: (_video("wan"), _recorded("helios")),
    _B.COSMOS: (_video("cosmos", architecture="cosmos-predict2-2b"), _recorded("anima.original")),
    _B.ANIMA: (
        _recorded("anima.original"),
        _video("cosmos", architecture="cosmos-predict2-2b"),
    ),
    _B.MOCHI: (_video("mochi"), _recorded("easyanimate")),
    _B.KREA_2: (_recorded("krea-2"), _recorded("flux-dev")),
    _B.IDEOGRAM_4: (_recorded("ideogram-4"), _recorded("z-image")),
    _B.ERNIE_IMAGE: (_recorded("ernie-image"), _recorded("joyimage")),
    _B.BOOGU: (_recorded("boogu"), _recorded("omnigen2")),
    _B.MINIMAX_H3: (_video("minimax-h3"), _recorded("lingbot-video-dense")),
}
"""Base → a layout that is of it, and its nearest kin that is not."""

_V = ModelVariantType
VARIANTS: dict[ModelVariantType, tuple[Make, Make]] = {
    _V.NORMAL: (lambda: layouts.checkpoint(SD_1), lambda: layouts.checkpoint(SD_1, 9)),
    _V.INPAINT: (lambda: layouts.checkpoint(SD_1, 9), lambda: layouts.checkpoint(SD_1, 8)),
    _V.DEPTH: (lambda: layouts.checkpoint(SD_2, 5), lambda: layouts.checkpoint(SD_2)),
    _V.INSTRUCT: (lambda: layouts.checkpoint(SD_1, 8), lambda: layouts.checkpoint(SD_2, 8)),
    _V.UPSCALER: (_deepfloyd(6), _deepfloyd(3)),
    _V.DEV: (_recorded("flux-dev"), _recorded("flux-schnell")),
    _V.SCHNELL: (_recorded("flux-schnell"), _recorded("flux-dev")),
    _V.DEV_FILL: (_recorded("flux-fill"), _recorded("flux-depth")),
    _V.DEV_CONTROL: (_recorded("flux-depth"), _recorded("flex-2")),
    _V.KLEIN_4B: (_recorded("flux2-klein-4b"), _recorded("flux2-klein-9b")),
    _V.KLEIN_9B: (_recorded("flux2-klein-9b"), _recorded("flux2-dev")),
    _V.LAYERED: (_recorded("qwen-image-layered"), _recorded("qwen-image")),
    _V.T2V: (_video("wan", "t2v"), _video("wan", "i2v")),
    _V.I2V: (_video("wan", "i2v"), _video("wan", "flf2v")),
    _V.FLF2V: (_video("wan", "flf2v"), _video("wan", "i2v")),
    _V.VACE: (_video("wan", "vace"), _video("wan", "t2v")),
    _V.CONTROL: (_video("wan", "control"), _video("wan", "camera")),
    _V.CAMERA: (_video("wan", "camera"), _video("wan", "control")),
    _V.ANIMATE: (_video("wan", "animate"), _video("wan", "i2v")),
    _V.S2V: (_video("wan", "s2v"), _video("wan", "t2v")),
    _V.LARGE: (layouts.clip_text, lambda: layouts.clip_text(1280, 32)),
    _V.GIGANTIC: (lambda: layouts.clip_text(1280, 32), layouts.clip_text),
}
"""Variant → a layout that has it, and its nearest kin that has not."""

_P = SchedulerPredictionType
PREDICTIONS: dict[SchedulerPredictionType, tuple[Make, Make]] = {
    _P.EPSILON: (
        lambda: layouts.checkpoint(SD_2, 5),
        # Of the plain SD 2 there are both, equal in names and shapes.
        lambda: layouts.checkpoint(SD_2),
    ),
    _P.V_PREDICTION: (
        lambda: layouts.checkpoint(SDXL) | {"v_pred": ()},
        lambda: layouts.checkpoint(SDXL),
    ),
    _P.SAMPLE: (_recorded("kandinsky-2.2-prior"), _recorded("dit")),
    _P.FLOW: (_recorded("sana-1.6b"), _recorded("pixart-sigma")),
    _P.EDM: (
        lambda: layouts.checkpoint(SDXL) | {"edm_mean": (1, 4, 1, 1)},
        lambda: layouts.checkpoint(SDXL),
    ),
}
"""Prediction type → a layout that has it, and its nearest kin of which that is not proven."""

_T = ModelType
TYPES: dict[ModelType, tuple[Make, Make]] = {
    _T.MAIN: (lambda: layouts.ldm_unet(SD_1), lambda: layouts.ldm_controlnet(SD_1)),
    _T.CONTROLNET: (lambda: layouts.ldm_controlnet(SD_1), lambda: layouts.ldm_unet(SD_1)),
    _T.VAE: (lambda: VAES["sd"][0], lambda: layouts.checkpoint(SD_1)),
    _T.LORA: (lambda: layouts.unet_lora(SD_1), lambda: layouts.ldm_unet(SD_1)),
    _T.CONTROL_LORA: (lambda: _flux_lora(128), lambda: _flux_lora(64)),
    _T.EMBEDDING: (lambda: {"emb_params": (8, 768)}, lambda: {"emb_params": (8, 700)}),
    _T.IP_ADAPTER: (lambda: layouts.ip_adapter(768, 16), layouts.clip_vision),
    _T.T2I_ADAPTER: (
        lambda: ADAPTERS["t2i sd-1 original full"][0],
        lambda: layouts.ldm_controlnet(SD_1),
    ),
    _T.MOTION_ADAPTER: (
        next(one.shapes for one in PUBLISHED if one.kind == "motion_adapter"),
        lambda: layouts.ldm_unet(SD_1),
    ),
    _T.CLIP_EMBED: (layouts.clip_text, layouts.clip_vision),
    _T.CLIP_VISION: (layouts.clip_vision, layouts.clip_text),
    _T.FLUX_REDUX: (lambda: ENCODERS["redux"][0], layouts.clip_vision),
    _T.T5_ENCODER: (layouts.t5, layouts.clip_text),
    _T.TEXT_ENCODER: (lambda: ENCODERS["qwen3-0.6b model"][0], layouts.t5),
    _T.SAFETY_CHECKER: (lambda: ENCODERS["safety checker"][0], layouts.clip_vision),
    _T.SPANDREL_IMAGE_TO_IMAGE: (
        lambda: next(iter(UPSCALERS.values()))[0],
        lambda: VAES["sd"][0],
    ),
    _T.UNKNOWN: (lambda: {"a.weight": (3, 4)}, lambda: layouts.ldm_unet(SD_1)),
}
"""Type → the tensors of one, and those of its nearest kin."""

IN_PIPELINES = {
    _T.UNET: "unet",
    _T.TRANSFORMER: "transformer",
    _T.VAE: "vae",
    _T.TEXT_ENCODER: "text_encoder",
    _T.TOKENIZER: "tokenizer",
    _T.SCHEDULER: "scheduler",
    _T.SAFETY_CHECKER: "safety_checker",
    _T.FEATURE_EXTRACTOR: "feature_extractor",
    _T.IMAGE_ENCODER: "image_encoder",
}
"""Type → the folder of a pipeline whose content has it."""

NOT_IDENTIFIED: dict[ModelType, str] = {
    _T.ONNX: "the specification's own kind of a main model, which is one in the format `onnx` here",
    _T.PIPELINE_FILES: "what a store keeps of a pipeline outside its components",
    _T.ORIGINAL_FILE: "what a store keeps of a checkpoint that it converted",
}
"""Types that no file or folder has by itself, and what they are for."""

OLIVE = "ONNX that Olive made smaller: nothing in its graph or beside it says who did"


@pytest.mark.parametrize("base", BASES)
def test_a_base_is_that_of_its_own_and_not_of_its_nearest_kin(base: BaseModelType) -> None:
    """Each word for a base is the whole answer somewhere, and no default."""
    own, kin = BASES[base]
    assert identify(index_of(own())).base is base
    assert identify(index_of(kin())).base is not base


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_that_of_its_own_and_not_of_its_nearest_kin(
    variant: ModelVariantType,
) -> None:
    """What comes in or stands beside the blocks says it."""
    own, kin = VARIANTS[variant]
    assert identify(index_of(own())).variant is variant
    assert identify(index_of(kin())).variant is not variant


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_a_prediction_type_is_proven_or_open(prediction: SchedulerPredictionType) -> None:
    """Where two are equal by structure neither is said."""
    own, kin = PREDICTIONS[prediction]
    assert identify(index_of(own())).prediction_type is prediction
    assert identify(index_of(kin())).prediction_type is not prediction


@pytest.mark.parametrize("kind", TYPES)
def test_a_type_is_that_of_its_own_and_not_of_its_nearest_kin(kind: ModelType) -> None:
    """By tensors alone, whatever the file is called."""
    own, kin = TYPES[kind]
    assert identify(index_of(own())).type is kind
    assert identify(index_of(kin())).type is not kind


def test_every_component_of_pipelines_has_its_type(tmp_path: Path) -> None:
    """Those of a folder's content, and of the slot that it is in."""
    pipeline = tiny.pipeline(tmp_path / "a", base="sd-1")
    tiny.clip_vision(pipeline / "image_encoder")
    index = json.loads((pipeline / "model_index.json").read_text())
    index["image_encoder"] = ["transformers", "CLIPVisionModelWithProjection"]
    (pipeline / "model_index.json").write_text(json.dumps(index))
    flux = tiny.pipeline(tmp_path / "b", base="flux")
    found = {
        one.folder: one.identity.type
        for folder in (pipeline, flux)
        for one in identify(folder).components
    }
    assert {folder: kind for kind, folder in IN_PIPELINES.items()}.items() <= found.items()


def _formats(root: Path) -> dict[ModelFormat, Path]:
    (root / "unknown").mkdir()
    (root / "unknown" / "notes.bin").write_bytes(b"?")
    unet: dict[str, tuple[int | str, ...]] = {
        "sample": ("batch", 4, "height", "width"),
        "timestep": ("batch",),
        "encoder_hidden_states": ("batch", "sequence", 768),
    }
    return {
        ModelFormat.DIFFUSERS: tiny.pipeline(root / "pipeline", base="sd-1"),
        ModelFormat.CHECKPOINT: tiny.checkpoint(root / "model.safetensors", base="sd-1"),
        ModelFormat.LYCORIS: tiny.lora(root / "lora.safetensors", base="sd-1"),
        ModelFormat.GGUF: tiny.write_gguf(
            root / "t5.gguf", {name: ("F16", shape) for name, shape in layouts.t5().items()}
        ),
        ModelFormat.ONNX: tiny.write_onnx(root / "model.onnx", {}, inputs=unet),
        ModelFormat.EMBEDDING_FILE: tiny.textual_inversion(root / "token.safetensors"),
        ModelFormat.EMBEDDING_FOLDER: tiny.textual_inversion(root / "token", folder=True),
        ModelFormat.INVOKEAI: tiny.ip_adapter(root / "ip-adapter", folder=True),
        ModelFormat.TRANSFORMERS: tiny.t5(root / "t5"),
        ModelFormat.UNKNOWN: root / "unknown",
    }


def test_every_format_but_olive_is_that_of_some_model(tmp_path: Path) -> None:
    """How a model lies on disk, from what a user has."""
    made = _formats(tmp_path)
    assert {one: identify(path).format for one, path in made.items()} == {one: one for one in made}
    assert set(ModelFormat) - set(made) == {ModelFormat.OLIVE}, OLIVE


@pytest.mark.parametrize(
    ("form", "names"),
    [
        (ModelRepoVariant.DEFAULT, ["diffusion_pytorch_model.safetensors"]),
        (ModelRepoVariant.FP16, ["diffusion_pytorch_model.fp16.safetensors"]),
        (ModelRepoVariant.FP32, ["diffusion_pytorch_model.fp32.safetensors"]),
        (ModelRepoVariant.ONNX, ["model.onnx"]),
        (ModelRepoVariant.OPENVINO, ["openvino_model.xml", "openvino_model.bin"]),
        (ModelRepoVariant.FLAX, ["diffusion_flax_model.msgpack"]),
    ],
)
def test_every_form_of_a_repository_is_told_by_its_names(
    tmp_path: Path, form: ModelRepoVariant, names: list[str]
) -> None:
    """Whatever is in the files."""
    (tmp_path / "config.json").write_text('{"_class_name": "UNet2DConditionModel"}')
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    assert identify(tmp_path).repo_variant is form


_WIDE = (1024, 1024)
_TWO: dict[str, tuple[str, tuple[int, ...]]] = {"a.weight": ("BF16", _WIDE)}
Tensors = dict[str, tuple[str, tuple[int, ...]]]
PRECISIONS: dict[str, Tensors] = {
    "fp64": {"a.weight": ("F64", _WIDE)},
    "fp32": {"a.weight": ("F32", _WIDE)},
    "fp16": {"a.weight": ("F16", _WIDE)},
    "bf16": {"a.weight": ("BF16", _WIDE)},
    "fp8_e4m3fn": {"a.weight": ("F8_E4M3", _WIDE)},
    "fp8_e5m2": {"a.weight": ("F8_E5M2", _WIDE)},
    "int8": {"a.weight": ("I8", _WIDE), "a.weight_scale": ("F32", ())},
    "mixed": {"a.weight": ("F16", _WIDE), "b.weight": ("F32", (512, 1024))},
    "fp8_scaled": {"b.0.q.weight": ("F8_E4M3", _WIDE), "b.0.q.scale_weight": ("F32", ())},
    "fp8_mixed": {
        "b.0.q.weight": ("F8_E4M3", _WIDE),
        "b.0.q.scale_weight": ("F32", ()),
        "b.0.k.weight": ("BF16", (512, 1024)),
    },
    "mxfp8": {"b.0.q.weight": ("F8_E4M3", _WIDE), "b.0.q.weight_scale": ("F8_E8M0", (1024, 32))},
    "nvfp4": {
        "a.weight": ("U8", (1024, 512)),
        "a.weight_scale": ("F8_E4M3", (1024, 64)),
        "a.weight_scale_2": ("F32", ()),
    },
    "int4": {"a.weight": ("I8", (1024, 512)), "a.weight_s_channel": ("F32", (1024,))},
    "dfloat11": _TWO | {"b.encoded_exponent": ("U8", (4096,)), "b.sign_mantissa": ("U8", (9216,))},
    "bnb_nf4": {
        "a.weight": ("U8", (524288, 1)),
        "a.weight.quant_state.bitsandbytes__nf4": ("U8", (96,)),
    },
    "bnb_fp4": {
        "a.weight": ("U8", (524288, 1)),
        "a.weight.quant_state.bitsandbytes__fp4": ("U8", (96,)),
    },
    "bnb_int8": {"a.weight": ("I8", _WIDE), "a.SCB": ("F32", (1024,))},
    "svdquant": {"a.qweight": ("I8", (1024, 512)), "a.wscales": ("BF16", (16, 1024))},
    "gptq": {"a.qweight": ("I32", (128, 1024)), "a.g_idx": ("I32", (1024,))},
    "awq": {"a.qweight": ("I32", (1024, 128)), "a.qzeros": ("I32", (8, 128))},
    "sdnq": {"a.weight": ("U8", (524288,)), "a.scale": ("F32", (1024, 16, 1))},
    "hqq": {
        "a.W_q": ("U8", (32, 16384)),
        "a.scale": ("F16", (1, 16384)),
        "a.zero": ("F16", (1, 16384)),
        "a.nbits": ("I32", (1,)),
    },
}
"""Word → tensors whose precision it is."""
_BITS = {"F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I32": 32}


@pytest.mark.parametrize("word", PRECISIONS)
def test_a_word_for_precision_is_said_of_what_it_means(word: str) -> None:
    """One word for each way of keeping numbers."""
    entries = {
        name: TensorEntry(dtype, shape, 0, prod(shape) * _BITS.get(dtype, 8) // 8)
        for name, (dtype, shape) in PRECISIONS[word].items()
    }
    assert identify(TensorIndex(entries)).precision == word


def test_every_word_is_in_these_tables() -> None:
    """Who adds a word adds a layout that it is said of, and one that it is not said of."""
    assert set(BASES) == set(BaseModelType) - {BaseModelType.UNKNOWN}
    assert set(VARIANTS) == set(ModelVariantType)
    assert set(PREDICTIONS) == set(SchedulerPredictionType)
    assert {*TYPES, *IN_PIPELINES, *NOT_IDENTIFIED} == set(ModelType)
    words = set(re.findall(r"`([a-z][a-z0-9_]+)`", precision_of.__doc__ or ""))
    assert words - {"q4_k"} == set(PRECISIONS)
