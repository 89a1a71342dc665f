from __future__ import annotations

from collections.abc import Collection

import pytest

from modelshelf.errors import NoModelFilesError, RepositoryFileNotFoundError, SeveralModelsError
from modelshelf.schema.model_source import HFModelSource
from modelshelf.schema.taxonomy import ModelRepoVariant
from modelshelf.sources.hugging_face_selection import Selection, select_files
from tests.unit.sources.listings import (
    FLUX_DEV,
    FLUX_PARTS,
    SD_1_5,
    SD_1_5_PARTS,
    SDXL,
    SDXL_PARTS,
    forms,
)

_WEIGHTS = (
    ".safetensors",
    ".bin",
    ".ckpt",
    ".onnx",
    ".onnx_data",
    ".xml",
    ".msgpack",
    ".pb",
    ".gguf",
)


def _select(
    names: Collection[str],
    variant: str | None = "fp16",
    subfolder: str | None = None,
    components: Collection[str] | None = None,
) -> Selection:
    source = HFModelSource.model_validate(
        {"repo_id": "acme/lens", "variant": variant, "subfolder": subfolder}
    )
    return select_files(source, names, components=components)


def _weights(selection: Selection) -> list[str]:
    return [name for name in selection.names if name.endswith(_WEIGHTS)]


@pytest.mark.parametrize("components", [None, SD_1_5_PARTS])
def test_sd_1_5_in_half_precision(components: Collection[str] | None) -> None:
    """One safetensors file in fp16 for each component; no loose checkpoint, no pickle, no non-EMA."""
    found = _select(SD_1_5, components=components)
    assert _weights(found) == [
        "safety_checker/model.fp16.safetensors",
        "text_encoder/model.fp16.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "vae/diffusion_pytorch_model.fp16.safetensors",
    ]
    assert (found.variant, found.is_folder, found.notes) == (ModelRepoVariant.FP16, True, ())
    kept = set(found.names) - set(_weights(found))
    assert {"README.md", "model_index.json", "tokenizer/merges.txt"} < kept
    assert not kept & {".gitattributes", "v1-inference.yaml"}


def test_sd_1_5_as_the_repository_saves_it() -> None:
    """The default is the unqualified files; fp32 that is not there is the default, and is said."""
    plain = _select(SD_1_5, "default")
    assert "unet/diffusion_pytorch_model.safetensors" in plain.names
    assert len(_weights(plain)) == 4
    assert plain.variant is ModelRepoVariant.DEFAULT
    full = _select(SD_1_5, "fp32")
    assert full.names == plain.names
    assert full.notes == ("it has no fp32 files: its default files are taken",)


def test_without_a_variant_the_default_of_the_caller_counts() -> None:
    """fp16 unless full precision is wished; nothing is noted, for nothing was asked."""
    source = HFModelSource(repo_id="acme/lens", variant=None)
    assert select_files(source, SD_1_5).variant is ModelRepoVariant.FP16
    full = select_files(source, SD_1_5, default=ModelRepoVariant.FP32)
    assert (full.variant, full.notes) == (ModelRepoVariant.DEFAULT, ())


def test_sdxl_leaves_the_second_vae_where_the_index_does_not_name_it() -> None:
    """Folders that `model_index.json` does not name stay; without it they could be components."""
    known = _select(SDXL, components=SDXL_PARTS)
    assert _weights(known) == [
        "text_encoder/model.fp16.safetensors",
        "text_encoder_2/model.fp16.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "vae/diffusion_pytorch_model.fp16.safetensors",
    ]
    assert "vae_1_0/config.json" not in known.names
    assert {"LICENSE.md", "README.md"} < set(known.names)
    assert not any(name.endswith(".png") for name in known.names)
    guessed = _select(SDXL)
    assert set(guessed.names) - set(known.names) == {
        "vae_1_0/config.json",
        "vae_1_0/diffusion_pytorch_model.fp16.safetensors",
    }


def test_sdxl_for_onnx() -> None:
    """The graphs with their outside tensors, and the parts that have no weights."""
    found = _select(SDXL, "onnx", components=SDXL_PARTS)
    assert _weights(found) == [
        "text_encoder/model.onnx",
        "text_encoder_2/model.onnx",
        "text_encoder_2/model.onnx_data",
        "unet/model.onnx",
        "unet/model.onnx_data",
        "vae_decoder/model.onnx",
        "vae_encoder/model.onnx",
    ]
    assert found.variant is ModelRepoVariant.ONNX
    assert {"scheduler/scheduler_config.json", "tokenizer_2/vocab.json"} < set(found.names)
    assert "vae/config.json" not in found.names


def test_sdxl_for_openvino() -> None:
    """Both files of each."""
    found = _select(SDXL, "openvino", components=SDXL_PARTS)
    assert {name.rpartition("/")[2] for name in _weights(found)} == {
        "openvino_model.bin",
        "openvino_model.xml",
    }
    assert len(_weights(found)) == 10


def test_sdxl_for_flax() -> None:
    """Every component has Flax weights."""
    found = _select(SDXL, "flax", components=SDXL_PARTS)
    assert _weights(found) == [
        "text_encoder/flax_model.msgpack",
        "text_encoder_2/flax_model.msgpack",
        "unet/diffusion_flax_model.msgpack",
        "vae/diffusion_flax_model.msgpack",
    ]


def test_a_component_without_flax_weights_is_taken_in_another_form() -> None:
    """A pipeline lacks nothing."""
    names = [*forms("unet", "diffusion_flax_model", ".msgpack"), *SD_1_5]
    found = _select(names, "flax")
    assert "unet/diffusion_flax_model.msgpack" in _weights(found)
    assert "unet/diffusion_pytorch_model.safetensors" not in _weights(found)
    assert "text_encoder/model.safetensors" in _weights(found)
    assert found.notes == (
        "no flax files are there for safety_checker, text_encoder, vae: others are taken",
    )


def test_flux_takes_all_shards_and_their_index() -> None:
    """And neither of the two loose files, of which one has 24 GB."""
    found = _select(FLUX_DEV, components=FLUX_PARTS)
    wanted = set(FLUX_DEV) - {
        ".gitattributes",
        "ae.safetensors",
        "dev_grid.jpg",
        "flux1-dev.safetensors",
    }
    assert set(found.names) == wanted
    assert found.variant is ModelRepoVariant.DEFAULT


def test_shards_of_a_variant_are_told_apart_in_both_spellings() -> None:
    """The variant stands before or behind the number; the index has it in its middle."""
    old = forms(
        "t", "model", "-00001-of-00002.fp16.safetensors", "-00002-of-00002.fp16.safetensors"
    )
    new = forms(
        "t", "model", ".fp16-00001-of-00002.safetensors", ".fp16-00002-of-00002.safetensors"
    )
    index = ["t/model.safetensors.index.fp16.json"]
    plain = [
        *forms("t", "model", "-00001-of-00002.safetensors", "-00002-of-00002.safetensors"),
        "t/model.safetensors.index.json",
    ]
    for shards in (old, new):
        names = ["model_index.json", "t/config.json", *shards, *index, *plain]
        assert _weights(_select(names)) == sorted(shards)
        assert index[0] in _select(names).names
        assert plain[2] not in _select(names).names
        assert sorted(plain[:2]) == _weights(_select(names, "default"))


def test_a_set_that_lacks_a_shard_is_the_last_choice() -> None:
    """A whole pickle is better than half of the safetensors."""
    names = ["config.json", "model-00001-of-00002.safetensors", "pytorch_model.bin"]
    assert _weights(_select(names)) == ["pytorch_model.bin"]


def test_the_wanted_variant_comes_before_the_better_container() -> None:
    """fp16 was asked for: its pickle, which is read without being run, rather than fp32."""
    names = ["config.json", "model.safetensors", "pytorch_model.fp16.bin"]
    assert _weights(_select(names)) == ["pytorch_model.fp16.bin"]
    assert _weights(_select(names, "default")) == ["model.safetensors"]


def test_a_named_folder_is_the_model() -> None:
    """Names inside it count from it."""
    found = _select(SDXL, "fp16", "vae")
    assert found.names == {
        "vae/config.json": "config.json",
        "vae/diffusion_pytorch_model.fp16.safetensors": (
            "diffusion_pytorch_model.fp16.safetensors"
        ),
    }
    tokenizer = _select(SDXL, None, "tokenizer")
    assert (len(tokenizer.names), tokenizer.variant) == (4, None)


def test_a_named_file_is_taken_as_it_is() -> None:
    """Whatever it is."""
    found = _select(SD_1_5, None, "unet/diffusion_pytorch_model.non_ema.bin")
    assert found.names == {
        "unet/diffusion_pytorch_model.non_ema.bin": "diffusion_pytorch_model.non_ema.bin"
    }
    assert not found.is_folder


def test_a_pipeline_below_a_folder_is_a_pipeline() -> None:
    """Its root is where its index lies."""
    names = ["README.md", *(f"diffusers/{name}" for name in SD_1_5)]
    found = _select(names, "fp16", "diffusers")
    assert found.names["diffusers/unet/config.json"] == "unet/config.json"
    assert len(_weights(found)) == 4


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (  # a VAE with its loose twin
            ["LICENSE.md", "config.json", "diffusion_pytorch_model.bin",
             "diffusion_pytorch_model.safetensors", "sdxl_vae.safetensors"],
            ["LICENSE.md", "config.json", "diffusion_pytorch_model.safetensors"],
        ),
        (  # a ControlNet with pictures and its older twin
            ["README.md", "config.json", "control_canny.pth", "diffusion_pytorch_model.bin",
             "diffusion_pytorch_model.fp16.bin", "diffusion_pytorch_model.fp16.safetensors",
             "diffusion_pytorch_model.safetensors", "images/bird.png", "sd.png"],
            ["README.md", "config.json", "diffusion_pytorch_model.fp16.safetensors"],
        ),
        (  # a CLIP encoder in five forms
            ["config.json", "flax_model.msgpack", "merges.txt", "model.safetensors",
             "pytorch_model.bin", "tf_model.h5", "tokenizer.json", "onnx/model.onnx",
             "onnx/config.json"],
            ["config.json", "merges.txt", "model.safetensors", "tokenizer.json"],
        ),
        (  # a T5 in shards of one container and none of the other
            ["config.json", "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin",
             "pytorch_model.bin.index.json", "spiece.model", "tf_model.h5"],
            ["config.json", "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin",
             "pytorch_model.bin.index.json", "spiece.model"],
        ),
        (  # a LoRA as a trainer leaves it
            [".gitattributes", "README.md", "checkpoint-500/optimizer.bin",
             "checkpoint-500/pytorch_lora_weights.safetensors", "checkpoint-500/scheduler.bin",
             "image_0.png", "logs/events.out.tfevents.1", "pytorch_lora_weights.safetensors"],
            ["README.md", "pytorch_lora_weights.safetensors"],
        ),
        (  # a PEFT adapter
            ["adapter_config.json", "adapter_model.bin", "adapter_model.safetensors",
             "optimizer.pt", "trainer_state.json", "training_args.bin"],
            ["adapter_config.json", "adapter_model.safetensors"],
        ),
        (  # a textual inversion of the concepts library
            ["README.md", "concept_images/0.jpeg", "learned_embeds.bin", "token_identifier.txt",
             "type_of_concept.txt"],
            ["README.md", "learned_embeds.bin", "token_identifier.txt", "type_of_concept.txt"],
        ),
        (  # an IP-Adapter as InvokeAI lays it out
            ["README.md", "image_encoder.txt", "ip_adapter.bin", "ip_adapter.safetensors"],
            ["README.md", "image_encoder.txt", "ip_adapter.safetensors"],
        ),
        (  # an encoder for phones too, and a file that is no OpenVINO
            ["config.json", "coreml/enc.mlpackage/Data/weights.bin", "map.xml", "model.safetensors"],
            ["config.json", "model.safetensors"],
        ),
        (  # a tokenizer alone
            ["README.md", "tokenizer.json", "tokenizer_config.json"],
            ["README.md", "tokenizer.json", "tokenizer_config.json"],
        ),
    ],
)  # fmt: skip
def test_a_folder_model_without_a_pipeline(names: list[str], expected: list[str]) -> None:
    """One form of its weights, its configuration, and what people must be told."""
    found = _select(names)
    assert list(found.names) == expected
    assert found.is_folder


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["README.md", "ink.safetensors"], "ink.safetensors"),
        (["ink.ckpt", "ink.safetensors", "ink.yaml"], "ink.safetensors"),
        (["ink-fp32.png", "ink.fp16.safetensors", "ink.safetensors"], "ink.fp16.safetensors"),
        (["loras/ink.pt", "README.md"], "loras/ink.pt"),
        (["flux1-Q4_0.gguf", "LICENSE"], "flux1-Q4_0.gguf"),
        (["ink.safetensors", "ink_000000500.safetensors", "config.yaml"], "ink.safetensors"),
        (["ink.safetensors", "ink-000010.safetensors", "ink-step00000500.ckpt"], "ink.safetensors"),
    ],
)
def test_a_single_loose_file_is_the_model(names: list[str], expected: str) -> None:
    """It is one file, called as it is."""
    found = _select(names)
    assert found.names == {expected: expected.rpartition("/")[2]}
    assert not found.is_folder


def test_the_only_model_folder_below_the_top_is_the_model() -> None:
    """Names count from it."""
    names = ["README.md", "vae/config.json", "vae/diffusion_pytorch_model.safetensors"]
    assert list(_select(names).names.values()) == [
        "config.json",
        "diffusion_pytorch_model.safetensors",
    ]


def test_several_models_must_be_told_apart() -> None:
    """The error names them, and how to say which."""
    names = [f"flux1-dev-Q{bits}_0.gguf" for bits in (4, 5, 8)]
    with pytest.raises(SeveralModelsError) as caught:
        _select(names)
    assert caught.value.count == 3
    assert caught.value.advice == "name one of them: `acme/lens::flux1-dev-Q4_0.gguf`"
    below = ["models/a.safetensors", "models/enc/config.json", "models/enc/model.safetensors"]
    with pytest.raises(SeveralModelsError, match=r"models/enc, models/a\.safetensors"):
        _select(below, None, "models")


def test_a_repository_without_a_model_says_so() -> None:
    """Pictures are none; a folder that is not there is another matter."""
    with pytest.raises(NoModelFilesError, match="neither weights nor configurations"):
        _select(["README.md", "a.png", "data.zip"])
    with pytest.raises(NoModelFilesError, match="TensorFlow"):
        _select(["config.json", "tf_model.h5"])
    with pytest.raises(NoModelFilesError, match="empty"):
        _select([])
    with pytest.raises(RepositoryFileNotFoundError, match=r"it has `README\.md`, `unet/`"):
        _select(["README.md", "unet/config.json"], None, "vae")


def test_a_pipeline_that_has_only_pickles_is_taken_with_them() -> None:
    """They are read by a closed reader, and stored as safetensors when converted."""
    names = [name for name in SD_1_5 if not name.endswith(".safetensors")]
    assert _weights(_select(names)) == [
        "safety_checker/pytorch_model.fp16.bin",
        "text_encoder/pytorch_model.fp16.bin",
        "unet/diffusion_pytorch_model.fp16.bin",
        "vae/diffusion_pytorch_model.fp16.bin",
    ]


def test_a_pipeline_that_has_only_onnx_is_taken_with_it() -> None:
    """Large tensors lie in files of several names beside the graph."""
    names = [
        "model_index.json",
        "scheduler/scheduler_config.json",
        "unet/model.onnx",
        "unet/weights.pb",
        "vae_decoder/model.onnx",
        "vae_decoder/model.onnx.data",
    ]
    found = _select(names, components={"scheduler", "unet", "vae_decoder"})
    assert list(found.names) == names
    assert found.notes == ("it has no fp16 files: its default files are taken",)


def test_a_component_without_the_variant_is_taken_plain() -> None:
    """The others in the variant; the note says which."""
    names = [name for name in SD_1_5 if not name.startswith("vae/") or "fp16" not in name]
    found = _select(names)
    assert "vae/diffusion_pytorch_model.safetensors" in found.names
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in found.names
    assert found.notes == ("no fp16 files are there for vae: others are taken",)
