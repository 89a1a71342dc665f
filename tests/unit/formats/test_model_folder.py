from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.errors import InvalidJsonError
from modelshelf.formats import FolderConfig, WeightFormat, read_folder_config, read_tree


def folder(tmp_path: Path, **files: str) -> FolderConfig:
    for name, content in files.items():
        path = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return read_folder_config(read_tree(tmp_path))


def weights(tmp_path: Path, *names: str) -> list[tuple[str, str, bool]]:
    for name in names:
        (tmp_path / name).touch()
    found = read_folder_config(read_tree(tmp_path)).weights
    return [(weight.format.value, weight.variant, weight.is_index) for weight in found]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"_class_name": "UNet2DConditionModel"}', "UNet2DConditionModel"),
        ('{"_class_name": ["module", "MyUNet"]}', "MyUNet"),
        ('{"architectures": ["CLIPTextModel"], "model_type": "clip"}', "CLIPTextModel"),
        ('{"image_processor_type": "CLIPImageProcessor"}', "CLIPImageProcessor"),
        ('{"_class_name": 7, "architectures": []}', ""),
        ("{}", ""),
    ],
)
def test_the_class_is_found_under_the_name_each_library_uses(
    tmp_path: Path, content: str, expected: str
) -> None:
    """diffusers, transformers and image processors each have their own key."""
    assert folder(tmp_path, config_DOT_json=content).class_name == expected


def test_the_weights_configuration_goes_before_a_processors(tmp_path: Path) -> None:
    """An image encoder's folder often brings its preprocessor along."""
    found = folder(tmp_path, config_DOT_json='{"a": 1}', preprocessor_config_DOT_json='{"b": 1}')
    assert (found.config_name, found.config) == ("config.json", {"a": 1})


def test_sub_folders_are_left_alone(tmp_path: Path) -> None:
    """A part never speaks for the whole."""
    found = folder(tmp_path, README="", vae__config_DOT_json="{}")
    assert (found.config_name, found.weights) == ("", ())


def test_tokenizer_files_are_named(tmp_path: Path) -> None:
    """A tokenizer has no configuration of its own kind, but files nobody else has."""
    found = folder(tmp_path, merges_DOT_txt="", vocab_DOT_json="{}", other_DOT_txt="")
    assert found.tokenizer_files == ("merges.txt", "vocab.json")


def test_an_array_is_no_configuration(tmp_path: Path) -> None:
    """A typed error instead of a crash where fields are asked for."""
    with pytest.raises(InvalidJsonError, match="expected an object"):
        folder(tmp_path, config_DOT_json="[]")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("diffusion_pytorch_model.safetensors", (WeightFormat.SAFETENSORS, "", False)),
        ("diffusion_pytorch_model.fp16.safetensors", (WeightFormat.SAFETENSORS, "fp16", False)),
        ("diffusion_pytorch_model.non_ema.bin", (WeightFormat.PICKLE, "non_ema", False)),
        ("model.fp16-00001-of-00002.safetensors", (WeightFormat.SAFETENSORS, "fp16", False)),
        ("model-00001-of-00002.fp16.safetensors", (WeightFormat.SAFETENSORS, "fp16", False)),
        ("model.safetensors.index.json", (WeightFormat.SAFETENSORS, "", True)),
        ("model.safetensors.index.fp16.json", (WeightFormat.SAFETENSORS, "fp16", True)),
        ("model.fp16.safetensors.index.json", (WeightFormat.SAFETENSORS, "fp16", True)),
        ("pytorch_model.bin.index.json", (WeightFormat.PICKLE, "", True)),
        ("model.onnx", (WeightFormat.ONNX, "", False)),
        ("flax_model.msgpack", (WeightFormat.FLAX, "", False)),
    ],
)
def test_format_and_variant_are_in_the_name(
    tmp_path: Path, name: str, expected: tuple[WeightFormat, str, bool]
) -> None:
    """As diffusers and transformers write them, old order of words and new."""
    assert weights(tmp_path, name) == [expected]


def test_openvino_is_told_by_the_file_beside_it(tmp_path: Path) -> None:
    """Its weights end in `.bin` like a pickle's."""
    assert weights(tmp_path, "openvino_model.bin", "openvino_model.xml") == [
        ("openvino", "", False)
    ]


@pytest.mark.parametrize("count", ["00002", "000002"])
def test_the_shards_of_an_index_are_left_to_it(tmp_path: Path, count: str) -> None:
    """Each tensor counts once; shards of another variant, and without an index, stand alone."""
    assert weights(
        tmp_path,
        f"model-00001-of-{count}.safetensors",
        f"model-00002-of-{count}.safetensors",
        "model.safetensors.index.json",
        "model.fp16.safetensors",
        "config.yaml",
    ) == [("safetensors", "fp16", False), ("safetensors", "", True)]


@pytest.mark.parametrize("variant", ["fp16", "non_ema"])
def test_a_variant_may_stand_behind_the_shards_number(tmp_path: Path, variant: str) -> None:
    """Its index has the word behind its own name."""
    assert weights(
        tmp_path,
        f"model-00001-of-00002.{variant}.safetensors",
        f"model-00002-of-00002.{variant}.safetensors",
        f"model.safetensors.index.{variant}.json",
    ) == [("safetensors", variant, True)]


def test_a_name_that_only_looks_like_weights_is_none(tmp_path: Path) -> None:
    """A name without a stem has no suffix, and not every JSON is an index."""
    assert weights(tmp_path, "bin", "safetensors", ".gguf", "safetensors.json", "a.bin.json") == []


def test_a_description_in_xml_makes_only_bin_files_openvino(tmp_path: Path) -> None:
    """Another container stays what it is, whatever lies beside it."""
    assert weights(tmp_path, "model.safetensors", "model.xml") == [("safetensors", "", False)]


def test_weights_are_no_index_for_the_word_in_their_name(tmp_path: Path) -> None:
    """An index is JSON."""
    found = weights(tmp_path, "model.index.gguf", "model.index.fp16.gguf")
    assert [is_index for _, _, is_index in found] == [False, False]
