"""What stands in an adapter beside its modules: names of old, text encoders, norms, and strangers."""

from __future__ import annotations

import pytest

from modelshelf.identify import identify
from modelshelf.schema.identity import Identity, IdentityStatus
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from tests.unit.identify.adapter_layouts import DENOISERS, KINDS, Modules, adapter
from tests.unit.identify.layouts import Shapes, index_of

_PEFT, _KOHYA = KINDS["peft"][1], KINDS["kohya"][1]


def _identify(shapes: Shapes, **metadata: str) -> Identity:
    tensors = {name: TensorEntry("BF16", shape, 0, 2) for name, shape in shapes.items()}
    return identify(TensorIndex(tensors, metadata=metadata))


def _possible(identity: Identity) -> list[str]:
    return [base.value for base in identity.bases or identity.candidates]


def _only(name: str, *words: str) -> Modules:
    return {
        path: shape
        for path, shape in DENOISERS[name].modules.items()
        if any(word in path for word in words)
    }


@pytest.mark.parametrize(
    ("name", "words", "naming", "expected"),
    [
        ("qwen-image", ["transformer_blocks.3.attn.to_q"], "peft",
         ["hunyuan-video", "framepack", "flux", "flux2", "chroma", "qwen-image", "unknown"]),
        ("auraflow", ["single_transformer_blocks.3.attn.to_q"], "peft",
         ["hunyuan-video", "framepack", "flux", "chroma", "auraflow", "unknown"]),
        ("qwen-image", ["transformer_blocks.18.attn.to_k"], "peft",
         ["hunyuan-video", "framepack", "flux", "chroma", "qwen-image"]),
        ("qwen-image", ["transformer_blocks.19.attn.to_k"], "peft",
         ["hunyuan-video", "framepack", "qwen-image"]),
        ("qwen-image", ["transformer_blocks.20.attn.to_k"], "peft", ["qwen-image"]),
        ("flux", ["img_attn"], "comfy", ["flux", "chroma"]),
        ("flux", ["img_attn"], "kohya", ["hunyuan-video", "flux", "chroma"]),
        ("flux", ["linear1"], "kohya", ["hunyuan-video", "flux", "chroma"]),
        ("flux", ["img_mod"], "kohya", ["flux"]),
        ("flux", ["img_mlp"], "kohya", ["flux", "chroma"]),
        ("flux diffusers", ["ff_context.net"], "peft",
         ["hunyuan-video", "framepack", "flux", "chroma"]),
        ("sd-1", ["attn1"], "kohya", ["sd-1", "sd-2"]),
        ("sd-1", ["proj_in"], "kohya", ["sd-1"]),
        ("sdxl", ["attn1"], "kohya", ["sdxl"]),
        ("refiner", ["attn1"], "kohya", ["sdxl-refiner"]),
        ("sana small", ["attn1"], "peft", ["pixart", "sana", "unknown"]),
        ("ltx", ["attn1"], "peft", ["ltx-video", "cosmos", "anima"]),
        ("cogvideox 5b", ["attn1"], "peft", ["cogvideox"]),
        ("cogvideox 5b", ["blocks.7.attn1"], "peft", ["cogvideox", "mochi"]),
        ("cogview4", ["attn1"], "peft", ["cogview4"]),
        ("cogview4", ["attn1"], "comfy", ["cogview4"]),
        ("cogview4", ["attn1"], "kohya", ["cogview4", "ltx-video", "cosmos"]),
        ("cogview4", ["attn1.to_q"], "peft", ["cogview4", "ltx-video", "cosmos"]),
        ("cogview4", ["attn1", "ff"], "kohya", ["cogview4"]),
        ("cogview4", ["blocks.7.attn1"], "peft", ["cogview4", "ltx-video", "cosmos"]),
        ("krea-2", ["attn.wq"], "kohya", ["krea-2"]),
    ],
)  # fmt: skip
def test_what_targets_leave_open_is_exactly_that_set(
    name: str, words: list[str], naming: str, expected: list[str]
) -> None:
    """Shared modules name every base that has them, and no other."""
    identity = _identify(adapter(_only(name, *words), naming, _PEFT))
    assert sorted(_possible(identity)) == sorted(expected)
    is_open = len(expected) > 1
    assert identity.status is (IdentityStatus.UNDECIDED if is_open else IdentityStatus.IDENTIFIED)


_PRIOR: Modules = {
    f"transformer_blocks.{number}.attn1.{word}": (2048, 2048)
    for number in range(20)
    for word in ("to_q", "to_k", "to_v", "to_out.0")
}


_LARGER = ["ltx-video", "cosmos", "anima", "kandinsky-2"]


@pytest.mark.parametrize(
    ("prefix", "infix", "ending", "expected"),
    [
        ("", "processor.", "_lora", ["kandinsky-2"]),
        ("transformer.", "processor.", "_lora", ["kandinsky-2"]),
        ("prior.", "", ".lora", ["kandinsky-2"]),
        ("prior.", "", ".lora_linear_layer", ["kandinsky-2"]),
        ("", "", ".lora", _LARGER),
        ("transformer.", "", ".lora", _LARGER),
        ("diffusion_model.", "", ".lora", _LARGER),
    ],
)
def test_a_prior_is_known_in_the_names_of_its_own_trainers(
    prefix: str, infix: str, ending: str, expected: list[str]
) -> None:
    """LTX-Video has eight blocks more: twenty of them in its own names may be a part of it."""
    shapes: Shapes = {}
    for path in _PRIOR:
        # Processors have no list of two around the last matrix.
        module = path.removesuffix(".0") if infix else path
        name = module.replace("attn1.", f"attn1.{infix}") + ending
        shapes[f"{prefix}{name}.down.weight"] = (4, 2048)
        shapes[f"{prefix}{name}.up.weight"] = (2048, 4)
    assert sorted(_possible(_identify(shapes))) == sorted(expected)


@pytest.mark.parametrize("naming", ["kohya", "peft", "comfy"])
def test_half_of_a_larger_denoiser_is_not_called_a_prior(naming: str) -> None:
    """Few have adapted the prior, and none of them in these names."""
    answer = _possible(_identify(adapter(_PRIOR, naming, _PEFT)))
    assert sorted(answer) == sorted(_LARGER)


def test_metadata_chooses_among_equals() -> None:
    """Chroma has all of FLUX.1's modules but the modulation: only what is written tells them apart."""
    shapes = adapter(DENOISERS["flux diffusers"].modules, "peft", _PEFT)
    assert _possible(_identify(shapes)) == ["flux"]
    assert _possible(_identify(shapes, ss_base_model_version="chroma")) == ["chroma"]
    assert _possible(_identify(shapes, ss_base_model_version="flux1")) == ["flux"]
    modulated = adapter(DENOISERS["flux"].modules, "kohya", _KOHYA)
    assert _possible(_identify(modulated, ss_base_model_version="chroma")) == ["flux"]
    sdxl = adapter(DENOISERS["sdxl"].modules, "unet", _PEFT)
    assert _possible(_identify(sdxl, ss_base_model_version="kolors")) == ["kolors"]


def _text(prefix: str, width: int, path: str = "text_model.encoder.layers.0") -> Shapes:
    modules = {f"{path}.self_attn.q_proj": (width, width), f"{path}.mlp.fc1": (4 * width, width)}
    joined = {
        prefix + (name.replace(".", "_") if prefix.startswith("lora_") else name): shape
        for name, shape in modules.items()
    }
    return {
        f"{name}.{ending}": shape
        for name, module in joined.items()
        for ending, shape in _KOHYA(module, 4)
    }


def _t5(prefix: str, width: int = 4096) -> Shapes:
    module = f"{prefix}encoder_block_0_layer_0_SelfAttention_q"
    return {f"{module}.{ending}": shape for ending, shape in _KOHYA((width, width), 4)}


def _llama(prefix: str) -> Shapes:
    module = f"{prefix}model_layers_0_self_attn_q_proj"
    return {f"{module}.{ending}": shape for ending, shape in _KOHYA((4096, 4096), 4)}


def _chat_glm(prefix: str) -> Shapes:
    module = f"{prefix}encoder_layers_0_self_attention_query_key_value"
    return {f"{module}.{ending}": shape for ending, shape in _KOHYA((4608, 4096), 4)}


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        (_text("lora_te_", 768), ["sd-1"]),
        (_text("lora_te_", 1024), ["sd-2"]),
        (_text("lora_te1_", 768), ["sdxl", "flux", "sd-3"]),
        (_text("lora_te1_", 768) | _text("lora_te2_", 1280), ["sdxl"]),
        (_text("lora_te1_", 768) | _text("lora_te2_", 1280) | _t5("lora_te3_"), ["sd-3"]),
        (_text("lora_te1_", 768) | _t5("lora_te3_"), ["flux", "sd-3"]),
        (_text("lora_te1_", 768) | _t5("lora_te2_"), ["flux"]),
        (_t5("lora_te2_", 2048), []),
        (_t5("lora_te2_", 1472), []),
        (_text("lora_te2_", 1280) | _t5("lora_te3_") | _llama("lora_te4_"), ["hidream"]),
        (_text("lora_te1_", 768) | _llama("lora_te4_"), ["hidream"]),
        (_chat_glm("lora_te_"), []),
        (_chat_glm("text_encoder_"), []),
        (_text("text_encoder.", 768), ["sd-1", "sdxl", "flux", "sd-3"]),
        (_text("text_encoder.", 768, "encoder.layers.0"), ["sd-1", "sdxl", "flux", "sd-3"]),
        (_text("text_encoder.", 1024), ["sd-2"]),
        (_text("text_encoder_2.", 1280), ["sdxl"]),
        (_text("lora_te_", 896), []),
    ],
)
def test_text_encoders_alone_leave_their_bases(shapes: Shapes, expected: list[str]) -> None:
    """CLIP-L is in half of all bases; how encoders are numbered tells some apart."""
    identity = _identify(shapes)
    assert identity.type.value == "lora"
    assert sorted(_possible(identity)) == sorted(expected)


@pytest.mark.parametrize(
    "prefix",
    [
        "base_model.model.model.layers.{}.self_attn.q_proj",
        "base_model.model.language_model.model.layers.{}.self_attn.q_proj",
        "model.layers.{}.mlp.gate_proj",
        "text_encoder.model.layers.{}.self_attn.q_proj",
        "lora_te_layers_{}_self_attn_q_proj",
        "base_model.model.transformer.h.{}.attn.c_attn",
    ],
)
def test_language_models_lend_no_base(prefix: str) -> None:
    """An adapter of an LLM, or of one that reads prompts, belongs to no image model."""
    shapes: Shapes = {}
    for number in range(28):
        for ending, shape in _PEFT((3584, 3584), 16):
            shapes[f"{prefix.format(number)}.{ending}"] = shape
    identity = _identify(shapes)
    assert identity.type.value in {"lora", "unknown"}
    assert _possible(identity) == []


def test_layers_that_attend_to_more_than_their_text_are_no_language_models() -> None:
    """ACE-Step's are called as those are, and hear lyrics and a timbre besides."""
    shapes: Shapes = {}
    for number in range(24):
        for attention in ("self_attn", "cross_attn"):
            for ending, shape in _PEFT((2048, 2048), 16):
                shapes[f"base_model.model.layers.{number}.{attention}.q_proj.{ending}"] = shape
    identity = _identify(shapes)
    assert (identity.type.value, _possible(identity)) == ("lora", [])


def test_a_language_model_that_attends_to_pictures_is_none_of_those_layers() -> None:
    """Llama 3.2 does in every fifth layer, which is as wide as its others."""
    shapes: Shapes = {}
    for number in range(40):
        attention = "cross_attn" if number % 5 == 3 else "self_attn"
        for ending, shape in _PEFT((4096, 4096), 16):
            shapes[f"base_model.model.model.layers.{number}.{attention}.q_proj.{ending}"] = shape
    assert _identify(shapes).type == "unknown"


def test_text_encoder_decides_where_rotations_tell_one_width() -> None:
    """Half a width leaves SD 1 and SD 2 open, the one encoder of kohya's scripts does not."""
    rotations: Shapes = {"lora_unet_mid_block_attentions_0_proj_in.oft_blocks": (160, 8, 8)}
    assert _possible(_identify(rotations)) == ["sd-1", "sd-2", "sdxl"]
    assert _possible(_identify(rotations | _text("lora_te_", 1024))) == ["sd-2"]
    assert _possible(_identify(rotations | _text("lora_te2_", 1280))) == ["sdxl"]


@pytest.mark.parametrize(
    ("name", "word", "naming", "prefix"),
    [
        ("flux", "img_mlp", "kohya", "lora_te1_"),
        ("flux", "img_attn", "kohya", "lora_te1_"),
        ("flux diffusers", "transformer_blocks.3.attn.to_q", "onetrainer", "lora_te1_"),
        ("flux diffusers", "transformer_blocks.3.attn.to_q", "peft", "text_encoder."),
    ],
)
def test_a_first_clip_is_not_that_of_look_alikes(
    name: str, word: str, naming: str, prefix: str
) -> None:
    """Chroma and Qwen-Image read no CLIP, HunyuanVideo reads it second."""
    shapes = adapter(_only(name, word), naming, _PEFT)
    assert len(_possible(_identify(shapes))) > 1
    assert _possible(_identify(shapes | _text(prefix, 768))) == ["flux"]


def test_xlabs_numbers_the_streams() -> None:
    """`qkv_lora1` is the image's attention, `qkv_lora2` the text's."""
    shapes: Shapes = {}
    for stream in "12":
        block = f"double_blocks.3.processor.qkv_lora{stream}"
        shapes |= {f"{block}.down.weight": (16, 3072), f"{block}.up.weight": (9216, 16)}
    identity = _identify(shapes)
    assert _possible(identity) == ["flux"]
    assert dict(identity.details) == {"layout": "xlabs", "network": "lora", "rank": "16"}


def test_old_diffusers_left_out_the_list_around_an_output() -> None:
    """`processor.to_out_lora` adapts `to_out.0`."""
    block = "unet.up_blocks.1.attentions.0.transformer_blocks.0.attn2.processor"
    shapes: Shapes = {}
    for name, width in (("to_k", 768), ("to_out", 1280)):
        shapes[f"{block}.{name}_lora.down.weight"] = (4, width)
        shapes[f"{block}.{name}_lora.up.weight"] = (1280, 4)
    identity = _identify(shapes)
    assert (_possible(identity), identity.format.value) == (["sd-1"], "diffusers")
    assert dict(identity.details)["layout"] == "diffusers"


def test_onetrainer_bundles_tokens() -> None:
    """Embeddings beside the modules are no modules."""
    shapes = adapter(DENOISERS["flux diffusers"].modules, "onetrainer", _KOHYA)
    shapes |= _text("lora_te1_", 768)
    assert dict(_identify(shapes).details)["layout"] == "onetrainer"
    shapes |= {"bundle_emb.cat.clip_l": (4, 768), "bundle_emb.cat.t5": (4, 4096)}
    identity = _identify(shapes)
    assert _possible(identity) == ["flux"]
    assert dict(identity.details)["layout"] == "onetrainer"


@pytest.mark.parametrize(
    ("name", "image", "naming"),
    [("flux", "img_in", "bare"), ("flux diffusers", "x_embedder", "peft")],
)
def test_a_control_lora_takes_a_second_image(name: str, image: str, naming: str) -> None:
    """The image that controls lies beside the latents, and the norms are trained as they are."""
    modules = {**DENOISERS[name].modules, image: (3072, 128)}
    identity = _identify(adapter(modules, naming, _PEFT))
    assert (identity.type.value, _possible(identity)) == ("control_lora", ["flux"])
    plain = _identify(adapter({**modules, image: (3072, 64)}, naming, _PEFT))
    assert plain.type.value == "lora"


@pytest.mark.parametrize(("image", "naming"), [("img_in", "bare"), ("x_embedder", "peft")])
def test_a_first_layer_of_klein_alone_is_no_control_lora(image: str, naming: str) -> None:
    """It takes as many channels as FLUX.1's with a second image beside the first."""
    identity = _identify(adapter({image: (3072, 128)}, naming, _PEFT))
    assert identity.type.value == "lora"
    assert {"flux", "flux2"} <= set(_possible(identity))


def test_norms_without_a_wrapper_make_a_control_lora() -> None:
    """Black Forest Labs keeps them whole between the low-rank pairs."""
    shapes = adapter(_only("flux", "double_blocks.0.", "single_blocks.37."), "bare", _PEFT)
    shapes |= {
        f"double_blocks.0.{stream}_attn.norm.{one}_norm.scale": (128,)
        for stream in ("img", "txt")
        for one in ("query", "key")
    }
    assert _identify(shapes).type.value == "control_lora"


def test_several_ranks_are_mixed() -> None:
    """The rank is told where it is one."""
    one = adapter(_only("wan 14b", "blocks.0."), "comfy", _PEFT, rank=8)
    other = adapter(_only("wan 14b", "blocks.1."), "comfy", _PEFT, rank=16)
    assert dict(_identify(one).details)["rank"] == "8"
    assert dict(_identify(one | other).details)["rank"] == "mixed"


def test_convolutions_make_a_locon() -> None:
    """A network that adapts more than points of an image is called by its own name."""
    plain = adapter(_only("sd-1", "attn"), "kohya", _KOHYA)
    both = adapter(_only("sd-1", "attn", "conv1"), "kohya", _KOHYA)
    assert dict(_identify(plain).details)["network"] == "lora"
    assert dict(_identify(both).details)["network"] == "locon"


def test_a_convolution_of_points_may_come_as_a_matrix() -> None:
    """Where the width of the text decides, nothing hangs on two sides of length one."""
    modules = {path: shape[:2] for path, shape in _only("sd-1", "attn", "proj_in").items()}
    assert _possible(_identify(adapter(modules, "unet", _PEFT))) == ["sd-1"]


def test_pairs_beside_packed_weights_are_no_adapter() -> None:
    """Quantised models carry low-rank corrections, and are models still."""
    shapes: Shapes = {}
    for number in range(19):
        layer = f"transformer_blocks.{number}.attn.to_q"
        shapes |= {f"{layer}.{ending}": shape for ending, shape in _PEFT((3072, 3072), 32)}
        shapes |= {f"{layer}.{one}": (3072, 16) for one in ("qweight", "wscales", "smooth")}
    assert _identify(shapes).type.value != "lora"


def test_rotations_in_a_prefix_of_their_own_are_read() -> None:
    """The scripts of kohya write `oft_unet_` where their other networks have `lora_unet_`."""
    shapes: Shapes = {
        f"oft_unet_input_blocks_7_1_transformer_blocks_9_attn2_to_{one}.oft_blocks": (4, 320, 320)
        for one in "qkv"
    }
    identity = _identify(shapes)
    assert (_possible(identity), dict(identity.details)["layout"]) == (["sdxl"], "kohya")


def test_a_difference_of_the_last_norm_is_lumina2s() -> None:
    """ComfyUI's own extraction writes what an adapter of rank one would not: norms, as differences."""
    shapes = adapter(_only("lumina2", "layers.3."), "comfy", _KOHYA)
    shapes["diffusion_model.norm_final.diff"] = (2304,)
    assert _possible(_identify(shapes)) == ["lumina2"]


def test_names_behind_a_frame_are_read() -> None:
    """Wrappers of training frameworks come off."""
    shapes = adapter(_only("sdxl original", "attn2"), "kohya", _KOHYA)
    wrapped = {f"module.{name}": shape for name, shape in shapes.items()}
    assert _possible(_identify(wrapped)) == ["sdxl"]


def test_an_extraction_with_two_underscores_is_read() -> None:
    """Some extractions write `lora_unet__` before the path."""
    shapes = adapter(_only("wan 1.3b", "self_attn"), "kohya", _KOHYA)
    doubled = {name.replace("unet_", "unet__", 1): shape for name, shape in shapes.items()}
    assert _possible(_identify(doubled)) == ["wan"]


def test_a_block_alone_may_be_joined_by_underscores() -> None:
    """Some conversions of Wan's write `lora_unet_blocks_3.self_attn.q`: dots behind the block."""
    shapes = adapter(_only("wan 14b", "attn"), "comfy", _KOHYA)
    mixed = {
        name.replace("diffusion_model.blocks.", "lora_unet_blocks_"): shape
        for name, shape in shapes.items()
    }
    identity = _identify(mixed)
    assert _possible(identity) == ["wan"]
    assert ("layout", "kohya") in identity.details


def test_an_underscore_behind_a_module_says_nothing() -> None:
    """TheLastBen's trainer ended the names of FLUX.1's modules so: `…_attn_to_out_0_.alpha`."""
    shapes = adapter(_only("flux diffusers", "attn", "norm"), "kohya", _KOHYA)
    ended = {name.replace(".", "_.", 1): shape for name, shape in shapes.items()}
    assert _possible(_identify(ended)) == ["flux"]


def _rotations(splits: dict[str, list[int]]) -> Shapes:
    return {
        f"oft_unet_{path}.oft_blocks.{number}": (4, side // 4, side // 4)
        for path, sides in splits.items()
        for number, side in enumerate(sides)
    }


def test_parts_that_are_rotated_apart_are_one_module() -> None:
    """The heads of fused attentions of FLUX.1 are rotated by themselves in kohya's files, and counted."""
    heads = [3072] * 3
    shapes = _rotations(
        {f"single_blocks_{number}_linear1": [*heads, 12288] for number in range(38)}
        | {f"double_blocks_{number}_txt_mod_lin": [18432] for number in range(19)}
    )
    identity = _identify(shapes)
    assert (_possible(identity), ("network", "oft") in identity.details) == (["flux"], True)
    odd = _rotations({"double_blocks_0_txt_mod_lin": [18432, 4]})
    assert _possible(_identify(odd)) == []


@pytest.mark.parametrize("is_reversed", [False, True])
def test_more_than_ten_rotated_parts_are_one_module(*, is_reversed: bool) -> None:
    """The number of a part may have two digits, and come before those with one."""
    shapes = _rotations({"single_blocks_7_linear1": [1792] * 12})
    items = sorted(shapes.items(), reverse=is_reversed)
    answer = _possible(_identify(dict(items)))
    assert sorted(answer) == ["chroma", "flux", "hunyuan-video"]
    wider = _rotations({"single_blocks_7_linear1": [1792] * 15})
    assert _possible(_identify(wider)) == []


_TWICE = {
    "transformer.blocks.0.self_attn.q": 5120,
    "diffusion_model.blocks.0.self_attn.q": 3072,
    "blocks.00.self_attn.q": 1536,
}


@pytest.mark.parametrize("names", [list(_TWICE), list(reversed(_TWICE)), list(_TWICE)[1:]])
def test_a_module_of_several_widths_belongs_to_no_denoiser(names: list[str]) -> None:
    """Nobody is chosen by the order of keys: what is named twice must fit twice."""
    shapes: Shapes = {}
    for name in names:
        width = _TWICE[name]
        shapes |= {f"{name}.{ending}": shape for ending, shape in _PEFT((width, width), 4)}
    assert _possible(_identify(shapes)) == []
    (alone, *_) = names
    one = {name: shape for name, shape in shapes.items() if name.startswith(f"{alone}.")}
    assert _possible(_identify(one)) == ["wan"]


def test_two_adapters_of_one_module_are_read_as_both() -> None:
    """PEFT keeps several in one file, each under the name that somebody gave it."""
    modules = _only("wan 14b", "blocks.0.self_attn")
    shapes: Shapes = {}
    for path, (outputs, inputs, *_) in modules.items():
        for name, rank in (("first", 4), ("second", 8)):
            shapes[f"transformer.{path}.lora_A.{name}.weight"] = (rank, inputs)
            shapes[f"transformer.{path}.lora_B.{name}.weight"] = (outputs, rank)
    identity = _identify(shapes)
    assert (_possible(identity), ("rank", "mixed") in identity.details) == (["wan"], True)


def test_differences_of_norms_and_biases_belong_to_their_modules() -> None:
    """Full differences of a whole model include what has one width alone."""
    shapes = adapter(_only("wan 14b", "blocks.0."), "comfy", KINDS["full"][1])
    block = "diffusion_model.blocks.0"
    shapes |= {f"{block}.norm3.diff": (5120,), f"{block}.norm3.diff_b": (5120,)}
    shapes |= {f"{block}.modulation.diff": (1, 6, 5120)}
    assert _possible(_identify(shapes)) == ["wan"]
    shapes[f"{block}.norm3.diff"] = (5121,)
    assert _possible(_identify(shapes)) == []


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [((4, 768), "sd-1"), ((4, 1024), "sd-2")],
)
def test_the_first_loras_name_no_module(tensor: tuple[int, int], expected: str) -> None:
    """Numbers of cloneofsimo's say nothing; the width of the text does."""
    shapes: Shapes = {"<s1>": (tensor[1],)}
    for number in range(4):
        shapes[f"unet:{number}:down"] = (4, 320)
        shapes[f"unet:{number}:up"] = (320, 4)
        shapes[f"text_encoder:{number}:down"] = tensor
        shapes[f"text_encoder:{number}:up"] = tensor[::-1]
    identity = identify(index_of(shapes))
    assert (identity.type.value, _possible(identity)) == ("lora", [expected])
    assert ("layout", "cloneofsimo") in identity.details
