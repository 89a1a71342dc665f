from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from modelshelf.identify import identify
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from modelshelf.testing import tiny
from tests.unit.identify.layouts import Shapes, flux
from tests.unit.identify.recorded import RECORDED

WIDE = (1024, 1024)


def precision(tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> str | None:
    """Identify tensors of two bytes a number, whatever the dtype: words, not sizes, are tested."""
    entries: dict[str, TensorEntry] = {}
    for name, (dtype, shape) in tensors.items():
        size = 2
        for side in shape:
            size *= side
        entries[name] = TensorEntry(dtype, shape, 0, size)
    return identify(TensorIndex(entries)).precision


@pytest.mark.parametrize(
    ("dtype", "word"),
    [
        ("F64", "fp64"),
        ("F32", "fp32"),
        ("F16", "fp16"),
        ("BF16", "bf16"),
        ("F8_E4M3", "fp8_e4m3fn"),
        ("F8_E5M2", "fp8_e5m2"),
        ("I8", "int8"),
        ("Q4_K", "q4_k"),
        ("IQ3_XXS", "iq3_xxs"),
        ("", None),
    ],
)
def test_a_plain_dtype_has_a_word(dtype: str, word: str | None) -> None:
    """GGUF's kinds keep theirs."""
    assert precision({"a.weight": (dtype, WIDE)}) == word


def test_matrices_count_and_not_norms() -> None:
    """Norms and biases stay in full precision nearly everywhere."""
    tensors = {f"n{number}.weight": ("F32", (9000,)) for number in range(99)}
    assert precision(tensors | {"a.weight": ("BF16", (10, 10))}) == "bf16"
    assert precision({"a.bias": ("F32", (9,)), "b.bias": ("F16", (90,))}) == "fp16"
    assert precision({}) is None


def test_the_denoiser_counts_and_not_its_companions() -> None:
    """A bundle's text encoder in full precision says nothing about the denoiser."""
    bundle = {
        "model.diffusion_model.a.weight": ("F16", (10, 10)),
        "cond_stage_model.a.weight": ("F32", WIDE),
    }
    assert precision(bundle) == "fp16"


def test_no_majority_is_mixed() -> None:
    """Half and half is neither."""
    assert precision({"a.weight": ("F16", WIDE), "b.weight": ("F32", WIDE)}) == "mixed"


@pytest.mark.parametrize(
    ("extra", "word"),
    [
        ({"b.0.q.scale_weight": ("F32", ()), "scaled_fp8": ("F8_E4M3", (0,))}, "fp8_scaled"),
        ({"b.0.q.weight_scale": ("F32", ()), "b.0.q.input_scale": ("F32", ())}, "fp8_scaled"),
        ({"b.0.q.weight_scale": ("F32", ()), "b.0.q.comfy_quant": ("U8", (64,))}, "fp8_scaled"),
        ({"b.0.q.weight_scale": ("F32", ()), "b.0.v.weight": ("BF16", WIDE)}, "fp8_mixed"),
        ({"b.0.q.weight_scale": ("F32", ()), "b.0.m.weight": ("BF16", (6144, 256))}, "fp8_scaled"),
        ({"b.0.q.weight_scale": ("F32", ()), "head.weight": ("BF16", (9000, 9000))}, "fp8_scaled"),
        ({"b.0.q.weight_scale": ("F32", ()), "c.1.v.weight": ("BF16", WIDE)}, "fp8_scaled"),
        ({"b.0.q.weight_scale_inv": ("BF16", (8, 8))}, "fp8_scaled"),
        ({"b.0.q.weight_scale": ("F8_E8M0", (1024, 32))}, "mxfp8"),
        ({"b.0.q.weight_scale": ("U8", (1024, 32))}, "mxfp8"),
        ({}, "fp8_e4m3fn"),
    ],
)
def test_scaled_eight_bits(extra: dict[str, tuple[str, tuple[int, ...]]], word: str) -> None:
    """Mixed is where the lists of blocks that are quantised keep wide matrices as they were.

    What stands outside the blocks, and low-rank modulations inside, are never quantised.
    """
    assert precision({"b.0.q.weight": ("F8_E4M3", WIDE)} | extra) == word


@pytest.mark.parametrize(
    ("companions", "word"),
    [
        ({"a.weight.absmax": "F32", "a.weight.quant_state.bitsandbytes__nf4": "U8"}, "bnb_nf4"),
        ({"a.weight.absmax": "F32", "a.weight.quant_state.bitsandbytes__fp4": "U8"}, "bnb_fp4"),
        ({"a.SCB": "F32"}, "bnb_int8"),
        ({"a.weight_scale": "F8_E4M3", "a.weight_scale_2": "F32"}, "nvfp4"),
        ({"a.qweight": "I8", "a.wscales": "BF16", "a.smooth_factor": "BF16"}, "svdquant"),
        ({"a.weight_s_rel": "F8_E4M3", "a.weight_s_channel": "F32"}, "int4"),
        ({"a.weight_scale": "BF16", "a.weight_zero": "BF16"}, "int4"),
        ({"a.weight_scale": "BF16", "a.smooth_factor": "BF16", "b.weight_zero": "F16"}, "svdquant"),
        ({"a.qweight": "I32", "a.qzeros": "I32", "a.g_idx": "I32", "a.scales": "F16"}, "gptq"),
        ({"a.qweight": "I32", "a.qzeros": "I32", "a.scales": "F16"}, "awq"),
        ({"a.weight_scale": "F8_E4M3", "a.weight_global_scale": "F32"}, "nvfp4"),
        ({"a.weight_scale": "BF16", "a.weight_shape": "I64"}, "int4"),
        ({"a.scale": "F32", "a.zero_point": "F32"}, "sdnq"),
        ({"a.scale": "F32"}, "sdnq"),
        ({"a.encoded_exponent": "U8", "a.sign_mantissa": "U8", "a.luts": "U8"}, "dfloat11"),
        ({"a._weight_qdata": "U8", "a._weight_per_tensor_scale": "F32"}, "nvfp4"),
        ({"a._weight_qdata": "I32", "a._weight_scale_and_zero": "BF16"}, "int4"),
        ({"a._weight_qdata": "I8", "a._weight_group_scale": "BF16"}, "int4"),
        ({"a.W_q": "U8", "a.scale": "F16", "a.zero": "F16", "a.nbits": "I32"}, "hqq"),
    ],
)
def test_packed_forms_are_known_by_what_lies_beside_each_weight(
    companions: dict[str, str], word: str
) -> None:
    """Their weights are bytes to any reader."""
    beside = {name: (dtype, (16,)) for name, dtype in companions.items()}
    assert precision({"a.weight": ("U8", (64, 1)), **beside}) == word


@pytest.mark.parametrize(
    "tensors",
    [
        {"a.weight": ("I8", WIDE), "a.weight_scale": ("F32", (1024, 1))},
        {"a.weight._data": ("I8", WIDE), "a.weight._scale": ("BF16", (1024, 1))},
        {"a._weight_qdata": ("I8", WIDE), "a._weight_scale": ("BF16", (1024, 1))},
    ],
)
def test_scaled_integers_are_known_beside_kernels_that_outweigh_them(
    tensors: dict[str, tuple[str, tuple[int, ...]]],
) -> None:
    """Convolutions of a small UNet stay in sixteen bits."""
    assert precision({**tensors, "c.weight": ("BF16", (1024, 1024, 3, 3))}) == "int8"


def test_a_scale_for_each_row_lies_beside_pairs_and_a_column_of_them_beside_bytes() -> None:
    """ComfyUI calls both `weight_scale`, and the bytes of both `I8`."""
    bytes_ = {"a.weight": ("I8", (1024, 512)), "a.weight_scale": ("F32", (1024,))}
    pairs = bytes_ | {"a.comfy_quant": ("U8", (72,))}
    whole = {"b.weight": ("I8", WIDE), "b.weight_scale": ("F32", (1024, 1))}
    assert precision(pairs) == "int4"
    assert precision(pairs | whole) == "int8"
    # Other programs write such a row beside bytes, and no mark of ComfyUI's.
    assert precision(bytes_) == "int8"


def test_a_scale_of_another_layer_of_the_list_is_no_quantisation() -> None:
    """Krea 2 norms with one number of a list what it weighs with the next."""
    layers = {"mlp.0.scale": ("F32", (1024,)), "mlp.1.weight": ("F8_E4M3", WIDE)}
    assert precision(layers) == "fp8_e4m3fn"


def test_a_scale_beside_a_plain_weight_is_no_quantisation() -> None:
    """Layers with a learned scale have one too."""
    assert precision({"a.weight": ("F16", WIDE), "a.scale": ("F32", (1024,))}) == "fp16"


_KERNELS = {"c.weight": ("F16", (1024, 1024, 3, 3))}


@pytest.mark.parametrize(
    ("tensors", "file_type", "word"),
    [
        ({"a.weight": ("Q8_0", WIDE), **_KERNELS}, "", "q8_0"),
        ({"a.weight": ("Q4_K", WIDE), "b.weight": ("F16", (512, 1024))}, "", "q4_k"),
        ({"a.weight": ("Q4_K", WIDE), "b.weight": ("F16", WIDE)}, "", "mixed"),
        ({"a.weight": ("Q4_K", WIDE), "b.weight": ("F16", WIDE)}, "15", "q4_k"),
        ({"a.weight": ("Q4_K", WIDE), "b.weight": ("F16", (9216, 1024))}, "14", "q4_k"),
        ({"a.weight": ("Q4_K", WIDE), "b.weight": ("F16", (9216, 1024))}, "", "fp16"),
        ({"a.weight": ("Q4_K", WIDE), "b.weight": ("Q6_K", WIDE)}, "15", "q4_k"),
        ({"a.weight": ("Q4_K", WIDE), "b.weight": ("Q6_K", (256, 1024))}, "18", "q4_k"),
        ({"a.weight": ("Q4_K", WIDE), **_KERNELS}, "1", "q4_k"),
        ({"a.weight": ("F16", WIDE)}, "7", "fp16"),
        ({**_KERNELS, "a.bias": ("F32", (1024,))}, "", "fp16"),
    ],
)
def test_gguf_is_called_by_the_kind_that_its_matrices_were_packed_in(
    tmp_path: Path, tensors: dict[str, tuple[str, tuple[int, ...]]], file_type: str, word: str
) -> None:
    """Convolutions cannot be packed, and four bits a number are no smaller part than sixteen.

    What the file says of itself counts where no packed kind prevails, and names one that is there.
    """
    fields = {"general.file_type": int(file_type)} if file_type else {}
    path = tiny.write_gguf(tmp_path / "m.gguf", tensors, fields=fields)
    assert identify(path).precision == word


_FOUR_BITS = {"quant_method": "bitsandbytes", "load_in_4bit": True}


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"quantization_config": _FOUR_BITS | {"bnb_4bit_quant_type": "nf4"}}, "bnb_nf4"),
        ({"quantization_config": _FOUR_BITS | {"bnb_4bit_quant_type": "fp4"}}, "bnb_fp4"),
        ({"quantization_config": _FOUR_BITS | {"bnb_4bit_quant_type": ["nf4"]}}, None),
        (
            {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}},
            "bnb_int8",
        ),
        ({"quantization_config": {"quant_method": "awq", "bits": 4}}, "awq"),
        ({"quantization_config": {"quant_method": "of tomorrow"}}, None),
        ({"quantization_config": "nf4"}, None),
        ({"dfloat11_config": {"version": "0.2.0"}}, "dfloat11"),
        ({}, None),
    ],
)
def test_a_folder_without_weights_is_packed_as_its_configuration_says(
    tmp_path: Path, said: dict[str, object], word: str | None
) -> None:
    """A clone without its large files; weights that are there speak for themselves."""
    folder = tiny.pipeline(tmp_path / "made", base="sd-1") / "unet"
    config = json.loads((folder / "config.json").read_text()) | said
    (folder / "config.json").write_text(json.dumps(config))
    assert identify(folder).precision == "fp16"
    next(folder.glob("*.safetensors")).unlink()
    assert identify(folder).precision == word


def _by_dfloat11(shapes: Shapes, block: str) -> TensorIndex:
    """Every matrix of a block goes into one run of codes under the block's name."""
    entries: dict[str, TensorEntry] = {}
    for name, shape in shapes.items():
        found = re.match(block, name)
        if found is None or not name.endswith(".weight") or len(shape) == 1:
            entries[name] = TensorEntry("BF16", shape, 0, 2)
            continue
        for one in ("luts", "encoded_exponent", "sign_mantissa", "gaps"):
            entries[f"{found[0]}.{one}"] = TensorEntry("U8", (4096,), 0, 4096)
        entries[f"{found[0]}.output_positions"] = TensorEntry("U32", (64,), 0, 256)
        entries[f"{found[0]}.split_positions"] = TensorEntry("I64", (4,), 0, 32)
    return TensorIndex(entries)


_BLOCKS = r"(\w+_blocks|blocks|layers|\w+_refiner|\w+_embed.*)\.[0-9]+"


@pytest.mark.parametrize(
    "name",
    [
        *("flux-dev", "flux-schnell", "flux2-klein-4b", "chroma", "chroma.original", "qwen-image"),
        *("sd-3.5-large", "z-image", "z-image.original", "lumina2", "omnigen2", "krea-2.original"),
    ],
)
def test_a_base_is_known_where_dfloat11_left_no_matrix_of_its_blocks(name: str) -> None:
    """Biases and norms stay, and say as much."""
    identity = identify(_by_dfloat11(RECORDED[name].shapes, _BLOCKS))
    assert (identity.base.value, identity.precision) == (RECORDED[name].base, "dfloat11")


def test_flux_is_known_by_dfloat11_in_its_own_names() -> None:
    """As ComfyUI takes it."""
    identity = identify(_by_dfloat11(flux(), _BLOCKS))
    assert (identity.base, identity.variant, identity.precision) == ("flux", "dev", "dfloat11")
