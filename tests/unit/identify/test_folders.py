from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from modelshelf.errors import InvalidJsonError, InvalidSafetensorsError
from modelshelf.formats import read_tree
from modelshelf.identify import identify
from modelshelf.schema.declared import Declared, Trust
from modelshelf.schema.identity import Identity
from modelshelf.schema.taxonomy import BaseModelType
from modelshelf.testing.tiny import TorchTensor, write_torch
from tests.unit.formats.headers import write_safetensors
from tests.unit.identify import layouts
from tests.unit.identify.layouts import REFINER, SD_1, SD_2, SDXL, UNet, unet_settings
from tests.unit.identify.parts import encoder_layouts

VAE = {"_class_name": "AutoencoderKL", "latent_channels": 4, "scaling_factor": 0.18215}
FLUX = {
    "_class_name": "FluxTransformer2DModel",
    "in_channels": 64,
    "joint_attention_dim": 4096,
    "pooled_projection_dim": 768,
}
SD_3 = {
    "_class_name": "SD3Transformer2DModel",
    "in_channels": 16,
    "joint_attention_dim": 4096,
    "pooled_projection_dim": 2048,
}
CLIP = {"architectures": ["CLIPTextModel"], "hidden_size": 768, "num_hidden_layers": 12}
KOLORS = unet_settings(SDXL) | {
    "encoder_hid_dim": 4096,
    "encoder_hid_dim_type": "text_proj",
    "projection_class_embeddings_input_dim": 5632,
}


def write(path: Path, files: Mapping[str, object]) -> Path:
    """Write JSON for every value that is no text, and text for the others."""
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def write_pipeline(path: Path, denoiser: Mapping[str, Any], **files: object) -> Path:
    """Write a pipeline around one denoiser, with a component of every usual kind."""
    folder = "unet" if "UNet" in denoiser["_class_name"] else "transformer"
    return write(
        path,
        {
            "model_index.json": {
                "_class_name": "StableDiffusionPipeline",
                folder: ["diffusers", denoiser["_class_name"]],
                "vae": ["diffusers", "AutoencoderKL"],
                "text_encoder": ["transformers", "CLIPTextModel"],
                "text_encoder_2": ["transformers", "T5EncoderModel"],
                "tokenizer": ["transformers", "CLIPTokenizer"],
                "scheduler": ["diffusers", "PNDMScheduler"],
                "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
                "feature_extractor": ["transformers", "CLIPImageProcessor"],
                "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
                "mystery": ["acme", "Oracle"],
            },
            f"{folder}/config.json": denoiser,
            "vae/config.json": VAE,
            "text_encoder/config.json": CLIP,
            "text_encoder_2/config.json": {"architectures": ["T5EncoderModel"]},
            "tokenizer/vocab.json": {},
            "scheduler/scheduler_config.json": {"_class_name": "PNDMScheduler"},
            "safety_checker/config.json": {"architectures": ["StableDiffusionSafetyChecker"]},
            "feature_extractor/preprocessor_config.json": {},
            "image_encoder/config.json": {"architectures": ["CLIPVisionModelWithProjection"]},
            "mystery/config.json": {},
            **{name.replace("__", "/").replace("_DOT_", "."): text for name, text in files.items()},
        },
    )


def summary(identity: Identity) -> dict[str, tuple[str, list[str]]]:
    return {
        component.folder: (
            component.identity.type.value,
            [base.value for base in component.identity.bases],
        )
        for component in identity.components
    }


@pytest.mark.parametrize(
    ("denoiser", "base", "variant"),
    [
        (unet_settings(SD_1), "sd-1", "normal"),
        (unet_settings(SD_1, 9), "sd-1", "inpaint"),
        (unet_settings(SD_2), "sd-2", "normal"),
        (unet_settings(SD_2, 5), "sd-2", "depth"),
        (unet_settings(SDXL), "sdxl", "normal"),
        (unet_settings(REFINER), "sdxl-refiner", "normal"),
        (SD_3, "sd-3", "normal"),
        (FLUX, "flux", "schnell"),
        (FLUX | {"guidance_embeds": True}, "flux", "dev"),
        (FLUX | {"in_channels": 384}, "flux", "dev_fill"),
        (KOLORS, "kolors", "normal"),
    ],
)
def test_a_pipeline_is_what_its_denoiser_is(
    tmp_path: Path, denoiser: dict[str, Any], base: str, variant: str
) -> None:
    """The class of the pipeline is the same in all of these; the configuration decides."""
    identity = identify(write_pipeline(tmp_path, denoiser))
    assert (identity.type.value, identity.base.value, identity.variant) == ("main", base, variant)
    assert identity.format.value == "diffusers"


def test_components_get_the_pipelines_base_or_any(tmp_path: Path) -> None:
    """A safety checker serves every base, and so do T5, tokenizers and image encoders."""
    identity = identify(write_pipeline(tmp_path, unet_settings(SD_1)))
    assert summary(identity) == {
        "feature_extractor": ("feature_extractor", ["any"]),
        "image_encoder": ("image_encoder", ["any"]),
        "mystery": ("unknown", []),
        "safety_checker": ("safety_checker", ["any"]),
        "scheduler": ("scheduler", ["sd-1"]),
        "text_encoder": ("text_encoder", ["sd-1"]),
        "text_encoder_2": ("t5_encoder", ["any"]),
        "tokenizer": ("tokenizer", ["any"]),
        "unet": ("unet", ["sd-1"]),
        "vae": ("vae", ["sd-1"]),
    }


def test_a_pipeline_of_another_family_has_no_base(tmp_path: Path) -> None:
    """It says it is a pipeline of Stable Diffusion, its VAE looks like one: neither decides."""
    denoiser = {"_class_name": "StrangeTransformer2DModel"}
    sdxl_vae = VAE | {"scaling_factor": 0.13025}
    identity = identify(write_pipeline(tmp_path, denoiser, vae__config_DOT_json=sdxl_vae))
    assert (identity.type.value, identity.bases, identity.candidates) == ("main", (), ())
    assert summary(identity)["vae"] == ("vae", [])
    assert summary(identity)["safety_checker"] == ("safety_checker", ["any"])


def test_missing_components_are_named(tmp_path: Path) -> None:
    """A pipeline that was fetched in part is identified all the same."""
    write(
        tmp_path,
        {
            "model_index.json": {
                "_class_name": "StableDiffusionPipeline",
                "unet": ["diffusers", "UNet2DConditionModel"],
                "vae": ["diffusers", "AutoencoderKL"],
            },
            "unet/config.json": unet_settings(SD_1),
        },
    )
    identity = identify(tmp_path)
    assert (identity.base.value, list(summary(identity))) == ("sd-1", ["unet"])
    assert ("vae", "declared, but the folder is missing") in [
        (one.where, one.found) for one in identity.evidence
    ]


def test_a_pipeline_without_denoiser_says_so(tmp_path: Path) -> None:
    """The class name alone is no base."""
    write(tmp_path, {"model_index.json": {"_class_name": "StableDiffusionPipeline"}})
    identity = identify(tmp_path)
    assert (identity.type.value, identity.bases) == ("main", ())
    assert identity.near_misses[0].missing == "a unet or transformer whose class is known"


def test_two_denoisers_of_different_bases_give_none(tmp_path: Path) -> None:
    """Neither part speaks for the whole."""
    index = {
        "_class_name": "X",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "transformer": ["diffusers", "FluxTransformer2DModel"],
    }
    write(
        tmp_path,
        {
            "model_index.json": index,
            "unet/config.json": unet_settings(SD_1),
            "transformer/config.json": FLUX,
        },
    )
    assert identify(tmp_path).bases == ()


@pytest.mark.parametrize(
    ("scheduler", "expected"),
    [
        ({"_class_name": "PNDMScheduler", "prediction_type": "v_prediction"}, "v_prediction"),
        ({"_class_name": "PNDMScheduler", "prediction_type": "epsilon"}, "epsilon"),
        ({"_class_name": "DDIMScheduler"}, "epsilon"),
        ({"_class_name": "FlowMatchEulerDiscreteScheduler"}, "flow"),
        ({"_class_name": "DDIMScheduler", "prediction_type": "flow_prediction"}, "flow"),
    ],
)
def test_the_scheduler_declares_what_is_predicted(
    tmp_path: Path, scheduler: dict[str, str], expected: str | None
) -> None:
    """Where the file is silent its class's own default is what loading it means."""
    identity = identify(
        write_pipeline(
            tmp_path, unet_settings(SD_2), scheduler__scheduler_config_DOT_json=scheduler
        )
    )
    assert identity.prediction_type == expected


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (["diffusion_pytorch_model.fp16.safetensors"], "fp16"),
        (["diffusion_pytorch_model.safetensors"], "default"),
        (
            ["diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.safetensors"],
            "default",
        ),
        (["model.onnx"], "onnx"),
        (["diffusion_flax_model.msgpack"], "flax"),
        (["openvino_model.bin", "openvino_model.xml"], "openvino"),
        ([], None),
    ],
)
def test_the_repository_variant_is_in_the_weights_names(
    tmp_path: Path, weights: list[str], expected: str | None
) -> None:
    """Who has the plain form has the default, whatever lies beside it."""
    write_pipeline(tmp_path, unet_settings(SD_1))
    for name in weights:
        path = tmp_path / "unet" / name
        if path.suffix == ".safetensors":
            write_safetensors(path, {"a": (10,)})
        else:
            path.touch()
    identity = identify(tmp_path)
    assert identity.repo_variant == expected
    assert identity.precision == ("fp16" if "safetensors" in "".join(weights) else None)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("unet/diffusion_pytorch_model.safetensors", "garbage!"),
        ("unet/diffusion_pytorch_model.bin", "\0" * 64),
        ("vae/config.json", "<<<<<<< HEAD"),
        ("scheduler/scheduler_config.json", "[]"),
    ],
)
def test_damage_is_named_and_the_rest_tells(tmp_path: Path, name: str, content: str) -> None:
    """A clone without its large files, or with a conflict in one, is the same model still."""
    write(write_pipeline(tmp_path, unet_settings(SD_1)), {name: content})
    identity = identify(tmp_path)
    assert (identity.base.value, identity.status.value) == ("sd-1", "broken")
    assert name in [one.where for one in identity.evidence if one.rule == "damaged"]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("config.json", "{", InvalidJsonError),
        ("model.safetensors", "garbage!", InvalidSafetensorsError),
    ],
)
def test_damage_that_leaves_nothing_to_tell_is_an_error(
    tmp_path: Path, name: str, content: str, error: type[Exception]
) -> None:
    """It must not pass for a strange model."""
    with pytest.raises(error, match=name):
        identify(write(tmp_path, {name: content}))


@pytest.mark.parametrize(
    ("files", "model_type", "bases", "model_format"),
    [
        ({"config.json": unet_settings(SD_1)}, "unet", ["sd-1"], "diffusers"),
        ({"config.json": unet_settings(SDXL)}, "unet", ["sdxl"], "diffusers"),
        ({"config.json": KOLORS}, "unet", ["kolors"], "diffusers"),
        (
            {"config.json": unet_settings(SDXL) | {"transformer_layers_per_block": [0, 2, 3]}},
            "unet",
            [],
            "diffusers",
        ),
        ({"config.json": FLUX}, "transformer", ["flux"], "diffusers"),
        ({"config.json": SD_3}, "transformer", ["sd-3"], "diffusers"),
        ({"config.json": {"_class_name": "LTXTransformer3DModel"}}, "transformer", [], "diffusers"),
        ({"config.json": VAE}, "vae", ["sd-1", "sd-2"], "diffusers"),
        ({"config.json": VAE | {"scaling_factor": 0.13025}}, "vae", ["sdxl"], "diffusers"),
        (
            {"config.json": VAE | {"latent_channels": 16, "scaling_factor": 1.5305}},
            "vae",
            ["sd-3"],
            "diffusers",
        ),
        (
            {"config.json": VAE | {"latent_channels": 16, "scaling_factor": 0.3611}},
            "vae",
            ["flux"],
            "diffusers",
        ),
        ({"config.json": {"_class_name": "AutoencoderTiny"}}, "vae", [], "diffusers"),
        ({"config.json": CLIP}, "clip_embed", ["any"], "transformers"),
        (
            {"config.json": CLIP | {"hidden_size": 1024, "num_hidden_layers": 23}},
            "clip_embed",
            ["sd-2"],
            "transformers",
        ),
        (
            {"config.json": {"architectures": ["T5EncoderModel"]}},
            "t5_encoder",
            ["any"],
            "transformers",
        ),
        (
            {"config.json": {"_class_name": "ControlNetModel", "cross_attention_dim": 768}},
            "controlnet",
            ["sd-1"],
            "diffusers",
        ),
        (
            {
                "config.json": {
                    "_class_name": "ControlNetModel",
                    "cross_attention_dim": 2048,
                    "addition_embed_type": "text_time",
                    "projection_class_embeddings_input_dim": 2816,
                }
            },
            "controlnet",
            ["sdxl"],
            "diffusers",
        ),
        (
            {"config.json": {"_class_name": "FluxControlNetModel", "joint_attention_dim": 4096}},
            "controlnet",
            ["flux"],
            "diffusers",
        ),
        (
            {"config.json": {"_class_name": "HunyuanDiT2DControlNetModel"}},
            "controlnet",
            ["hunyuan-dit"],
            "diffusers",
        ),
        (
            {"config.json": {"_class_name": "T2IAdapter", "adapter_type": "full_adapter_xl"}},
            "t2i_adapter",
            ["sdxl"],
            "diffusers",
        ),
        (
            {
                "config.json": {
                    "_class_name": "T2IAdapter",
                    "adapter_type": "light_adapter",
                    "channels": [320, 640, 1280, 1280],
                }
            },
            "t2i_adapter",
            ["sd-1"],
            "diffusers",
        ),
        ({"scheduler_config.json": {}}, "scheduler", ["any"], "diffusers"),
        ({"tokenizer_config.json": {}, "merges.txt": ""}, "tokenizer", ["any"], "transformers"),
        ({"preprocessor_config.json": {}}, "feature_extractor", ["any"], "transformers"),
        (
            {"config.json": {"architectures": ["CLIPVisionModelWithProjection"]}},
            "clip_vision",
            ["any"],
            "transformers",
        ),
        (
            {"config.json": {"architectures": ["StableDiffusionSafetyChecker"]}},
            "safety_checker",
            ["any"],
            "transformers",
        ),
        (
            {"config.json": {"architectures": ["ResNetForImageClassification"]}},
            "unknown",
            [],
            "unknown",
        ),
        ({"README.md": "hello"}, "unknown", [], "unknown"),
    ],
)
def test_a_component_folder_alone_is_known_by_its_configuration(
    tmp_path: Path,
    files: dict[str, object],
    model_type: str,
    bases: list[str],
    model_format: str,
) -> None:
    """As people have them from hubs, outside any pipeline."""
    identity = identify(write(tmp_path, files))
    assert (identity.type.value, [base.value for base in identity.bases]) == (model_type, bases)
    assert identity.format.value == model_format


def test_a_vae_folder_that_works_with_two_bases_has_both(tmp_path: Path) -> None:
    """Latents at the factor of SD 1 and 2 mean the same to both."""
    identity = identify(write(tmp_path, {"config.json": VAE}))
    assert [base.value for base in identity.bases] == ["sd-1", "sd-2"]


def test_folders_are_known_by_configuration_where_weights_are_pickles(tmp_path: Path) -> None:
    """The pickle tells the precision."""
    write(tmp_path, {"config.json": unet_settings(SD_1)})
    write_torch(tmp_path / "diffusion_pytorch_model.bin", {"a.weight": TorchTensor("F16", (2, 2))})
    identity = identify(read_tree(tmp_path))
    assert (identity.type.value, identity.base.value) == ("unet", "sd-1")
    assert identity.precision == "fp16"
    assert identity.repo_variant == "default"


def test_a_folder_without_configuration_is_known_by_its_one_weight_file(tmp_path: Path) -> None:
    """Two could be anything."""
    write_safetensors(tmp_path / "model.safetensors", layouts.unet_lora(SD_1))
    assert identify(tmp_path).base.value == "sd-1"
    write_safetensors(tmp_path / "other.safetensors", layouts.unet_lora(SDXL))
    identity = identify(tmp_path)
    assert identity.type.value == "unknown"
    assert identity.near_misses[0].missing == "a configuration beside several weight files"


@pytest.mark.parametrize(
    "other",
    ["model.fp16.safetensors", "model-pruned.safetensors", "model_ema.safetensors"],
)
def test_forms_of_one_model_are_that_model(tmp_path: Path, other: str) -> None:
    """Their names say that they are forms of one, and all of them say the same."""
    write_safetensors(tmp_path / "model.safetensors", layouts.checkpoint(SD_1))
    write_safetensors(tmp_path / other, layouts.checkpoint(SD_1))
    identity = identify(tmp_path)
    assert (identity.type.value, identity.base.value) == ("main", "sd-1")
    assert identity.status == "identified"


@pytest.mark.parametrize(
    ("other", "spec"),
    [("model-2.safetensors", SD_2), ("models.safetensors", SD_1), ("anime.safetensors", SD_1)],
)
def test_files_of_different_models_leave_a_folder_unknown(
    tmp_path: Path, other: str, spec: UNet
) -> None:
    """Another base, or a name that is not the first one's with a word behind it."""
    write_safetensors(tmp_path / "model.safetensors", layouts.checkpoint(SD_1))
    write_safetensors(tmp_path / other, layouts.checkpoint(spec))
    assert identify(tmp_path).type == "unknown"


def test_more_files_than_a_model_has_forms_are_a_collection(tmp_path: Path) -> None:
    """They are not looked at one by one."""
    write_safetensors(tmp_path / "lora.safetensors", layouts.unet_lora(SD_1))
    for number in range(7):
        write_safetensors(tmp_path / f"lora-{number}.safetensors", layouts.unet_lora(SD_1))
    assert identify(tmp_path).base == "sd-1"
    write_safetensors(tmp_path / "lora-7.safetensors", layouts.unet_lora(SD_1))
    assert identify(tmp_path).type == "unknown"


def test_forms_in_a_component_tell_what_a_bare_configuration_does_not(tmp_path: Path) -> None:
    """SD 1.5's repository has its UNet with and without the average."""
    write(tmp_path, {"config.json": {"_class_name": "UNet2DConditionModel"}})
    for variant in ("", ".non_ema"):
        write_safetensors(
            tmp_path / f"diffusion_pytorch_model{variant}.safetensors", layouts.diffusers_unet(SD_1)
        )
    assert identify(tmp_path).base == "sd-1"


@pytest.mark.parametrize(
    "name",
    [
        "Unet.mlmodelc/model.mil",
        "model.safetensors.index.json",
        "tf_model.h5",
        "model.onnx_data",
    ],
)
def test_a_folder_with_more_than_a_tokenizer_is_no_tokenizer(tmp_path: Path, name: str) -> None:
    """Core ML lays the words beside the models; texts of a repository take nothing away."""
    write(tmp_path, {"vocab.json": {}, "merges.txt": "#v", "README.md": "x", "LICENSE": "x"})
    assert identify(tmp_path).type == "tokenizer"
    write(tmp_path, {name: {"weight_map": {"a": "gone.safetensors"}}})
    assert identify(tmp_path).type == "unknown"


def test_weights_beside_a_tokenizer_speak_for_the_folder(tmp_path: Path) -> None:
    """An encoder is passed on with its words, and sometimes without its configuration."""
    write(tmp_path, {"tokenizer.json": {}})
    write_safetensors(tmp_path / "model.safetensors", encoder_layouts.t5_encoder(4096, 24, 32128))
    assert identify(tmp_path).type == "t5_encoder"


def test_a_pipeline_for_flax_is_what_its_denoiser_is(tmp_path: Path) -> None:
    """Its classes have a word more in front, and its weights are not read."""
    denoiser = unet_settings(SD_1) | {"_class_name": "FlaxUNet2DConditionModel"}
    write_pipeline(tmp_path, denoiser)
    write(
        tmp_path,
        {
            "vae/config.json": VAE | {"_class_name": "FlaxAutoencoderKL"},
            "unet/diffusion_flax_model.msgpack": "x",
        },
    )
    identity = identify(tmp_path)
    assert (identity.base.value, identity.repo_variant) == ("sd-1", "flax")
    assert summary(identity)["vae"] == ("vae", ["sd-1"])


@pytest.mark.parametrize(
    ("class_name", "base"),
    [("FluxTransformer2DModel", "flux"), ("UNet2DConditionModel", "unknown")],
)
def test_a_modular_pipeline_is_a_main_model_whose_components_lie_elsewhere(
    tmp_path: Path, class_name: str, base: str
) -> None:
    """A class of one base tells the base, as in any pipeline whose denoiser is missing."""
    there = {"repo": "acme/x", "type_hint": ["diffusers", class_name]}
    index = {"_class_name": "XModularPipeline", "denoiser": [None, None, there]}
    write(tmp_path, {"modular_model_index.json": index})
    identity = identify(tmp_path)
    assert (identity.type.value, identity.base.value) == ("main", base)
    assert identity.status == "partial"
    assert identity.evidence[0].where == "modular_model_index.json:_class_name"


_PIPELINE = {
    "model_index.json": {"_class_name": "X", "unet": ["diffusers", "UNet2DConditionModel"]},
    "unet/config.json": unet_settings(SD_1),
}
_REVISION = "snapshots/39593d5650112b4cc580433f6b0435385882d819"


def below(folder: str, files: Mapping[str, object]) -> dict[str, object]:
    """Lay files out in a folder."""
    return {f"{folder}/{name}": content for name, content in files.items()}


@pytest.mark.parametrize("folder", ["inner", _REVISION, f"models--a--b/{_REVISION}"])
def test_the_only_pipeline_in_a_folder_is_what_the_folder_is(tmp_path: Path, folder: str) -> None:
    """An archive adds a folder, and the cache of a hub three; the evidence says where it lies."""
    write(tmp_path, below(folder, _PIPELINE) | {"README.md": "x"})
    identity = identify(tmp_path)
    assert (identity.type.value, identity.base.value) == ("main", "sd-1")
    assert identity.evidence[-1].where == folder


def test_the_only_revision_in_a_cached_repository_is_what_it_is(tmp_path: Path) -> None:
    """Whatever the repository holds; empty files stand for what it does not have."""
    write(tmp_path, below(_REVISION, {"config.json": CLIP}) | {"refs/main": "x", "blobs/5f": "x"})
    write(tmp_path, below(".no_exist/39593d", {"model.safetensors": "", "model_index.json": ""}))
    assert identify(tmp_path).type == "clip_embed"


@pytest.mark.parametrize(
    "others",
    [
        below("another", _PIPELINE),
        {"another/config.json": CLIP, "another/model.safetensors": ""},
        {"another/MODEL.CKPT": ""},
        {"lora.json": {}},
    ],
)
def test_a_folder_of_several_models_is_none_of_them(
    tmp_path: Path, others: Mapping[str, object]
) -> None:
    """A second pipeline, other weights, or something that describes the whole."""
    write(tmp_path, below("inner", _PIPELINE))
    assert identify(tmp_path).base == "sd-1"
    write(tmp_path, others)
    assert identify(tmp_path).type == "unknown"


def test_a_pipeline_far_down_is_not_looked_for(tmp_path: Path) -> None:
    """Nobody lays one out so."""
    write(tmp_path, below("a/b/c/d", _PIPELINE))
    assert identify(tmp_path).type == "unknown"


def test_of_two_revisions_of_a_repository_the_main_branchs_is_what_it_is(tmp_path: Path) -> None:
    """They may be two models; loading the repository takes the one that `refs/main` names."""
    write(tmp_path, below("snapshots/5f", {"config.json": CLIP}))
    write(tmp_path, below("snapshots/6e", {"config.json": VAE}))
    assert identify(tmp_path).type == "unknown"
    write(tmp_path, {"refs/main": "6e"})
    identity = identify(tmp_path)
    assert (identity.type.value, identity.evidence[-1].where) == ("vae", "snapshots/6e")
    assert identity.evidence[-1].found.startswith("of several revisions")


@pytest.mark.parametrize("name", ["7f", "../snapshots/5f", "", "x" * 9000, "5f/config.json"])
def test_a_reference_to_no_revision_that_is_there_says_nothing(tmp_path: Path, name: str) -> None:
    """The folder stays what nobody knows."""
    write(tmp_path, below("snapshots/5f", {"config.json": CLIP}) | {"refs/main": name})
    write(tmp_path, below("snapshots/6e", {"config.json": VAE}))
    assert identify(tmp_path).type == "unknown"


def test_missing_shards_are_evidence(tmp_path: Path) -> None:
    """A model that is not whole says so."""
    write(
        tmp_path,
        {
            "config.json": FLUX,
            "diffusion_pytorch_model.safetensors.index.json": {
                "weight_map": {"a": "gone.safetensors"}
            },
        },
    )
    evidence = identify(tmp_path).evidence[-1]
    assert (evidence.where, evidence.found) == ("gone.safetensors", "missing")


@pytest.mark.parametrize(
    ("name", "shapes", "expected"),
    [
        ("pytorch_lora_weights", layouts.unet_peft(SD_1), ("lora", "sd-1", "diffusers")),
        ("adapter_model", layouts.sd_3_lora(), ("lora", "sd-3", "diffusers")),
        ("learned_embeds", {"<token>": (2, 768)}, ("embedding", "sd-1", "embedding_folder")),
        ("learned_embeds", layouts.unet_peft(SD_1), ("lora", "sd-1", "diffusers")),
        ("pytorch_lora_weights", {"x.y": (1,)}, ("unknown", "unknown", "checkpoint")),
    ],
)
def test_an_adapter_folder_is_known_by_its_tensors(
    tmp_path: Path, name: str, shapes: dict[str, tuple[int, ...]], expected: tuple[str, str, str]
) -> None:
    """The layout's file name finds the weights and decides nothing."""
    write_safetensors(tmp_path / f"{name}.safetensors", shapes)
    identity = identify(tmp_path)
    assert (identity.type.value, identity.base.value, identity.format.value) == expected


@pytest.mark.parametrize(
    ("name", "shapes", "expected"),
    [
        ("pytorch_lora_weights.bin", layouts.unet_peft(SD_1), ("lora", "sd-1", "diffusers")),
        ("learned_embeds.bin", {"<token>": (2, 768)}, ("embedding", "sd-1", "embedding_folder")),
    ],
)
def test_an_adapter_folder_may_hold_a_pickle(
    tmp_path: Path, name: str, shapes: dict[str, tuple[int, ...]], expected: tuple[str, str, str]
) -> None:
    """Older folders do; its tensors are read like any others."""
    tensors = {tensor: TorchTensor("F16", shape) for tensor, shape in shapes.items()}
    write_torch(tmp_path / name, tensors, hollow=True)
    identity = identify(tmp_path)
    assert (identity.type.value, identity.base.value, identity.format.value) == expected


def test_an_adapter_under_its_own_name_hears_what_is_said_of_it(tmp_path: Path) -> None:
    """SDXL and Kolors share modules: a sidecar chooses, or what PEFT notes beside the weights."""
    path = tmp_path / "style.safetensors"
    write_safetensors(path, layouts.unet_peft(SDXL))
    kolors = Declared(Trust.SIDECAR, "style.json:baseModel", "Kolors", (BaseModelType.KOLORS,))
    assert identify(tmp_path).base == "sdxl"
    assert identify(tmp_path, declared=[kolors]).base == "kolors"
    name = {"base_model_name_or_path": "Kwai-Kolors/Kolors-diffusers"}
    write(tmp_path, {"adapter_config.json": name})
    assert identify(tmp_path).base == "kolors"


def test_an_invokeai_ip_adapter_names_its_encoder(tmp_path: Path) -> None:
    """Without `image_encoder.txt` the file's name says nothing."""
    shapes = layouts.ip_adapter(768, 16)
    tensors = {tensor: TorchTensor("F16", shape) for tensor, shape in shapes.items()}
    write_torch(tmp_path / "ip_adapter.bin", tensors, hollow=True)
    write(tmp_path, {"image_encoder.txt": "InvokeAI/ip_adapter_sd_image_encoder"})
    identity = identify(tmp_path)
    assert (identity.type.value, identity.base.value) == ("ip_adapter", "sd-1")
    assert identity.format.value == "invokeai"


def test_weights_are_believed_against_a_copied_configuration(tmp_path: Path) -> None:
    """A loader fails on shapes, not on a name; the contradiction is cited."""
    write(tmp_path, {"config.json": unet_settings(SD_1)})
    write_safetensors(
        tmp_path / "diffusion_pytorch_model.safetensors", layouts.diffusers_unet(SDXL)
    )
    identity = identify(tmp_path)
    assert (identity.type.value, identity.base.value) == ("unet", "sdxl")
    assert identity.evidence[-1].found == "prove sdxl, against the configuration's sd-1"


@pytest.mark.parametrize(
    "shapes", [layouts.diffusers_unet(SD_1), layouts.unet_lora(SDXL), layouts.ldm_vae()]
)
def test_a_configuration_stands_where_weights_do_not_contradict_it(
    tmp_path: Path, shapes: layouts.Shapes
) -> None:
    """The same base, or tensors of another kind, which prove nothing about this one."""
    write(tmp_path, {"config.json": unet_settings(SD_1)})
    write_safetensors(tmp_path / "diffusion_pytorch_model.safetensors", shapes)
    identity = identify(tmp_path)
    assert (identity.type.value, identity.base.value) == ("unet", "sd-1")


def test_weights_speak_where_the_configuration_is_silent(tmp_path: Path) -> None:
    """The class alone, and a UNet of SD 2."""
    write(tmp_path, {"config.json": {"_class_name": "UNet2DConditionModel"}})
    write_safetensors(
        tmp_path / "diffusion_pytorch_model.safetensors", layouts.diffusers_unet(SD_2)
    )
    identity = identify(tmp_path)
    assert (identity.type.value, identity.base.value) == ("unet", "sd-2")


def test_weights_of_another_kind_prove_nothing(tmp_path: Path) -> None:
    """A LoRA under a UNet's configuration: neither is believed alone."""
    write(tmp_path, {"config.json": {"_class_name": "UNet2DConditionModel"}})
    write_safetensors(tmp_path / "diffusion_pytorch_model.safetensors", layouts.unet_lora(SD_1))
    identity = identify(tmp_path)
    assert (identity.type.value, identity.bases) == ("unet", ())
    assert identity.evidence[-1].found == "look like type lora"


def test_a_missing_denoiser_is_known_by_a_class_of_one_base(tmp_path: Path) -> None:
    """A class that several bases share says nothing."""
    index = {
        "_class_name": "X",
        "transformer": ["diffusers", "SD3Transformer2DModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    write(tmp_path, {"model_index.json": index, "vae/config.json": VAE})
    identity = identify(tmp_path)
    assert (identity.base.value, identity.status.value) == ("sd-3", "partial")
    write(
        tmp_path,
        {"model_index.json": index | {"transformer": ["diffusers", "UNet2DConditionModel"]}},
    )
    assert identify(tmp_path).bases == ()


def test_a_denoiser_that_cannot_be_read_is_known_by_a_class_of_one_base(tmp_path: Path) -> None:
    """A clone without its large files, which lacks the configuration, too."""
    index = {"_class_name": "X", "transformer": ["diffusers", "SD3Transformer2DModel"]}
    weights = "transformer/diffusion_pytorch_model.safetensors"
    write(tmp_path, {"model_index.json": index, weights: "version https://git-lfs.github.com/s"})
    identity = identify(tmp_path)
    assert (identity.base.value, identity.status.value) == ("sd-3", "broken")
    write(tmp_path, {"transformer/config.json": {"_class_name": "Y", "in_channels": 3}})
    assert identify(tmp_path).bases == ()


def test_a_pipeline_without_a_base_says_what_its_denoiser_is_called(tmp_path: Path) -> None:
    """No base has it, and somebody has named it all the same."""
    index = {"_class_name": "X", "transformer": ["diffusers", "PRXTransformer2DModel"]}
    config = {"_class_name": "PRXTransformer2DModel"}
    write(tmp_path, {"model_index.json": index, "transformer/config.json": config})
    identity = identify(tmp_path)
    assert (identity.type.value, identity.bases, identity.architecture) == ("main", (), "prx")


def test_an_index_of_shards_names_every_tensor(tmp_path: Path) -> None:
    """Names alone tell a FLUX; without shapes no more than names can tell."""
    weight_map = dict.fromkeys(layouts.flux(), "model-00001-of-00001.safetensors")
    index = {"metadata": {"total_size": 1}, "weight_map": weight_map}
    write(tmp_path, {"model.safetensors.index.json": index})
    for path in (tmp_path, tmp_path / "model.safetensors.index.json"):
        identity = identify(path)
        assert (identity.base.value, identity.status.value) == ("flux", "partial")
        assert identity.precision is None


def test_a_lone_shard_is_part_of_a_model(tmp_path: Path) -> None:
    """Its name says so, and nobody looked at the others."""
    path = tmp_path / "model-00001-of-00002.safetensors"
    write_safetensors(path, layouts.checkpoint(SD_1))
    assert identify(path).status == "partial"
    write_safetensors(path, {"layers.3.weight": (1,)})
    identity = identify(path)
    assert identity.type == "unknown"
    assert identity.near_misses[0].missing.startswith("the other shards")
