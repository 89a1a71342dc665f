"""Published models that resemble a known base and are none of its models, found among unseen files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from modelshelf.identify import identify
from modelshelf.schema.identity import Identity
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from modelshelf.testing import tiny
from tests.unit.identify.layouts import (
    SD_1,
    SD_2,
    SDXL,
    Shapes,
    checkpoint,
    diffusers_unet,
    flux,
    index_of,
    ip_adapter,
    unet_settings,
)
from tests.unit.identify.other_video_layouts import ltx_2
from tests.unit.identify.recorded import RECORDED


def pairs(modules: Shapes, prefix: str = "transformer.", rank: int = 4) -> Shapes:
    """Return a LoRA of these modules in PEFT's names."""
    found: Shapes = {}
    for path, (outputs, inputs) in modules.items():
        found[f"{prefix}{path}.lora_A.weight"] = (rank, inputs)
        found[f"{prefix}{path}.lora_B.weight"] = (outputs, rank)
    return found


def joint(double: range, single: range, width: int = 3072) -> Shapes:
    """The attentions of FLUX.1's two kinds of blocks."""
    words = ("to_q", "to_k", "to_v")
    square = (width, width)
    return {
        **{f"transformer_blocks.{n}.attn.{one}": square for n in double for one in words},
        **{f"single_transformer_blocks.{n}.attn.{one}": square for n in single for one in words},
    }


def claims(identity: Identity) -> list[str]:
    return [base.value for base in identity.bases or identity.candidates]


@pytest.mark.parametrize(
    ("double", "single", "expected"),
    [
        (range(10), range(20), []),
        (range(6), range(27), []),
        (range(8), range(28), []),
        (range(8), range(38), ["flux", "unknown"]),
        (range(19), range(38), ["flux"]),
    ],
    ids=["longcat-image", "ovis-image", "bria", "bria-fibo or flux cut short", "flux"],
)
def test_an_adapter_that_ends_where_a_shorter_denoiser_ends_is_not_flux(
    double: range, single: range, expected: list[str]
) -> None:
    """All its modules are FLUX.1's, and whoever adapts FLUX.1 goes on to the last block."""
    identity = identify(index_of(pairs(joint(double, single))))
    assert identity.type == "lora"
    assert claims(identity) == expected


def test_flux_limited_by_hand_to_the_blocks_of_a_shorter_denoiser_is_nobody_else() -> None:
    """Somebody may have chosen just these: only what the metadata says tells them from LongCat's."""
    shapes = pairs(joint(range(10), range(20)))
    assert identify(index_of(shapes)).architecture == ""
    said = identify(replace(index_of(shapes), metadata={"ss_base_model_version": "flux1"}))
    assert (said.type.value, claims(said)) == ("lora", ["flux"])


@pytest.mark.parametrize(
    "modules",
    [
        joint(range(3), range(3)),
        joint(range(5, 8), range(0)),
        joint(range(0), range(2, 17, 3)),
        {f"transformer_blocks.{n}.ff.net.2": (3072, 12288) for n in range(8)},
        {f"single_transformer_blocks.{n}.norm.linear": (9216, 3072) for n in range(20)},
    ],
    ids=["a few blocks", "one stack", "every third", "one kind", "modulation"],
)
def test_modules_that_a_shorter_denoiser_has_too_leave_it_possible(modules: Shapes) -> None:
    """LongCat-Image and Bria have them under the same names: FLUX.1's, or nobody's that has a base."""
    assert {"flux", "unknown"} <= set(claims(identify(index_of(pairs(modules)))))


def test_a_module_of_its_own_makes_an_adapter_a_strangers() -> None:
    """LongCat-Image's text is narrower than that of any base with its blocks."""
    modules = joint(range(3), range(3)) | {"context_embedder": (3072, 3584)}
    identity = identify(index_of(pairs(modules)))
    assert (claims(identity), identity.architecture) == (["unknown"], "longcat-image")


def _sana(blocks: int = 20) -> Shapes:
    return {
        f"transformer_blocks.{number}.{attention}.{word}": (2240, 2240)
        for number in range(blocks)
        for attention in ("attn1", "attn2")
        for word in ("to_q", "to_k", "to_v")
    }


def test_words_alone_tell_sana_video_from_sana() -> None:
    """Their attentions are equal in every number, and nearly everybody adapts Sana."""
    index = index_of(pairs(_sana()))
    assert claims(identify(index)) == ["sana"]
    for word in ("SANA-Video_2B_480p_diffusers", "Efficient-Large-Model/SANA-Video_2B_480p"):
        named = identify(replace(index, metadata={"ss_base_model_version": word}))
        assert (claims(named), named.architecture) == (["unknown"], "sana-video")
        assert not any("not believed" in one.found for one in named.evidence)
    sana = replace(index, metadata={"ss_base_model_version": "Sana_1600M_1024px"})
    assert claims(identify(sana)) == ["sana"]


def test_what_lies_beside_an_adapter_may_name_sana_video(tmp_path: Path) -> None:
    """PEFT writes the repository that it trained on."""
    shapes = {name: ("BF16", shape) for name, shape in pairs(_sana(), "base_model.model.").items()}
    path = tmp_path / "adapter_model.safetensors"
    tiny.write_safetensors(path, shapes, seed=1, hollow=True)
    config = {"base_model_name_or_path": "Efficient-Large-Model/SANA-Video_2B_480p_diffusers"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    assert claims(identify(tmp_path)) == ["unknown"]


def test_a_convolution_over_time_is_sana_videos() -> None:
    """Sana makes no videos."""
    shapes = pairs(_sana()) | {
        "transformer.transformer_blocks.3.ff.conv_temp.lora_A.weight": (4, 2240, 3, 1),
        "transformer.transformer_blocks.3.ff.conv_temp.lora_B.weight": (2240, 4, 1, 1),
    }
    assert claims(identify(index_of(shapes))) == ["unknown"]


_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
_SELF_ATTENTION = ("to_query", "to_key", "to_value", "out_layer")


def attentions(stem: str, blocks: int, width: int, words: tuple[str, ...]) -> Shapes:
    """Square matrices of each block; a `#` in *stem* stands for its number."""
    return {
        f"{stem.replace('#', str(number))}.{word}": (width, width)
        for number in range(blocks)
        for word in words
    }


_NUCLEUS = attentions(
    "transformer_blocks.#.attn", 24, 2048, (*_ATTENTION, "add_k_proj", "add_v_proj")
)
_MUSIC = attentions("transformer_blocks.#.attn", 36, 2048, _ATTENTION)
_KANDINSKY_SR = attentions("visual_transformer_blocks.#.self_attention", 32, 1792, _SELF_ATTENTION)


@pytest.mark.parametrize(
    ("shared", "own", "architecture", "base"),
    [
        (
            _NUCLEUS,
            {"transformer_blocks.7.encoder_proj": (2048, 3584)},
            "nucleus-image",
            "hunyuan-video-1.5",
        ),
        (
            _MUSIC,
            {"transformer_blocks.7.ff_in": (16384, 2048)},
            "minimax-music-3",
            "hunyuan-video-1.5",
        ),
        (
            _KANDINSKY_SR,
            {"visual_transformer_blocks.7.feed_forward.net.0.proj": (7168, 1792)},
            "kandinsky-6-sr",
            "kandinsky-5",
        ),
    ],
)
def test_attentions_as_wide_as_those_of_a_base_prove_no_base(
    shared: Shapes, own: Shapes, architecture: str, base: str
) -> None:
    """Where every module is another denoiser's, too, either may be meant, until one is its own."""
    either = identify(index_of(pairs(shared)))
    assert (either.type.value, either.status.value) == ("lora", "undecided")
    assert sorted(claims(either)) == sorted([base, "unknown"])
    assert either.architecture == ""
    one = identify(index_of(pairs(shared | own)))
    assert (one.type.value, claims(one), one.architecture) == ("lora", ["unknown"], architecture)


@pytest.mark.parametrize(
    ("modules", "base"),
    [
        (attentions("transformer_blocks.#.attn", 54, 2048, _ATTENTION), "hunyuan-video-1.5"),
        (
            attentions("transformer_blocks.#.attn", 20, 2048, (*_ATTENTION, "add_q_proj")),
            "hunyuan-video-1.5",
        ),
        (
            _KANDINSKY_SR
            | attentions("visual_transformer_blocks.#.cross_attention", 32, 1792, _SELF_ATTENTION),
            "kandinsky-5",
        ),
    ],
    ids=["more blocks", "a module that the other lacks", "a second attention"],
)
def test_what_the_other_denoiser_lacks_proves_the_base(modules: Shapes, base: str) -> None:
    """Whoever adapts all of a model goes on where a smaller one ends."""
    assert claims(identify(index_of(pairs(modules)))) == [base]


def test_a_class_of_its_own_tells_a_model_with_every_module_of_ltx_2(tmp_path: Path) -> None:
    """Sana-WM's refiner takes LTX-2's weights as they are; without its class it is LTX-2."""
    path = tmp_path / "diffusion_pytorch_model.safetensors"
    tensors = {name: ("BF16", shape) for name, shape in ltx_2().items()}
    tiny.write_safetensors(path, tensors, seed=1, hollow=True)
    assert claims(identify(path)) == ["ltx-video"]
    config = {"_class_name": "SanaWMLTX2RefinerTransformer3DModel", "cross_attention_dim": 4096}
    (tmp_path / "config.json").write_text(json.dumps(config))
    identity = identify(tmp_path)
    assert (identity.type.value, identity.architecture) == ("transformer", "sana-wm-refiner")
    assert claims(identity) == ["ltx-video", "unknown"]


def test_a_lora_of_few_blocks_of_flux_stays_possible() -> None:
    """Single blocks chosen by hand end nowhere."""
    identity = identify(index_of(pairs(joint(range(3), range(7, 21, 3)))))
    assert "flux" in claims(identity)


def test_the_trainer_of_hunyuan_video_writes_a_name_of_its_own() -> None:
    """Tencent's own LoRAs for image-to-video begin with the model's name."""
    modules: Shapes = {}
    for number in range(20):
        for stream in ("img", "txt"):
            stem = f"Hunyuan_video_I2V_lora_double_blocks_{number}_{stream}_attn_qkv"
            modules[f"{stem}.lora_down.weight"] = (8, 3072)
            modules[f"{stem}.lora_up.weight"] = (9216, 8)
    identity = identify(index_of(modules))
    assert identity.type == "lora"
    assert set(claims(identity)) & {"hunyuan-video"}


def test_what_is_left_of_a_face_id_is_no_lora() -> None:
    """It has a LoRA beside its keys, so a file that lost some keys still has one."""
    whole = ip_adapter(2048, 70)
    rest = dict(sorted(whole.items())[3:]) | {
        f"ip_adapter.{number}.to_q_lora.{side}.weight": shape
        for number in range(140)
        for side, shape in (("down", (128, 640)), ("up", (640, 128)))
    }
    assert identify(index_of(rest)).type.value in {"ip_adapter", "unknown"}


def test_a_second_unet_that_steers_the_first_is_no_main_model() -> None:
    """BrushNet holds every block of its base."""
    shapes = diffusers_unet(SD_1) | {
        "conv_in_condition.weight": (320, 9, 3, 3),
        "brushnet_down_blocks.0.weight": (320, 320, 1, 1),
        "brushnet_up_blocks.0.weight": (1280, 1280, 1, 1),
    }
    assert identify(index_of(shapes)).type == "unknown"


@pytest.mark.parametrize(
    "shapes", [diffusers_unet(SD_1), diffusers_unet(SDXL)], ids=["four levels", "three levels"]
)
def test_a_unet_that_was_saved_with_its_motion_has_no_base(shapes: Shapes) -> None:
    """It makes clips, and nothing that loads the base loads it."""
    shapes = shapes | {"down_blocks.0.motion_modules.0.norm.weight": (320,)}
    identity = identify(index_of(shapes))
    assert (identity.type.value, identity.architecture) == ("main", "animatediff")
    assert claims(identity) == []


def test_marigold_of_three_images_is_sd_2() -> None:
    """What it sees beside the noise: the picture, its colours and its light."""
    shapes = diffusers_unet(SD_2) | {"conv_in.weight": (320, 16, 3, 3)}
    assert identify(index_of(shapes)).base == "sd-2"


def test_what_came_out_of_videos_is_known_in_either_of_two_kinds() -> None:
    """ModelScope's UNet and I2VGen-XL's differ in what goes in."""
    shapes = diffusers_unet(SD_2) | {
        "down_blocks.0.temp_convs.0.conv4.3.weight": (320, 320, 3, 1, 1),
        "transformer_in.norm.weight": (320,),
        "conv_out.weight": (4, 320, 3, 3),
    }
    assert identify(index_of(shapes)).architecture == "modelscope-t2v"
    shapes |= {
        "conv_in.weight": (320, 8, 3, 3),
        "image_latents_temporal_encoder.norm1.weight": (4,),
    }
    assert identify(index_of(shapes)).architecture == "i2vgen-xl"


def test_sana_as_nunchaku_packs_it_is_sana() -> None:
    """Its convolutions became matrices with their words turned around; what stands around stayed."""
    shapes = {
        name: shape
        for name, shape in RECORDED["sana-1.6b"].shapes.items()
        if ".attn" not in name and ".ff." not in name
    }
    shapes |= {
        f"transformer_blocks.{number}.ff.inverted_conv.qweight": (11200, 1120)
        for number in range(20)
    }
    identity = identify(index_of(shapes))
    assert (identity.type.value, claims(identity)) == ("main", ["sana"])


@pytest.mark.parametrize(
    ("pipeline", "bases"),
    [("KandinskyPriorPipeline", ["kandinsky-2"]), ("UnCLIPPipeline", [])],
)
def test_the_pipeline_tells_whose_prior_it_is(
    tmp_path: Path, pipeline: str, bases: list[str]
) -> None:
    """Kandinsky 2.1's prior equals Karlo's in every number."""
    index = {"_class_name": pipeline, "prior": ["diffusers", "PriorTransformer"]}
    config = {"_class_name": "PriorTransformer", "embedding_dim": 768}
    (tmp_path / "prior").mkdir()
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    (tmp_path / "prior" / "config.json").write_text(json.dumps(config))
    identity = identify(tmp_path)
    assert [base.value for base in identity.bases] == bases


def test_clip_is_a_text_encoder_inside_a_pipeline_and_clip_alone(tmp_path: Path) -> None:
    """Nothing but the pipeline makes it that model's encoder."""
    folder = tmp_path / "text_encoder"
    folder.mkdir()
    (folder / "config.json").write_text(
        json.dumps({"architectures": ["CLIPTextModel"], "hidden_size": 768})
    )
    assert identify(folder).type == "clip_embed"
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text(json.dumps(unet_settings(SD_1)))
    (tmp_path / "model_index.json").write_text(
        json.dumps(
            {
                "_class_name": "StableDiffusionPipeline",
                "text_encoder": ["transformers", "CLIPTextModel"],
                "unet": ["diffusers", "UNet2DConditionModel"],
            }
        )
    )
    parts = {one.folder: one.identity.type for one in identify(tmp_path).components}
    assert parts["text_encoder"] == "text_encoder"


@pytest.mark.parametrize(
    "names",
    [
        ("encoder.conv_in.weight", "decoder.conv_in.weight", "encoder.conv_out.weight"),
        (*diffusers_unet(SD_2), "conv_in.bias", "class_embedding.weight"),
    ],
    ids=["every autoencoder", "audioldm"],
)
def test_names_that_many_share_tell_nothing_without_shapes(names: tuple[str, ...]) -> None:
    """An index of shards has no shapes, and these names are no one model's."""
    index = TensorIndex({name: TensorEntry("", (), 0, 0) for name in names})
    assert identify(index).base != "hunyuan-video-1.5"
    assert identify(index).architecture != "sd-x4-upscaler"


@pytest.mark.parametrize(
    ("name", "blocks"),
    [("sana-1.6b", "transformer_blocks"), ("sd-3-medium", "transformer_blocks")],
)
def test_a_quarter_of_the_blocks_is_part_of_a_model(name: str, blocks: str) -> None:
    """So is the first half of a ControlNet, before its own layers begin."""
    few = {f"{blocks}.{number}." for number in range(6)}
    shapes = {
        key: shape
        for key, shape in RECORDED[name].shapes.items()
        if not key.startswith(f"{blocks}.") or any(key.startswith(one) for one in few)
    }
    assert identify(index_of(shapes)).status == "partial"


def beginning(name: str, **blocks: int) -> Shapes:
    """The first blocks of a published model, and nothing of what comes behind the last."""
    return {
        key: shape
        for key, shape in RECORDED[name].shapes.items()
        if not key.startswith(("norm_out", "proj_out", "final_layer"))
        and all(
            not key.startswith(f"{stack}.") or int(key.split(".")[1]) < count
            for stack, count in blocks.items()
        )
    }


@pytest.mark.parametrize(
    ("shapes", "missing"),
    [
        (beginning("sana-1.6b", transformer_blocks=7), "proj_out"),
        (beginning("sd-3-medium", transformer_blocks=23), "proj_out"),
        (beginning("sd-3.5-large", transformer_blocks=19), "proj_out"),
        (
            beginning("flux-dev", transformer_blocks=5, single_transformer_blocks=10),
            "proj_out",
        ),
        (
            {
                name: shape
                for name, shape in flux(double=6, single=10).items()
                if "final_layer" not in name
            },
            "final_layer",
        ),
    ],
    ids=["sana", "sd-3 medium", "sd-3.5 large", "flux diffusers", "flux original"],
)
def test_the_beginning_of_a_controlnet_is_no_main_model(shapes: Shapes, missing: str) -> None:
    """Its own layers come last: up to them it is the base's beginning, with blocks of that number."""
    identity = identify(index_of(shapes))
    assert (identity.type.value, claims(identity)) == ("unknown", [])
    assert any(missing in one.missing for one in identity.near_misses)


@pytest.mark.parametrize(
    ("shapes", "base", "architecture"),
    [
        (beginning("sana-1.6b", transformer_blocks=11), "sana", ""),
        (beginning("sd-3.5-large", transformer_blocks=22), "sd-3", "sd-3.5-large"),
        (beginning("flux-dev", single_transformer_blocks=3), "flux", ""),
    ],
    ids=["sana", "sd-3.5 large", "flux"],
)
def test_more_blocks_than_a_controlnet_has_are_the_base(
    shapes: Shapes, base: str, architecture: str
) -> None:
    """The first shard of the main model holds more of it than any ControlNet."""
    identity = identify(index_of(shapes))
    assert (identity.type.value, claims(identity)) == ("main", [base])
    assert identity.architecture == architecture


@pytest.mark.parametrize("inputs", [64, 512])
def test_open_sora_is_flux_with_an_input_more(inputs: int) -> None:
    """Its blocks are FLUX.1's, what it is given comes in beside them."""
    identity = identify(index_of(flux(inputs) | {"cond_in.weight": (3072, inputs + 4)}))
    assert (identity.type.value, claims(identity)) == ("main", [])
    assert identity.architecture == "open-sora-2"


def test_flux_as_quanto_writes_it_is_flux() -> None:
    """Numbers and scales are members of each weight."""
    shapes: Shapes = {}
    for key, shape in RECORDED["flux-dev"].shapes.items():
        if "blocks" in key and key.endswith(".weight") and len(shape) == 2:
            shapes[f"{key}._data"] = shape
            shapes[f"{key}._scale"] = (shape[0], 1)
            shapes[f"{key.removesuffix('weight')}output_scale"] = ()
        else:
            shapes[key] = shape
    identity = identify(index_of(shapes))
    assert (identity.type.value, claims(identity), identity.variant) == ("main", ["flux"], "dev")


@pytest.mark.parametrize("ending", ["weight._data", "qweight"])
def test_a_block_that_a_rule_names_may_be_packed(ending: str) -> None:
    """A number in a rule asks for that block, whatever its weight is called where it is packed."""
    shapes: Shapes = {
        f"{key.removesuffix('weight')}{ending}" if "label" in key or "attn" in key else key: shape
        for key, shape in checkpoint(SDXL).items()
    }
    assert claims(identify(index_of(shapes))) == ["sdxl"]


def write(folder: Path, files: dict[str, object]) -> Path:
    """Write each value as JSON below *folder*."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    return folder


_CLIP: dict[str, object] = {"architectures": ["CLIPTextModel"], "hidden_size": 768}
_T5: dict[str, object] = {
    "architectures": ["T5EncoderModel"],
    "d_model": 4096,
    "vocab_size": 32128,
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"text_encoder_2/config.json": _T5, "tokenizer_2/vocab.json": {}}, "t5_encoder"),
        ({"text_encoder/config.json": _CLIP, "tokenizer/vocab.json": {}}, "clip_embed"),
        ({"text_encoder/config.json": _CLIP}, "unknown"),
        (
            {
                "text_encoder/config.json": _CLIP,
                "text_encoder_2/config.json": _T5,
                "tokenizer/vocab.json": {},
            },
            "unknown",
        ),
        (
            {
                "text_encoder/config.json": _CLIP,
                "tokenizer/vocab.json": {},
                "more/vocab.json": {},
            },
            "unknown",
        ),
        (
            {
                "text_encoder/config.json": _CLIP,
                "tokenizer/vocab.json": {},
                "config.json": {"_class_name": "InkTransformer"},
            },
            "unknown",
        ),
    ],
)
def test_an_encoder_kept_with_its_tokenizer_is_that_encoder(
    tmp_path: Path, files: dict[str, object], expected: str
) -> None:
    """One encoder and nothing else of a pipeline: what several are together nobody knows."""
    assert identify(write(tmp_path, files)).type == expected


def test_weights_beside_an_encoder_and_its_tokenizer_are_not_that_encoder(tmp_path: Path) -> None:
    """Whatever they are, they are what the folder is for."""
    write(tmp_path, {"text_encoder/config.json": _CLIP, "tokenizer/vocab.json": {}, "README": {}})
    assert identify(tmp_path).type == "clip_embed"
    tiny.write_safetensors(
        tmp_path / "ink.safetensors", {"blocks.0.odd.weight": ("F16", (8, 8))}, seed=1
    )
    assert identify(tmp_path).type == "unknown"


def test_redux_as_a_pipeline_is_flux(tmp_path: Path) -> None:
    """It has no denoiser, and what it gives only FLUX reads."""
    identity = identify(
        write(
            tmp_path,
            {
                "model_index.json": {
                    "_class_name": "FluxPriorReduxPipeline",
                    "image_embedder": ["flux", "ReduxImageEncoder"],
                },
                "image_embedder/config.json": {"_class_name": "ReduxImageEncoder"},
            },
        )
    )
    assert (identity.type.value, claims(identity)) == ("main", ["flux"])
