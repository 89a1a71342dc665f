from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.errors import FormatError, InvalidSafetensorsError, SourceNotFoundError
from modelshelf.identify import identify
from modelshelf.schema.tensor import TensorIndex
from modelshelf.testing.tiny import TorchTensor, write_gguf, write_torch
from tests.unit.formats.headers import write_safetensors
from tests.unit.identify import layouts
from tests.unit.identify.layouts import REFINER, SD_1, SD_2, SDXL, Shapes, index_of, prefixed

KNOWN: dict[str, tuple[Shapes, str, str, str]] = {
    "sd-1": (layouts.checkpoint(SD_1), "main", "sd-1", "normal"),
    "sd-1 inpaint": (layouts.checkpoint(SD_1, 9), "main", "sd-1", "inpaint"),
    "sd-1 bare": (layouts.ldm_unet(SD_1), "main", "sd-1", "normal"),
    "sd-1 diffusers": (layouts.diffusers_unet(SD_1), "main", "sd-1", "normal"),
    "sd-2": (layouts.checkpoint(SD_2), "main", "sd-2", "normal"),
    "sd-2 inpaint": (layouts.checkpoint(SD_2, 9), "main", "sd-2", "inpaint"),
    "sd-2 depth": (layouts.checkpoint(SD_2, 5), "main", "sd-2", "depth"),
    "sd-2 diffusers": (layouts.diffusers_unet(SD_2, 9), "main", "sd-2", "inpaint"),
    "sdxl": (layouts.checkpoint(SDXL), "main", "sdxl", "normal"),
    "sdxl inpaint": (layouts.checkpoint(SDXL, 9), "main", "sdxl", "inpaint"),
    "sdxl diffusers": (layouts.diffusers_unet(SDXL), "main", "sdxl", "normal"),
    "refiner": (layouts.checkpoint(REFINER), "main", "sdxl-refiner", "normal"),
    "refiner diffusers": (layouts.diffusers_unet(REFINER), "main", "sdxl-refiner", "normal"),
    "sd-3": (prefixed("model.diffusion_model.", layouts.sd_3()), "main", "sd-3", "normal"),
    "sd-3.5 large": (layouts.sd_3(2432, 38), "main", "sd-3", "normal"),
    "sd-3 diffusers": (layouts.sd_3_diffusers(), "main", "sd-3", "normal"),
    "flux": (layouts.flux(), "main", "flux", "dev"),
    "flux schnell": (layouts.flux(guided=False), "main", "flux", "schnell"),
    "flux fill": (layouts.flux(384), "main", "flux", "dev_fill"),
    "flux depth or canny": (layouts.flux(128), "main", "flux", "dev_control"),
    "flux diffusers": (layouts.flux_diffusers(), "main", "flux", "dev"),
    "controlnet sd-1": (layouts.ldm_controlnet(SD_1), "controlnet", "sd-1", ""),
    "controlnet sd-1 wrapped": (
        prefixed("control_model.", layouts.ldm_controlnet(SD_1)),
        "controlnet",
        "sd-1",
        "",
    ),
    "controlnet sd-2": (layouts.ldm_controlnet(SD_2), "controlnet", "sd-2", ""),
    "controlnet sdxl": (layouts.ldm_controlnet(SDXL), "controlnet", "sdxl", ""),
    "controlnet sd-1 diffusers": (layouts.diffusers_controlnet(SD_1), "controlnet", "sd-1", ""),
    "controlnet sd-2 diffusers": (layouts.diffusers_controlnet(SD_2), "controlnet", "sd-2", ""),
    "controlnet sdxl diffusers": (layouts.diffusers_controlnet(SDXL), "controlnet", "sdxl", ""),
    "lora sd-1": (layouts.unet_lora(SD_1), "lora", "sd-1", ""),
    "lora sd-1 with text": (
        layouts.unet_lora(SD_1) | layouts.text_lora("lora_te_", 768),
        "lora",
        "sd-1",
        "",
    ),
    "lora sd-1 text alone": (layouts.text_lora("lora_te_", 768), "lora", "sd-1", ""),
    "lora sd-1 slider": (layouts.unet_lora(SD_1, wanted="proj_in"), "lora", "sd-1", ""),
    "lora sd-1 diffusers": (layouts.unet_peft(SD_1), "lora", "sd-1", ""),
    "lora sd-2": (layouts.unet_lora(SD_2), "lora", "sd-2", ""),
    "lora sd-2 text alone": (layouts.text_lora("lora_te_", 1024), "lora", "sd-2", ""),
    "lora sdxl": (layouts.unet_lora(SDXL, original=True), "lora", "sdxl", ""),
    "lora sdxl with text": (
        layouts.unet_lora(SDXL, original=True)
        | layouts.text_lora("lora_te1_", 768)
        | layouts.text_lora("lora_te2_", 1280, 32),
        "lora",
        "sdxl",
        "",
    ),
    "lora sdxl slider": (
        layouts.unet_lora(SDXL, original=True, wanted="attn1"),
        "lora",
        "sdxl",
        "",
    ),
    "lora sdxl diffusers": (layouts.unet_peft(SDXL), "lora", "sdxl", ""),
    "lora refiner": (layouts.unet_lora(REFINER), "lora", "sdxl-refiner", ""),
    "lora flux": (layouts.flux_lora(), "lora", "flux", ""),
    "lora flux with text": (
        layouts.flux_lora() | layouts.text_lora("lora_te1_", 768),
        "lora",
        "flux",
        "",
    ),
    "lora flux modulation": (layouts.flux_lora("img_mod"), "lora", "flux", ""),
    "lora sd-3": (layouts.sd_3_lora(), "lora", "sd-3", ""),
    "ip-adapter sd-1": (layouts.ip_adapter(768, 16), "ip_adapter", "sd-1", ""),
    "ip-adapter sdxl": (layouts.ip_adapter(2048, 70), "ip_adapter", "sdxl", ""),
    "clip l": (layouts.clip_text(), "clip_embed", "any", "large"),
    "clip g": (layouts.clip_text(1280, 32), "clip_embed", "any", "gigantic"),
    "t5": (layouts.t5(), "t5_encoder", "any", ""),
    "umt5": (layouts.t5(256384, biases=24), "t5_encoder", "any", ""),
    "mt5": (layouts.t5(250112, 2048), "t5_encoder", "any", ""),
    "pile-t5": (layouts.t5(32128, 2048, biases=24), "t5_encoder", "any", ""),
    "clip vision": (layouts.clip_vision(), "clip_vision", "any", ""),
    "embedding sd-1": ({"emb_params": (8, 768)}, "embedding", "sd-1", ""),
    "embedding sd-2": ({"<cat-toy>": (1024,)}, "embedding", "sd-2", ""),
    "embedding flux": ({"clip_l": (2, 768), "t5xxl": (2, 4096)}, "embedding", "flux", ""),
    "embedding sd-3": (
        {"clip_l": (2, 768), "clip_g": (2, 1280), "t5xxl": (2, 4096)},
        "embedding",
        "sd-3",
        "",
    ),
    "embedding sdxl": ({"clip_g": (2, 1280), "clip_l": (2, 768)}, "embedding", "sdxl", ""),
}
"""What it is → its tensors, type, base, variant."""

SIXTEEN = ["flux", "sd-3", "z-image", "lumina2", "chroma", "hidream"]
"""Bases whose VAEs have 16 latent channels and one layout."""

LOOK_ALIKES: dict[str, Shapes] = {
    "kolors": layouts.ldm_unet(SDXL) | {"encoder_hid_proj.weight": (2048, 4096)},
    "another label on sd-2": layouts.ldm_unet(SD_2) | {"label_emb.0.0.weight": (1280, 4)},
    "video on sd-2": layouts.ldm_unet(SD_2)
    | {"input_blocks.1.1.time_stack.0.attn1.to_q.weight": (320, 320)},
    "text to video": layouts.diffusers_unet(SD_2)
    | {"down_blocks.0.temp_convs.0.conv1.0.weight": (320,)},
    "pruned sdxl": {
        name: shape for name, shape in layouts.ldm_unet(SDXL).items() if "middle" not in name
    },
    "chroma": {
        name: shape
        for name, shape in layouts.flux().items()
        if "mod" not in name and "vector_in" not in name
    },
    "hunyuan-video": {
        name.replace(".lin.", ".linear."): shape for name, shape in layouts.flux(64, 20, 40).items()
    },
    "more blocks than flux": layouts.flux(64, 20, 40),
    "another text width": layouts.flux() | {"txt_in.weight": (3072, 3584)},
    "half a flux": {"double_blocks.0.img_attn.norm.key_norm.scale": (128,)},
    "aesthetic predictor": {"linear.weight": (1, 768), "linear.bias": (1,)},
    "a layer": {"weight": (4, 768)},
    "t5 embedding": {"token": (4096,)},
    "half an sdxl embedding": {"clip_l": (2, 768)},
    "many rows": {"token": (257, 768)},
    "no rows": {"token": (0, 768)},
    "scalar": {"token": ()},
    "nothing": {},
}
"""What resembles a family and is none, or too little of one."""


def write(path: Path, shapes: Shapes) -> Path:
    return write_safetensors(path / "neutral.safetensors", shapes)


@pytest.mark.parametrize("name", KNOWN)
def test_type_base_and_variant_come_from_the_tensors(tmp_path: Path, name: str) -> None:
    """Whatever the file is called; every answer cites tensors that are in the file."""
    shapes, model_type, base, variant = KNOWN[name]
    identity = identify(write(tmp_path, shapes))
    assert (identity.type.value, identity.base.value, identity.variant or "") == (
        model_type,
        base,
        variant,
    )
    assert {one.where for one in identity.evidence} & shapes.keys()


@pytest.mark.parametrize(
    ("shapes", "left"),
    [
        (layouts.flux(), "guidance_in.out_layer.weight"),
        (layouts.flux_diffusers(), "time_text_embed.guidance_embedder.linear_2.weight"),
    ],
)
def test_schnell_has_nothing_of_a_guidance(shapes: Shapes, left: str) -> None:
    """FLUX.1 dev that lost one of those tensors is dev still."""
    (lost,) = (name for name in shapes if "guidance" in name)
    kept = {name: shape for name, shape in shapes.items() if name != lost}
    assert identify(index_of(kept | {left: (3072, 3072)})).variant == "dev"


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_what_only_resembles_a_family_is_unknown(name: str) -> None:
    """A wrong base is worse than none."""
    identity = identify(index_of(LOOK_ALIKES[name]))
    assert (identity.type.value, identity.bases, identity.candidates) == ("unknown", (), ())


def test_an_unknown_model_names_what_was_missing() -> None:
    """The nearest rule first, with the condition that failed."""
    guided = layouts.flux() | {"distilled_guidance_layer.in_proj.weight": (5120, 64)}
    identity = identify(index_of(guided))
    assert identity.type.value == "unknown"
    assert identity.near_misses[0].rule == "flux/main/original"
    assert identity.near_misses[0].missing == "no tensor `distilled_guidance_layer.*`"
    assert identity.evidence == ()


@pytest.mark.parametrize(
    ("shapes", "model_type", "candidates"),
    [
        (layouts.ldm_vae(), "vae", ["sd-1", "sd-2", "sdxl"]),
        (prefixed("first_stage_model.", layouts.ldm_vae()), "vae", ["sd-1", "sd-2", "sdxl"]),
        (layouts.diffusers_vae(), "vae", ["sd-1", "sd-2", "sdxl"]),
        (layouts.ldm_vae(16), "vae", SIXTEEN),
        (layouts.diffusers_vae(16), "vae", SIXTEEN),
        (layouts.text_lora("lora_te1_", 768), "lora", ["sdxl", "flux", "sd-3"]),
        (layouts.flux_lora("img_attn"), "lora", ["hunyuan-video", "flux", "chroma"]),
        (layouts.flux_lora("img_mlp"), "lora", ["flux", "chroma"]),
    ],
)
def test_what_structure_leaves_open_is_a_set(
    shapes: Shapes, model_type: str, candidates: list[str]
) -> None:
    """Equal names and shapes in several bases: the honest answer names them all and takes none."""
    identity = identify(index_of(shapes))
    assert (identity.type.value, identity.bases) == (model_type, ())
    assert [base.value for base in identity.candidates] == candidates


def test_an_adapter_of_an_unknown_model_is_a_lora_still() -> None:
    """Its tensors say what it is, if not for whom."""
    shapes = layouts.kohya({f"lora_unet_blocks_{one}_attn_wq": (6140, 6140) for one in range(4)})
    identity = identify(index_of(shapes))
    assert (identity.type.value, identity.bases, identity.candidates) == ("lora", (), ())


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        (layouts.unet_lora(SD_1), "lycoris"),
        (layouts.unet_peft(SD_1), "diffusers"),
        (
            prefixed(
                "diffusion_model.", layouts.peft({"double_blocks.0.img_mod.lin": (18432, 3072)})
            ),
            "lycoris",
        ),
        (layouts.checkpoint(SDXL), "checkpoint"),
        (layouts.diffusers_unet(SDXL), "diffusers"),
        ({"emb_params": (8, 768)}, "embedding_file"),
        (layouts.clip_text(), "diffusers"),
        (prefixed("cond_stage_model.transformer.", layouts.clip_text()), "checkpoint"),
    ],
)
def test_the_format_is_whose_names_are_used(shapes: Shapes, expected: str) -> None:
    """Loaders choose their table of names by it."""
    assert identify(index_of(shapes)).format.value == expected


@pytest.mark.parametrize(
    "ends",
    [
        {
            "hada_w1_a": (640, 4),
            "hada_w1_b": (4, 768),
            "hada_w2_a": (640, 4),
            "hada_w2_b": (4, 768),
        },
        {"lokr_w1": (16, 16), "lokr_w2_a": (40, 4), "lokr_w2_b": (4, 48)},
        {"lokr_w1_a": (16, 4), "lokr_w1_b": (4, 16), "lokr_w2": (40, 48)},
        {"lokr_w1": (16, 16), "lokr_w2": (40, 48), "lokr_t2": (4,), "alpha": ()},
        {"diff": (640, 768)},
        {"lora_A.default.weight": (4, 768), "lora_B.default.weight": (640, 4)},
        {"lora.down.weight": (4, 768), "lora.up.weight": (640, 4)},
        {"lora_linear_layer.down.weight": (4, 768), "lora_linear_layer.up.weight": (640, 4)},
    ],
)
def test_every_kind_of_adapter_tells_the_width_of_its_module(
    ends: dict[str, tuple[int, ...]],
) -> None:
    """LoHa and LoKr multiply small matrices; their product is as wide as the module."""
    module = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
    identity = identify(index_of({f"{module}.{end}": shape for end, shape in ends.items()}))
    assert (identity.type.value, identity.base.value) == ("lora", "sd-1")


def test_half_a_product_tells_no_width() -> None:
    """A LoKr whose second factor is missing is a LoRA of nobody knows what."""
    module = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
    for end in ("lokr_w1_a", "lokr_w1_b"):
        identity = identify(index_of({f"{module}.{end}": (16, 768)}))
        assert (identity.type.value, identity.bases) == ("lora", ())


def test_processor_names_of_old_diffusers_are_understood() -> None:
    """`attn2.processor.to_k_lora.down` adapts `attn2.to_k`."""
    module = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora"
    identity = identify(
        index_of({f"{module}.down.weight": (4, 1024), f"{module}.up.weight": (640, 4)})
    )
    assert (identity.type.value, identity.base.value) == ("lora", "sd-2")


def test_an_adapter_that_tells_outputs_alone_is_known_by_its_text_encoder() -> None:
    """Orthogonal fine-tuning rotates outputs; only kohya's SD 1 and 2 write `lora_te_`."""
    shapes: Shapes = {"lora_unet_mid_block_attentions_0_proj_in.oft_blocks": (160, 8, 8)}
    for number in range(12):
        layer = f"lora_te_text_model_encoder_layers_{number}"
        shapes[f"{layer}_self_attn_q_proj.oft_blocks"] = (96, 8, 8)
    identity = identify(index_of(shapes))
    assert (identity.type.value, identity.base.value) == ("lora", "sd-1")


def test_parameters_called_alpha_are_no_adapter() -> None:
    """Networks with learned activations have them too."""
    for other in ("decoder.out.weight", "decoder.lora_gate.weight"):
        shapes: Shapes = {"decoder.act.alpha": (1, 64, 1), other: (1,)}
        assert identify(index_of(shapes)).type.value == "unknown"


def test_a_marker_declares_v_prediction() -> None:
    """Structure cannot tell it from epsilon, an empty tensor of that name can."""
    plain = layouts.checkpoint(SDXL)
    assert identify(index_of(plain)).prediction_type is None
    marked = identify(index_of(plain | {"v_pred": ()}))
    assert marked.prediction_type == "v_prediction"


def test_a_bundle_is_told_from_a_bare_denoiser() -> None:
    """Both are main models; what else the file holds is in the evidence."""
    bundle = identify(index_of(layouts.checkpoint(SD_1))).evidence[-1]
    bare = identify(index_of(layouts.ldm_unet(SD_1))).evidence[-1]
    assert (bundle.found, bare.found) == ("denoiser, text, vae", "one model without wrapper")


def test_precision_is_what_most_bytes_have(tmp_path: Path) -> None:
    """A few norms in full precision do not make a model one of full precision."""
    index = identify(write(tmp_path, layouts.ldm_vae()))
    assert index.precision == "fp16"
    mixed = TensorIndex(
        {
            "a": index_of({"a": (1,)}, "F32").tensors["a"],
            "b": index_of({"b": (1,)}, "F8_E4M3").tensors["b"]._replace(end=100),
        }
    )
    assert identify(mixed).precision == "fp8_e4m3fn"
    assert identify(index_of({})).precision is None


def test_what_holds_no_tensors_is_unknown(tmp_path: Path) -> None:
    """Kept and not refused, with the reason."""
    path = tmp_path / "m.txt"
    path.write_bytes(b"hello")
    identity = identify(path)
    assert (identity.type.value, identity.status.value) == ("unknown", "unknown")
    assert identity.near_misses[0].missing == "tensors: m.txt is no container of tensors"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.ckpt", b"PK\x03\x04"),
        ("m.pt", b"\x80\x02"),
        ("m.onnx", b"\x08\x07"),
        ("m.gguf", b"GGUF\x03\0\0\0"),
        ("m.dat", b"GGUF\x03\0\0\0"),
    ],
)
def test_a_damaged_container_is_an_error(tmp_path: Path, name: str, content: bytes) -> None:
    """Whatever it is written in."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FormatError):
        identify(path)


def test_a_pickle_is_read_as_any_other_container(tmp_path: Path) -> None:
    """The same families, whatever dict the training code put around the tensors."""
    shapes = layouts.checkpoint(SD_1)
    tensors = {name: TorchTensor("F16", shape) for name, shape in shapes.items()}
    payload = {"epoch": 3, "state_dict": tensors}
    identity = identify(write_torch(tmp_path / "neutral.ckpt", payload, hollow=True))
    assert (identity.type.value, identity.base.value, identity.precision) == (
        "main",
        "sd-1",
        "fp16",
    )
    assert (identity.format.value, identity.status.value) == ("checkpoint", "identified")


def test_gguf_keeps_its_format_and_its_kind(tmp_path: Path) -> None:
    """Loaders need to know; the families are those of every container."""
    tensors = {name: ("Q8_0", shape) for name, shape in layouts.flux().items() if len(shape) > 1}
    plain = {name: ("F32", shape) for name, shape in layouts.flux().items() if len(shape) == 1}
    path = tmp_path / "neutral.gguf"
    write_gguf(path, tensors | plain, fields={"general.architecture": "flux"})
    identity = identify(path)
    assert (identity.base.value, identity.format.value) == ("flux", "gguf")
    assert identity.precision == "q8_0"


def test_safetensors_under_another_suffix_is_read(tmp_path: Path) -> None:
    """People rename; the first bytes tell."""
    path = write_safetensors(tmp_path / "model.ckpt", layouts.checkpoint(SD_1))
    assert identify(str(path)).base.value == "sd-1"


def test_a_damaged_file_is_an_error_and_not_unknown(tmp_path: Path) -> None:
    """The caller decides what to do with it; it must not pass for a strange model."""
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"garbage!")
    with pytest.raises(InvalidSafetensorsError):
        identify(path)


def test_nothing_there_is_not_found(tmp_path: Path) -> None:
    """As for every other command."""
    with pytest.raises(SourceNotFoundError):
        identify(tmp_path / "nope")


def test_a_header_that_keeps_readers_busy_is_unknown() -> None:
    """A million names, or names like books: no published model has them."""
    crowd = index_of({f"x{number}.weight": (1,) for number in range(70_000)})
    identity = identify(crowd)
    assert (identity.type.value, identity.status.value) == ("unknown", "unknown")
    assert identity.near_misses[0].missing == (
        "at most 65536, named in 3145728 characters: there are 70000, in 898890"
    )
    tales = identify(index_of({f"{number}" + "_" * 500: () for number in range(9000)}))
    assert tales.near_misses[0].missing.endswith(": there are 9000, in 4534890")
    books = {f"{number}." + "1." * 1000: (1,) for number in range(10)}
    assert identify(index_of(books)).type == "unknown"
    assert identify(index_of(books | layouts.flux())).base == "flux"


def test_a_sound_file_of_more_tensors_than_any_model_has_is_no_damaged_one(tmp_path: Path) -> None:
    """Up to the bound rules are asked, and beyond it the answer names the bound."""
    names = [f"experts.{number}.weight" for number in range(65_537)]
    most = write_safetensors(tmp_path / "most", dict.fromkeys(names[1:], (2, 2)))
    assert "any that a rule asks for first" in identify(most).near_misses[0].missing
    more = write_safetensors(tmp_path / "more", dict.fromkeys(names, (2, 2)))
    assert "at most 65536" in identify(more).near_misses[0].missing
