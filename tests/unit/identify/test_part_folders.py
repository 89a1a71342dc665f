from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from modelshelf.identify import identify
from modelshelf.schema.identity import Identity

KL: dict[str, object] = {"_class_name": "AutoencoderKL"}
FOUR: dict[str, object] = {"latent_channels": 4}
SIXTEEN: dict[str, object] = {"latent_channels": 16}
TINY: dict[str, object] = {"_class_name": "AutoencoderTiny"}


def identify_folder(folder: Path, config: Mapping[str, object]) -> Identity:
    """Say what a folder with this configuration is."""
    (folder / "config.json").write_text(json.dumps(config))
    return identify(folder)


@pytest.mark.parametrize(
    ("config", "bases"),
    [
        (KL | FOUR, "sd-1 sd-2"),
        (KL | FOUR | {"scaling_factor": 0.18215}, "sd-1 sd-2"),
        (KL | FOUR | {"scaling_factor": 0.13025}, "sdxl"),
        (KL | FOUR | {"scaling_factor": 0.5, "latents_mean": [0.0] * 4}, "sdxl"),
        (KL | FOUR | {"scaling_factor": 0.08333}, "sd-2"),
        (KL | FOUR | {"scaling_factor": 0.7}, ""),
        (KL | SIXTEEN | {"scaling_factor": 0.3611, "shift_factor": 0.1159}, "flux"),
        (KL | SIXTEEN | {"scaling_factor": 1.5305, "shift_factor": 0.0609}, "sd-3"),
        (KL | SIXTEEN | {"scaling_factor": 1.0, "shift_factor": 0.0}, "cogview4"),
        (
            KL | SIXTEEN | {"scaling_factor": 1.0, "block_out_channels": [128, 512, 1024, 1024]},
            "cogview4",
        ),
        (KL | SIXTEEN | {"scaling_factor": 1.0, "block_out_channels": [128, 256, 512, 512]}, ""),
        ({"_class_name": "AutoencoderKLFlux2"}, "flux2"),
        ({"_class_name": "AutoencoderKLWan", "z_dim": 16}, "wan"),
        ({"_class_name": "AutoencoderKLQwenImage"}, "qwen-image"),
        ({"_class_name": "AutoencoderKLHunyuanVideo15"}, "hunyuan-video-1.5"),
        ({"_class_name": "AutoencoderKLHunyuanImage"}, "hunyuan-image-2.1"),
        ({"_class_name": "AutoencoderKLCogVideoX"}, "cogvideox"),
        ({"_class_name": "AutoencoderKLMochi"}, "mochi"),
        ({"_class_name": "AutoencoderKLLTX2Video"}, "ltx-video"),
        ({"_class_name": "AutoencoderKLMiniMaxH3"}, "minimax-h3"),
        ({"_class_name": "AutoencoderKLMiniMaxH3Audio"}, "minimax-h3"),
        ({"_class_name": "MiniMaxH3VideoVAE", "source_class_name": "X"}, "minimax-h3"),
        ({"_class_name": "MiniMaxH3AudioVAE"}, "minimax-h3"),
        ({"_class_name": "AutoencoderKLQwenImage21"}, ""),
        ({"_class_name": "AutoencoderKLTemporalDecoder"}, "svd"),
        ({"_class_name": "AsymmetricAutoencoderKL", "latent_channels": 4}, "sd-1 sd-2"),
        ({"_class_name": "VQModel", "norm_type": "spatial"}, "kandinsky-2"),
        ({"_class_name": "VQModel", "norm_type": "group"}, ""),
        ({"_class_name": "PaellaVQModel"}, "stable-cascade"),
        (
            {"_class_name": "AutoencoderDC", "latent_channels": 32, "scaling_factor": 0.41407},
            "sana",
        ),
        ({"_class_name": "AutoencoderDC", "latent_channels": 128}, ""),
        ({"_class_name": "AutoencoderOobleck"}, ""),
        (TINY | SIXTEEN | {"scaling_factor": 0.3611}, "flux"),
        (TINY | SIXTEEN | {"scaling_factor": 1.5305}, "sd-3"),
        (TINY | {"latent_channels": 32}, "flux2"),
    ],
)
def test_a_vae_folder_tells_its_base_by_class_and_scale(
    tmp_path: Path, config: Mapping[str, object], bases: str
) -> None:
    """Where layout is shared, the scaling factor decides; one that nobody uses decides nothing."""
    identity = identify_folder(tmp_path, config)
    assert identity.type == "vae"
    assert " ".join(base.value for base in identity.bases) == bases


def test_a_tiny_vae_of_four_channels_stays_open(tmp_path: Path) -> None:
    """TAESD and TAESDXL have one configuration."""
    identity = identify_folder(tmp_path, TINY | FOUR)
    assert [base.value for base in identity.candidates] == ["sd-1", "sd-2", "sdxl"]


_T5_XXL = {"d_model": 4096, "num_layers": 24, "d_ff": 10240}
_T5_XL = {"d_model": 2048, "num_layers": 24, "d_ff": 5120}
_QWEN_2 = {
    "hidden_size": 3584,
    "num_hidden_layers": 28,
    "vocab_size": 152064,
    "intermediate_size": 18944,
}
_QWEN_3 = {"hidden_size": 2560, "num_hidden_layers": 36, "vocab_size": 151936}


@pytest.mark.parametrize(
    ("config", "model_type", "architecture"),
    [
        ({"architectures": ["CLIPTextModel"], "hidden_size": 768}, "clip_embed", "clip-l"),
        (
            {"architectures": ["CLIPTextModelWithProjection"], "hidden_size": 1280},
            "clip_embed",
            "clip-g",
        ),
        (
            {"architectures": ["T5EncoderModel"], **_T5_XXL, "vocab_size": 32128},
            "t5_encoder",
            "t5-v1.1-xxl",
        ),
        (
            {"architectures": ["UMT5EncoderModel"], **_T5_XXL, "vocab_size": 256384},
            "t5_encoder",
            "umt5-xxl",
        ),
        (
            {"architectures": ["UMT5EncoderModel"], **_T5_XL, "vocab_size": 32128},
            "t5_encoder",
            "pile-t5-xl",
        ),
        ({"architectures": ["T5EncoderModel"], "d_model": 1000}, "t5_encoder", ""),
        (
            {"architectures": ["T5EncoderModel"], "d_model": 4096, "vocab_size": 32128},
            "t5_encoder",
            "t5-v1.1-xxl",
        ),
        (
            {"architectures": ["T5EncoderModel"], **_T5_XXL, "num_layers": 32, "d_ff": 16384}
            | {"vocab_size": 32128},
            "t5_encoder",
            "ul2",
        ),
        (
            {"architectures": ["T5ForConditionalGeneration"], **_T5_XXL, "vocab_size": 32128},
            "t5_encoder",
            "t5-v1.1-xxl",
        ),
        ({"architectures": ["UMT5ForConditionalGeneration"]}, "t5_encoder", ""),
        (
            {"architectures": ["Qwen3ForCausalLM"], "intermediate_size": 9728, **_QWEN_3},
            "text_encoder",
            "qwen3-4b",
        ),
        (
            {"architectures": ["Qwen3ForCausalLM"], "intermediate_size": 1, **_QWEN_3},
            "text_encoder",
            "",
        ),
        ({"architectures": ["Qwen2_5_VLForConditionalGeneration"]}, "text_encoder", ""),
        *(
            ({"architectures": [name], **_QWEN_2}, "text_encoder", architecture)
            for name, architecture in (
                ("Qwen2VLForConditionalGeneration", "qwen2-vl-7b"),
                ("Qwen2_5_VLForConditionalGeneration", "qwen2.5-vl-7b"),
                ("Qwen2ForCausalLM", "qwen2.5-7b"),
            )
        ),
        # As newer versions of transformers save it.
        (
            {
                "architectures": ["Qwen2_5_VLForConditionalGeneration"],
                "text_config": _QWEN_2,
                "vision_config": {"hidden_size": 1280},
            },
            "text_encoder",
            "qwen2.5-vl-7b",
        ),
        (
            {"architectures": ["Qwen2_5_VLForConditionalGeneration"], "text_config": "none"},
            "text_encoder",
            "",
        ),
        *(
            (
                {
                    "architectures": ["T5EncoderModel"],
                    "d_model": 1024,
                    "vocab_size": 32128,
                    "num_layers": 24,
                    "d_ff": inner,
                },
                "t5_encoder",
                architecture,
            )
            for inner, architecture in ((65536, "t5-11b"), (2816, "t5-v1.1-large"), (4096, ""))
        ),
        *(
            ({"architectures": [name]}, "text_encoder", "")
            for name in (
                *("T5GemmaEncoder", "T5Gemma2Encoder", "MultilingualCLIP", "GptOssModel"),
                "RobertaSeriesModelWithTransformation",
                *("Ministral3ForCausalLM", "Ministral3Model"),
            )
        ),
        (
            {
                "architectures": ["BertModel"],
                "vocab_size": 47020,
                "hidden_size": 1024,
                "num_hidden_layers": 24,
            },
            "text_encoder",
            "hunyuan-dit-clip",
        ),
        ({"architectures": ["ChatGLMModel"]}, "text_encoder", ""),
        ({"architectures": ["SiglipVisionModel"]}, "clip_vision", ""),
        *(
            (
                {"architectures": [name], "hidden_size": width, "num_hidden_layers": layers},
                "clip_vision",
                architecture,
            )
            for name, width, layers, architecture in (
                ("CLIPVisionModelWithProjection", 1280, 32, "clip-vision-h"),
                ("CLIPVisionModel", 1024, 24, "clip-vision-l"),
                ("SiglipVisionModel", 1024, 24, "siglip-large"),
                ("Siglip2VisionModel", 1152, 27, "siglip-so400m"),
                ("CLIPVisionModel", 1280, 24, ""),
            )
        ),
        (
            {"architectures": ["T5EncoderModel"], "d_model": 1472, "num_layers": 12},
            "t5_encoder",
            "byt5-small",
        ),
        ({"architectures": ["SiglipModel"]}, "clip_vision", ""),
        ({"_class_name": "ReduxImageEncoder"}, "flux_redux", ""),
    ],
)
def test_an_encoder_folder_is_named_by_its_configuration(
    tmp_path: Path, config: Mapping[str, object], model_type: str, architecture: str
) -> None:
    """Several numbers together name it; one alone does not."""
    identity = identify_folder(tmp_path, config)
    assert (identity.type.value, identity.architecture) == (model_type, architecture)
    assert identity.base == ("flux" if model_type == "flux_redux" else "any")


@pytest.mark.parametrize("name", ["Qwen2_5OmniModel", "Qwen3TTSForConditionalGeneration"])
def test_a_model_that_listens_or_speaks_is_no_encoder(tmp_path: Path, name: str) -> None:
    """Whatever language model its class is called after."""
    assert identify_folder(tmp_path, {"architectures": [name]}).type == "unknown"


@pytest.mark.parametrize(
    ("config", "base"),
    [
        ({"_class_name": "QwenImageControlNetModel"}, "qwen-image"),
        ({"_class_name": "ZImageControlNetModel"}, "z-image"),
        ({"_class_name": "SanaControlNetModel"}, "sana"),
        ({"_class_name": "SD3ControlNetModel"}, "sd-3"),
        ({"_class_name": "ControlNetXSAdapter", "cross_attention_dim": 2048}, "sdxl"),
        (
            {
                "_class_name": "ControlNetModel",
                "cross_attention_dim": 2048,
                "encoder_hid_dim": 4096,
                "projection_class_embeddings_input_dim": 5632,
            },
            "kolors",
        ),
    ],
)
def test_a_controlnet_folder_tells_its_base(
    tmp_path: Path, config: Mapping[str, object], base: str
) -> None:
    """By its class, and by its widths where several share one."""
    identity = identify_folder(tmp_path, config)
    assert (identity.type.value, identity.base.value) == ("controlnet", base)


@pytest.mark.parametrize(
    ("config", "predicted"),
    [
        ({"_class_name": "EDMEulerScheduler", "prediction_type": "epsilon"}, "edm"),
        ({"_class_name": "UniPCMultistepScheduler", "prediction_type": "flow_prediction"}, "flow"),
        ({"_class_name": "FlowMatchEulerDiscreteScheduler"}, "flow"),
        ({"_class_name": "EulerDiscreteScheduler", "prediction_type": "sample"}, "sample"),
    ],
)
def test_a_scheduler_says_what_its_model_predicts(
    tmp_path: Path, config: Mapping[str, object], predicted: str
) -> None:
    """Karras' schedulers write `epsilon` for what they wrap around it."""
    (tmp_path / "scheduler_config.json").write_text(json.dumps(config))
    assert identify(tmp_path).prediction_type == predicted


@pytest.mark.parametrize(
    ("name", "model_type"),
    [
        ("HunyuanDiT2DModel", "transformer"),
        ("PriorTransformer", "transformer"),
        ("StableAudioDiTModel", "transformer"),
        ("Cosmos3OmniTransformer", "transformer"),
        ("DreamLiteUNetModel", "unet"),
        ("UNet2DModel", "unet"),
        ("Kandinsky6SRVAE", "vae"),
        ("LongCatAudioDiTVae", "vae"),
    ],
)
def test_a_class_that_numbers_do_not_settle_tells_what_the_model_does(
    tmp_path: Path, name: str, model_type: str
) -> None:
    """And no base: nobody published it with these numbers."""
    identity = identify_folder(tmp_path, {"_class_name": name, "_diffusers_version": "0.36.0"})
    assert (identity.type.value, identity.bases, identity.candidates) == (model_type, (), ())
