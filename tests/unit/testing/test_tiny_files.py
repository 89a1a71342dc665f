"""The single files and folders that the makers make beside pipelines."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf.testing import tiny

LORA_BASES = ("sd-1", "sd-2", "sdxl", "sd-3", "flux")


def tensors(path: Path) -> dict[str, tuple[tuple[int, ...], bytes]]:
    """Names with shapes and bytes."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    payload = content[8 + length :]
    return {
        name: (tuple(one["shape"]), payload[slice(*one["data_offsets"])])
        for name, one in header.items()
    }


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    return sum(one.stat().st_size for one in (path, *path.rglob("*")) if one.is_file())


@pytest.mark.parametrize("base", LORA_BASES)
@pytest.mark.parametrize("style", ["kohya", "peft"])
@pytest.mark.parametrize("size", [1_000_000, 50_000_000])
def test_lora_keeps_the_size(tmp_path: Path, base: str, style: str, size: int) -> None:
    """A LoRA has the wanted size within a tenth, by rank and by number of modules."""
    path = tiny.lora(tmp_path / "a", base=base, style=style, size=size, hollow=True)

    assert path.stat().st_size == pytest.approx(size, rel=0.1)


@pytest.mark.parametrize(
    ("base", "name", "width"),
    [
        ("sd-1", "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k", 768),
        ("sd-2", "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k", 1024),
        ("sdxl", "lora_unet_middle_block_1_transformer_blocks_0_attn2_to_k", 2048),
        ("sd-3", "lora_unet_joint_blocks_0_x_block_attn_qkv", 1536),
        ("flux", "lora_unet_double_blocks_0_img_attn_qkv", 3072),
    ],
)
def test_lora_targets_have_published_widths(base: str, name: str, width: int) -> None:
    """What decides the base of a LoRA is as in the files that people share."""
    layout = tiny.lora_layout(base, rank=8)

    assert layout[f"{name}.lora_down.weight"] == (8, width)


def test_loras_follow_their_seed(tmp_path: Path) -> None:
    """Equal seeds give equal files, others other weights."""
    files = [tiny.lora(tmp_path / str(seed), seed=seed % 2, size=200_000) for seed in range(3)]
    first, second, third = (path.read_bytes() for path in files)

    assert first == third
    assert first != second


def test_a_vae_alone_is_the_pipelines(tmp_path: Path) -> None:
    """A VAE folder of the same seed is the pipeline's component byte for byte."""
    alone = tiny.vae(tmp_path / "a", folder=True, seed=5)
    inside = tiny.pipeline(tmp_path / "b", share_seed=5) / "vae"

    assert {path.name: path.read_bytes() for path in alone.iterdir()} == {
        path.name: path.read_bytes() for path in inside.iterdir()
    }


def test_a_vae_in_the_original_layout_has_the_same_weights(tmp_path: Path) -> None:
    """Names and the rank of the attention change, the bytes do not."""
    saved = tensors(tiny.vae(tmp_path / "a"))
    original = tensors(tiny.vae(tmp_path / "b", style="ldm"))

    assert (
        original["decoder.up.3.block.0.conv1.weight"]
        == saved["decoder.up_blocks.0.resnets.0.conv1.weight"]
    )
    assert original["encoder.mid.attn_1.q.weight"][0][2:] == (1, 1)
    assert sorted(data for _, data in original.values()) == sorted(
        data for _, data in saved.values()
    )


def test_scaling_factor_changes_the_config_alone(tmp_path: Path) -> None:
    """Two VAEs can have equal weights and different meaning."""
    first = tiny.vae(tmp_path / "a", folder=True)
    second = tiny.vae(tmp_path / "b", folder=True, scaling_factor=0.5)

    weights = "diffusion_pytorch_model.safetensors"
    assert (first / weights).read_bytes() == (second / weights).read_bytes()
    assert (first / "config.json").read_bytes() != (second / "config.json").read_bytes()


@pytest.mark.parametrize("base", ["sd-1", "sdxl", "flux"])
def test_checkpoints_hold_the_pipelines_weights(tmp_path: Path, base: str) -> None:
    """Every byte of the pipeline's denoiser and VAE is in the checkpoint, under original names."""
    folder = tiny.pipeline(tmp_path / "a", base=base, seed=3, share_seed=4)
    single = tensors(tiny.checkpoint(tmp_path / "b", base=base, seed=3, share_seed=4))
    whole = {data for _, data in single.values()}
    fused = b"\n".join(
        data for name, (_, data) in single.items() if "qkv" in name or "linear1" in name
    )

    for path in folder.glob("*/diffusion_pytorch_model.safetensors"):
        for name, (_, data) in tensors(path).items():
            assert data in whole or data in fused or "norm_out.linear" in name


def test_checkpoints_exchange_the_halves_of_the_last_modulation(tmp_path: Path) -> None:
    """Shift and scale change places between the two layouts of flux."""
    folder = tiny.pipeline(tmp_path / "a", base="flux") / "transformer"
    saved = tensors(folder / "diffusion_pytorch_model.safetensors")["norm_out.linear.weight"][1]
    single = tensors(tiny.checkpoint(tmp_path / "b", base="flux"))
    original = single["model.diffusion_model.final_layer.adaLN_modulation.1.weight"][1]

    half = len(saved) // 2
    assert original == saved[half:] + saved[:half]


def test_checkpoints_of_sd_2_have_what_a_pipeline_leaves_out(tmp_path: Path) -> None:
    """OpenCLIP's last block, projection and logit scale are in the file alone."""
    names = tensors(tiny.checkpoint(tmp_path / "a", base="sd-2")).keys()

    prefix = "cond_stage_model.model."
    blocks = {name.split(".")[4] for name in names if ".resblocks." in name}
    assert blocks == {"0", "1"}
    assert {f"{prefix}text_projection", f"{prefix}logit_scale"} <= names


@pytest.mark.parametrize("base", tiny.BASES)
@pytest.mark.parametrize("size", [12_000_000, 500_000_000])
def test_checkpoints_keep_the_size(tmp_path: Path, base: str, size: int) -> None:
    """A checkpoint has the wanted size within a tenth."""
    path = tiny.checkpoint(tmp_path / "a", base=base, size=size, hollow=True)

    assert path.stat().st_size == pytest.approx(size, rel=0.1)


@pytest.mark.parametrize(
    "make", [tiny.vae, tiny.controlnet, tiny.ip_adapter, tiny.clip_vision, tiny.t5]
)
def test_other_models_keep_the_size(tmp_path: Path, make: Callable[..., Path]) -> None:
    """Each maker meets the wanted size within a tenth."""
    path = make(tmp_path / "a", size=30_000_000, hollow=True)

    assert size_of(path) == pytest.approx(30_000_000, rel=0.1)


@pytest.mark.parametrize("folder", [False, True])
def test_textual_inversions_have_the_width_of_the_text(tmp_path: Path, folder: bool) -> None:  # noqa: FBT001
    """sd-1 embeds in 768 numbers, sd-2 in 1024, sdxl in both of its encoders' widths."""
    widths = {}
    for base in ("sd-1", "sd-2", "sdxl"):
        path = tiny.textual_inversion(tmp_path / base, base=base, folder=folder)
        file = path / "learned_embeds.safetensors" if folder else path
        widths[base] = sorted(shape[1] for shape, _ in tensors(file).values())

    assert widths == {"sd-1": [768], "sd-2": [1024], "sdxl": [768, 1280]}


def test_ip_adapter_folders_name_their_image_encoder(tmp_path: Path) -> None:
    """The folder says which image encoder it needs."""
    folder = tiny.ip_adapter(tmp_path / "a", folder=True)

    named = (folder / "image_encoder.txt").read_text(encoding="utf-8")
    assert named == "InvokeAI/ip_adapter_sd_image_encoder\n"


def test_a_t5_alone_is_the_pipelines(tmp_path: Path) -> None:
    """A T5 folder of the same seed is flux's second text encoder byte for byte."""
    alone = tiny.t5(tmp_path / "a", seed=2)
    inside = tiny.pipeline(tmp_path / "b", base="flux", share_seed=2) / "text_encoder_2"

    assert {path.name: path.read_bytes() for path in alone.iterdir()} == {
        path.name: path.read_bytes() for path in inside.iterdir()
    }


def test_a_library_shares_the_wanted_size_out(tmp_path: Path) -> None:
    """A tree of all kinds has the wanted size within a tenth."""
    folder = tiny.library(tmp_path / "a", size=30_000_000)

    assert size_of(folder) == pytest.approx(30_000_000, rel=0.1)
    assert all((folder / path).exists() for path in tiny.MODELS)
