from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.errors import EmptySourceError, SourceNotFoundError, SourceUnreadableError
from modelshelf.install import discover_models
from modelshelf.install.discovery import is_model_folder
from modelshelf.testing import tiny
from tests.shelves import plain_pipeline


def found(path: Path) -> list[str]:
    """Return what is discovered, relative to the path."""
    return [str(model.relative_to(path)) for model in discover_models(path)]


def test_finds_files_and_folders_at_any_depth(tmp_path: Path) -> None:
    """Model folders whole, model files by suffix in any case, and nothing else."""
    plain_pipeline(tmp_path / "b" / "pipeline")
    for name in ("a.safetensors", "b/deep/er/c.CKPT", "notes.txt", "b/x.jpg", "z.gguf"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert sorted(found(tmp_path)) == ["a.safetensors", "b/deep/er/c.CKPT", "b/pipeline", "z.gguf"]


def test_finds_the_makers_library(tmp_path: Path) -> None:
    """Each model of a library as people have them is found once, by its path."""
    tiny.library(tmp_path, size=2_000_000)
    assert sorted(found(tmp_path)) == sorted(tiny.MODELS)


def test_a_model_is_itself(tmp_path: Path) -> None:
    """A model file or folder is the only one found at its own path."""
    model = plain_pipeline(tmp_path / "model")
    assert list(discover_models(model)) == [model]
    (tmp_path / "odd.name").touch()
    assert list(discover_models(tmp_path / "odd.name")) == [tmp_path / "odd.name"]


def test_loops_and_hidden_copies_are_not_searched(tmp_path: Path) -> None:
    """Links to folders are not followed, and a repository's own folders hold no models."""
    plain_pipeline(tmp_path / "model")
    (tmp_path / "loop").symlink_to(tmp_path)
    for name in (
        ".git/a.safetensors",
        "blobs/b.safetensors",
        "__pycache__/c.bin",
        ".no_exist/d.bin",
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    assert found(tmp_path) == ["model"]


def test_nothing_there_and_nothing_in_it(tmp_path: Path) -> None:
    """A path that is not there is told from a folder that holds no model."""
    with pytest.raises(SourceNotFoundError):
        list(discover_models(tmp_path / "gone"))
    with pytest.raises(EmptySourceError):
        list(discover_models(tmp_path))
    with pytest.raises(SourceUnreadableError, match="too long"):
        list(discover_models(tmp_path / ("x" * 300)))


def test_lines_for_python_are_no_checkpoints(tmp_path: Path) -> None:
    """An environment lies in the folder of many a program; what its packages bring is a model all the same."""
    packages = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    (packages / "facexlib" / "weights").mkdir(parents=True)
    for name in ("distutils-precedence.pth", "facexlib/weights/face.pth", "bundled.safetensors"):
        (packages / name).touch()
    inside = packages.relative_to(tmp_path).as_posix()
    assert found(tmp_path) == [
        f"{inside}/bundled.safetensors",
        f"{inside}/facexlib/weights/face.pth",
    ]


def test_settings_of_a_program_make_no_model(tmp_path: Path) -> None:
    """AUTOMATIC1111 has a `config.json` beside `models`, and many a node of ComfyUI one beside its code."""
    webui = tmp_path / "webui"
    tiny.lora(webui / "models" / "Lora" / "ink.safetensors")
    (webui / "config.json").write_text('{"samples_save": true}')
    assert found(webui) == ["models/Lora/ink.safetensors"]
    assert found(tmp_path) == ["webui/models/Lora/ink.safetensors"]
    for text in ('{"model_type": "clip"}', '{"_class_name": "AutoencoderKL"}'):
        (webui / "config.json").write_text(text)
        assert found(tmp_path) == ["webui"]
    for text in ("[]", "{", '{"a": 1}'):
        (webui / "config.json").write_text(text)
        assert found(tmp_path) == ["webui/models/Lora/ink.safetensors"]
    (webui / "model.bin").touch()
    assert found(tmp_path) == ["webui"]


@pytest.mark.parametrize(
    "name",
    [
        "pytorch_lora_weights.safetensors",
        "learned_embeds.bin",
        "diffusion_pytorch_model.safetensors",
    ],
)
def test_one_downloaded_name_does_not_hide_the_others(tmp_path: Path, name: str) -> None:
    """It is one model among the rest; with what a trainer leaves beside it, it is the folder's."""
    folder = tmp_path / "mine"
    folder.mkdir()
    stem, _, suffix = name.partition(".")
    beside = ("optimizer.bin", "random_states_0.pkl", "README.md", f"{stem}-500.{suffix}")
    for file in (name, *beside):
        (folder / file).touch()
    assert found(tmp_path) == ["mine"]
    (folder / "ink.safetensors").touch()
    assert {f"mine/{name}", "mine/ink.safetensors"} < set(found(tmp_path))


SHARDS = ("model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors")


@pytest.mark.parametrize(
    "beside", ["model.safetensors.index.json", "README.md", ".cache/huggingface/a.metadata"]
)
def test_shards_are_one_model(tmp_path: Path, beside: str) -> None:
    """A large model is found whole where nothing but its shards says what they are, or an index alone."""
    folder = tmp_path / "encoder"
    for name in (*SHARDS, beside):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    assert found(tmp_path) == ["encoder"]
    assert list(discover_models(folder)) == [folder]
    assert is_model_folder(folder)


@pytest.mark.parametrize(
    "beside",
    [
        "other.safetensors",
        "other-00001-of-00003.safetensors",
        "model-00002-of-00004.safetensors",
        "model-00002-of-00003.gguf",
        "below/other.safetensors",
    ],
)
def test_shards_beside_another_model_hide_none(tmp_path: Path, beside: str) -> None:
    """A folder of shards and of something else is no model: each file is named."""
    for name in (*SHARDS, beside):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(found(tmp_path)) == sorted((*SHARDS, beside))
    assert not is_model_folder(tmp_path)


def test_a_shard_by_itself_is_a_file(tmp_path: Path) -> None:
    """Nothing else belongs to it there."""
    (tmp_path / SHARDS[0]).touch()
    assert found(tmp_path) == [SHARDS[0]]
