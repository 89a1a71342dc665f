from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.errors import (
    DuplicateModelException,
    InvalidChoiceError,
    UnknownModelException,
    UsageError,
)
from modelshelf.manager import NormalizedModelManager
from modelshelf.manager.selection import choice
from modelshelf.schema.taxonomy import ModelType
from tests.shelves import open_shelf, plain_pipeline


@pytest.fixture
def shelf(tmp_path: Path) -> NormalizedModelManager:
    """A pipeline called `harbour`, and a file that is called `ink` and `12`."""
    shelf = open_shelf(tmp_path / "shelf")
    shelf.add(plain_pipeline(tmp_path / "harbour"), description="boats", source="acme/harbour")
    (tmp_path / "ink.bin").write_bytes(b"ink")
    for name in ("ink", "12"):
        shelf.add(tmp_path / "ink.bin", name=name)
    return shelf


def test_a_word_or_a_member_is_a_choice() -> None:
    """Either spelling is accepted; anything else is refused with all that is allowed."""
    assert choice(ModelType, "lora", "type") is choice(ModelType, ModelType.LORA, "type")
    with pytest.raises(InvalidChoiceError) as caught:
        choice(ModelType, "LoRA", "type")
    assert "t5_encoder" in caught.value.allowed


def test_selects_by_id_name_key_and_digest(shelf: NormalizedModelManager) -> None:
    """Each of these means the same model, whole or by its first digits."""
    info = shelf.get_model("harbour")
    digest = info.hash.removeprefix("blake3:")
    for selector in (info.id, str(info.id), info.key, info.key[:8], digest, digest[:10], info.hash):
        assert shelf.get_model(selector).key == info.key
    index = next(file for file in shelf.files("harbour") if file.member == "model_index.json")
    for selector in (index.blake3, "sha256:" + index.sha256):
        assert shelf.get_model(selector).key == info.key


def test_an_id_with_two_names_is_not_guessed(shelf: NormalizedModelManager) -> None:
    """The id of a part with two names means both; a name or key decides."""
    ink = shelf.get_model("ink")
    with pytest.raises(DuplicateModelException):
        shelf.get_model(ink.id)
    assert shelf.get_model("12").id == ink.id


def test_finds_by_text_digest_and_content(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A part of name, source or description, a digest, or a file or folder on disk."""
    for text in ("HARB", "boats", "acme/", shelf.get_model("harbour").hash):
        assert [info.name for info in shelf.find(text)] == ["harbour"]
    copy = tmp_path / "copy.bin"
    copy.write_bytes(b"ink")
    assert [info.name for info in shelf.find(str(copy))] == ["12", "ink"]
    assert [info.name for info in shelf.find(str(tmp_path / "harbour"))] == ["harbour"]
    assert [info.name for info in shelf.find(str(tmp_path / "harbour/vae"))] == ["harbour"]
    copy.write_bytes(b"other")
    assert shelf.find(str(copy)) == []
    for text in ("nothing like it", "x/" * 3000, "a." + "x" * 300, "~nobody/x", "a/\0"):
        assert shelf.find(text) == []


def test_an_export_names_one_thing(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """Neither a name nor a selector, or both, is no request."""
    with pytest.raises(UsageError):
        shelf.export(destination=tmp_path / "out")
    with pytest.raises(UsageError):
        shelf.export(name="ink", selector="ink", destination=tmp_path / "out")
    with pytest.raises(UnknownModelException, match="ink vae"):
        shelf.export(name="ink", type="vae", destination=tmp_path / "out")
    assert not (tmp_path / "out").exists()
