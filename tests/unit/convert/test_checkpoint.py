from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from safetensors import deserialize

from modelshelf.blobs.source_reader import open_source
from modelshelf.convert import convert_checkpoint
from modelshelf.formats import parse_recipe, read_safetensors, read_tensors, read_tree
from modelshelf.identify import identify
from modelshelf.schema.conversion import Conversion, KeptWhole
from modelshelf.schema.manifest import PlannedPart
from modelshelf.schema.member import MemberPath
from modelshelf.schema.recipe import StorableFile
from modelshelf.schema.tensor import TensorEntry
from modelshelf.testing import tiny

BASES = ("sd-1", "sd-2", "sdxl", "sdxl-refiner")


def convert(path: Path) -> Conversion | KeptWhole:
    """Convert the checkpoint at *path*, as adding it does."""
    tree = read_tree(path)
    return convert_checkpoint(tree.files[0], read_tensors(tree.files[0]), identify(tree))


def converted(path: Path) -> dict[str, bytes]:
    """Convert the checkpoint at *path*; return every file of the result by its path."""
    conversion = convert(path)
    assert isinstance(conversion, Conversion), conversion.reason
    parts = (*conversion.parts, conversion.leftovers, conversion.original)
    return {name: content for part in parts for name, content in built(part).items()}


def built(part: PlannedPart) -> dict[str, bytes]:
    """Return the files of one part, put together."""
    return {
        f"{part.folder}/{member}".removeprefix("/"): content_of(file) for member, file in part.files
    }


def content_of(file: StorableFile) -> bytes:
    """Read a file that is made of pieces."""
    content = bytearray(file.size)
    with open_source(file) as reader:
        assert reader.read_into(memoryview(content), 0) == file.size
    return bytes(content)


def rewrite(path: Path, change: Mapping[str, str | None], **added: tuple[int, ...]) -> Path:
    """Write a checkpoint anew with beginnings of names changed, or their tensors left out, or more."""
    index = read_safetensors(path)
    tensors = {name: (entry.dtype, entry.shape) for name, entry in index.tensors.items()}
    for start, other in change.items():
        found = {name: tensors.pop(name) for name in list(tensors) if name.startswith(start)}
        if other is not None:
            tensors |= {other + name.removeprefix(start): one for name, one in found.items()}
    tensors |= {name.replace("__", "."): ("F16", shape) for name, shape in added.items()}
    return tiny.write_safetensors(
        path.with_name("rewritten.safetensors"), tensors, seed=1, metadata=index.metadata
    )


@pytest.mark.parametrize("base", BASES)
def test_components_are_what_a_folder_of_the_same_model_holds(tmp_path: Path, base: str) -> None:
    """Byte for byte the files that diffusers saves, so that both are stored once.

    Apart from encoders that the maker gives numbers of their own, because they are no renaming.
    """
    files = converted(tiny.checkpoint(tmp_path / "model.safetensors", base=base))
    folder = tiny.pipeline(tmp_path / "folder", base=base)
    weights = [name for name in files if name.endswith(".safetensors")]
    own = {"sd-2": {"text_encoder"}, "sdxl": {"text_encoder_2"}, "sdxl-refiner": {"text_encoder_2"}}
    for name in weights:
        if name.partition("/")[0] not in own.get(base, set()):
            assert files[name] == (folder / name).read_bytes(), name
        else:
            assert len(files[name]) == (folder / name).stat().st_size or base == "sd-2"
    index = json.loads(files["model_index.json"])
    slots = {name for name, slot in index.items() if isinstance(slot, list) and slot[0]}
    assert slots == {name.partition("/")[0] for name in files if "/" in name} - {".original"}


@pytest.mark.parametrize(
    ("base", "dtype", "sizes"),
    [
        (
            "sd-1",
            "F16",
            {"text_encoder": 246_144_152, "unet": 1_719_125_304, "vae": 167_335_342},
        ),
        (
            "sdxl",
            "F16",
            {"text_encoder": 246_144_152, "text_encoder_2": 1_389_382_176, "unet": 5_135_149_760},
        ),
        ("sd-2", "F32", {"vae": 334_643_268}),
    ],
)
def test_components_have_the_published_size(
    tmp_path: Path, base: str, dtype: str, sizes: Mapping[str, int]
) -> None:
    """Header and padding too: the files that hubs hold, as their listings say."""
    path = tiny.checkpoint(
        tmp_path / "model.safetensors", base=base, dtype=dtype, full=True, hollow=True
    )
    conversion = convert(path)
    assert isinstance(conversion, Conversion)
    found = {
        part.folder: file.size
        for part in conversion.parts
        for member, file in part.files
        if member.endswith(".safetensors")
    }
    assert {folder: found[folder] for folder in sizes} == sizes


@pytest.mark.parametrize("dtype", ["F32", "BF16"])
@pytest.mark.parametrize("base", BASES)
def test_the_weights_keep_their_type_and_the_reference_reader_reads_them(
    tmp_path: Path, base: str, dtype: str
) -> None:
    """Nothing is cast; what is written is a file that the safetensors library takes."""
    files = converted(tiny.checkpoint(tmp_path / "model.safetensors", base=base, dtype=dtype))
    for name, content in files.items():
        if not name.endswith(".safetensors"):
            continue
        tensors = dict(deserialize(content))  # type: ignore[no-untyped-call] # the library's
        assert {tensor["dtype"] for tensor in tensors.values()} == {dtype}


@pytest.mark.parametrize("base", BASES)
def test_every_byte_has_a_place_and_only_one(tmp_path: Path, base: str) -> None:
    """The recipe names each byte of the checkpoint once, in order, and what is left over is small."""
    path = tiny.checkpoint(tmp_path / "model.safetensors", base=base)
    files = converted(path)
    recipe = parse_recipe(files[".original/recipe.json"], path="recipe.json")
    assert recipe.size == path.stat().st_size
    ranges = sorted((piece.file, piece.offset, piece.length) for piece in recipe.pieces)  # type: ignore[union-attr] # no literals in recipes
    for (file, offset, length), (other, following, _) in pairwise(ranges):
        assert other > file or following >= offset + length
    assert recipe.files[-1] == (".original", MemberPath("rest.bin"))


def test_averaged_weights_are_left_over(tmp_path: Path) -> None:
    """They belong to no component, and come back with the checkpoint."""
    plain = converted(tiny.checkpoint(tmp_path / "plain.safetensors"))
    with_ema = converted(tiny.checkpoint(tmp_path / "ema.safetensors", ema=True))
    assert {k: v for k, v in plain.items() if ".original" not in k} == {
        k: v for k, v in with_ema.items() if ".original" not in k
    }
    unet = len(plain["unet/diffusion_pytorch_model.safetensors"])
    more = len(with_ema[".original/rest.bin"]) - len(plain[".original/rest.bin"])
    assert more > unet * 0.9


def test_names_without_text_model_are_understood(tmp_path: Path) -> None:
    """Files of NovelAI and their merges name the text encoder without it."""
    path = tiny.checkpoint(tmp_path / "model.safetensors")
    start = "cond_stage_model.transformer."
    other = rewrite(path, {f"{start}text_model.": start})
    names = set(read_safetensors(path).tensors) - set(read_safetensors(other).tensors)
    assert names
    path.unlink()
    files = converted(other)
    (tmp_path / "found.safetensors").write_bytes(files["text_encoder/model.safetensors"])
    found = read_safetensors(tmp_path / "found.safetensors").tensors
    assert "text_model.final_layer_norm.weight" in found


@pytest.mark.parametrize(
    ("base", "inpaint", "class_name"),
    [
        ("sd-1", False, "StableDiffusionPipeline"),
        ("sd-1", True, "StableDiffusionInpaintPipeline"),
        ("sdxl", True, "StableDiffusionXLInpaintPipeline"),
        ("sdxl-refiner", False, "StableDiffusionXLImg2ImgPipeline"),
    ],
)
def test_the_pipeline_is_the_one_for_its_inputs(
    tmp_path: Path, base: str, *, inpaint: bool, class_name: str
) -> None:
    """Who loads the folder gets the class that the denoiser was trained for."""
    files = converted(tiny.checkpoint(tmp_path / "m.safetensors", base=base, inpaint=inpaint))
    assert json.loads(files["model_index.json"])["_class_name"] == class_name


def test_the_tokenizer_is_the_published_one(tmp_path: Path) -> None:
    """Equal to the files in the published folders, as their Git blobs say."""
    files = converted(tiny.checkpoint(tmp_path / "model.safetensors"))
    blobs = {
        "tokenizer/vocab.json": "469be27c5c010538f845f518c4f5e8574c78f7c8",
        "tokenizer/merges.txt": "76e821f1b6f0a9709293c3b6b51ed90980b3166b",
    }
    for name, blob in blobs.items():
        header = f"blob {len(files[name])}\0".encode()
        assert hashlib.sha1(header + files[name], usedforsecurity=False).hexdigest() == blob


def test_what_the_file_does_not_say_is_said(tmp_path: Path) -> None:
    """A prediction type that had to be chosen comes with a warning."""
    conversion = convert(tiny.checkpoint(tmp_path / "model.safetensors", base="sd-2"))
    assert isinstance(conversion, Conversion)
    scheduler = built(conversion.parts[0])["scheduler/scheduler_config.json"]
    assert json.loads(scheduler)["prediction_type"] in str(conversion.warnings)


VAE, UNET, TEXT = "first_stage_model.", "model.diffusion_model.", "cond_stage_model.transformer."


@pytest.mark.parametrize(
    ("change", "added", "reason"),
    [
        ({VAE: None}, {}, "not a whole pipeline"),
        ({TEXT: None}, {}, "not a whole pipeline"),
        ({f"{UNET}input_blocks.4.0.": None}, {}, "is missing"),
        ({f"{VAE}decoder.conv_out.": None}, {}, "is missing"),
        ({}, {"depth_model__weight": (2, 2)}, "`depth_model.weight` has no place"),
        ({}, {"model__diffusion_model__more__weight": (2,)}, "has no place in its family"),
        ({}, {"first_stage_model__more": (2,)}, "has no place in its family"),
    ],
)
def test_what_is_laid_out_otherwise_stays_one_file(
    tmp_path: Path, change: Mapping[str, str | None], added: dict[str, tuple[int, ...]], reason: str
) -> None:
    """A file that lacks something, or has something that its family does not know, is not taken apart."""
    path = rewrite(tiny.checkpoint(tmp_path / "model.safetensors"), change, **added)
    tree, index = read_tree(path), read_safetensors(path)
    identity = identify(read_tree(tiny.checkpoint(tmp_path / "model.safetensors")))
    kept = convert_checkpoint(tree.files[0], index, identity)
    assert isinstance(kept, KeptWhole)
    assert reason in kept.reason


@pytest.mark.parametrize("base", ["flux", "sd-3"])
def test_bases_that_are_not_converted_say_so(tmp_path: Path, base: str) -> None:
    """Their checkpoints stay one file."""
    path = tmp_path / "model.safetensors"
    kept = convert(tiny.checkpoint(path, base=base, full=True, hollow=True))
    assert isinstance(kept, KeptWhole)
    assert base in kept.reason


def test_what_is_no_main_model_is_not_converted(tmp_path: Path) -> None:
    """A LoRA stays the file that it is."""
    assert isinstance(convert(tiny.lora(tmp_path / "ink.safetensors")), KeptWhole)


def test_packed_weights_are_not_taken_apart(tmp_path: Path) -> None:
    """Tensors whose bytes are no single range in the file cannot be moved."""
    path = tiny.checkpoint(tmp_path / "model.safetensors")
    tree, index = read_tree(path), read_safetensors(path)
    nowhere = {
        name: TensorEntry(entry.dtype, entry.shape, 0, 0)
        for name, entry in index.tensors.items()
        if name.startswith(UNET)
    }
    scattered = type(index)({**index.tensors, **nowhere})
    kept = convert_checkpoint(tree.files[0], scattered, identify(tree))
    assert isinstance(kept, KeptWhole)


@pytest.mark.parametrize(
    "name",
    [
        f"{VAE}decoder.mid.attn_1.q.weight",
        f"{VAE}encoder.conv_in.weight",
        f"{VAE}encoder.down.0.block.0.conv1.weight",
        f"{UNET}input_blocks.0.0.weight",
        f"{UNET}input_blocks.1.0.out_layers.3.weight",
        f"{UNET}middle_block.1.proj_in.weight",
        f"{UNET}middle_block.1.transformer_blocks.0.attn2.to_k.weight",
        f"{TEXT}text_model.embeddings.token_embedding.weight",
        f"{TEXT}text_model.encoder.layers.0.mlp.fc1.weight",
    ],
)
@pytest.mark.parametrize("shape", [(), (7,), (2, 2, 2, 2, 2)])
def test_shapes_that_no_module_has_keep_it_whole(
    tmp_path: Path, name: str, shape: tuple[int, ...]
) -> None:
    """Whatever a file claims, it is converted or kept, and never an error of ours."""
    path = tiny.checkpoint(tmp_path / "model.safetensors")
    tree, index = read_tree(path), read_safetensors(path)
    begin = index.tensors[name].begin
    odd = TensorEntry("F16", shape, begin, begin + 2 * math.prod(shape))
    changed = type(index)({**index.tensors, name: odd})
    found = convert_checkpoint(tree.files[0], changed, identify(tree))
    assert isinstance(found, Conversion | KeptWhole)
    if len(shape) == 1:
        assert isinstance(found, KeptWhole)


@pytest.mark.parametrize(("rows", "columns"), [(1280, 768), (1, 9), (1, 40_000_000)])
def test_a_projection_says_what_it_projects_to(tmp_path: Path, rows: int, columns: int) -> None:
    """The configuration says the width that is there; one that reads another width is kept whole."""
    path = tiny.checkpoint(tmp_path / "model.safetensors", base="sdxl-refiner")
    tree, index = read_tree(path), read_safetensors(path)
    name = "conditioner.embedders.0.model.text_projection"
    begin = index.tensors[name].begin
    odd = TensorEntry("F16", (rows, columns), begin, begin + 2 * rows * columns)
    changed = type(index)({**index.tensors, name: odd})
    found = convert_checkpoint(tree.files[0], changed, identify(tree))
    if rows != index.tensors[name].shape[0]:
        assert isinstance(found, KeptWhole)
        return
    assert isinstance(found, Conversion)
    (part,) = [part for part in found.parts if part.folder == "text_encoder_2"]
    config = json.loads(content_of(dict(part.files)[MemberPath("config.json")]))
    assert config["projection_dim"] == columns


def test_a_vae_without_its_outer_convolutions_says_so(tmp_path: Path) -> None:
    """Or diffusers would make some up."""
    path = tiny.checkpoint(tmp_path / "model.safetensors")
    change: dict[str, str | None] = {f"{VAE}quant_conv.": None, f"{VAE}post_quant_conv.": None}
    other = rewrite(path, change)
    tree, index = read_tree(other), read_safetensors(other)
    found = convert_checkpoint(tree.files[0], index, identify(read_tree(path)))
    assert isinstance(found, Conversion)
    (vae,) = [part for part in found.parts if part.folder == "vae"]
    config = json.loads(content_of(dict(vae.files)[MemberPath("config.json")]))
    assert (config["use_quant_conv"], config["use_post_quant_conv"]) == (False, False)
