from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.metadata import read_metadata
from modelshelf.schema.metadata import Field, Preview
from modelshelf.schema.taxonomy import ModelType

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
CARD = """\
---
license: other
license_name: flux-1-dev-non-commercial-license
base_model:
- black-forest-labs/FLUX.1-dev
tags:
  - lora   # what it is
  - "text-to-image"
  - template:sd-lora
instance_prompt: lens flare
widget:
  - text: a lens
    output:
      url: images/a.png
---
# Words
tags: [not, these]
"""


def test_a_model_card(tmp_path: Path) -> None:
    """The front matter tells base, licence, tags and trigger words; the words below tell nothing."""
    (tmp_path / "README.md").write_text(CARD)
    found = read_metadata(tmp_path)
    assert found.first(Field.LICENSE) == "flux-1-dev-non-commercial-license"
    assert found.tags == ("lora", "text-to-image")
    assert found.trigger_words == ("lens flare",)
    (claim,) = found.claims
    assert (claim.bases, claim.type, claim.where) == (
        ("flux",),
        ModelType.LORA,
        "README.md:base_model",
    )


def test_several_bases_of_a_card_are_one_claim(tmp_path: Path) -> None:
    """The model works with each of them, so none of them rules another out."""
    (tmp_path / "README.md").write_text(
        "---\nbase_model:\n- runwayml/stable-diffusion-v1-5\n- stabilityai/sdxl-turbo\n- x/y\n---\n"
    )
    (claim,) = read_metadata(tmp_path).claims
    assert claim.bases == ("sd-1", "sdxl")


def test_a_card_is_about_every_file_of_a_snapshot(tmp_path: Path) -> None:
    """In the Hub's cache a folder is one repository; in any other a README may be about anything."""
    snapshot = tmp_path / "models--someone--lens" / "snapshots" / ("0" * 40)
    for folder in (snapshot, tmp_path):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "README.md").write_text(CARD)
        (folder / "lens.safetensors").touch()
    assert read_metadata(snapshot / "lens.safetensors").claims[0].bases == ("flux",)
    assert not read_metadata(tmp_path / "lens.safetensors")


@pytest.mark.parametrize(
    "text",
    [
        *("", "# Words", "---", "---\n" * 50_000, "---\n- a\n- b", "--- x\na: b"),
        *("---\na: [[[[\n---", "---\n: x\n---", "---\na: &x [*x, *x]\n---"),
        "\ufeff---\nlicense: >\n  many\n  lines\n---",
    ],
)
def test_a_card_without_front_matter_of_use(tmp_path: Path, text: str) -> None:
    """Text of strangers, in any shape, says nothing and breaks nothing."""
    (tmp_path / "README.md").write_text(text)
    found = read_metadata(tmp_path)
    assert (found.claims, found.problems) == ((), ())


def test_a_card_of_another_encoding(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are replaced."""
    (tmp_path / "README.md").write_bytes(b"---\nlicense: m\xeft\n---\n")
    assert read_metadata(tmp_path).first(Field.LICENSE) == "m\ufffdt"


def test_previews_are_typed_by_their_bytes(tmp_path: Path) -> None:
    """The preview that programs show first comes first, whatever its suffix claims."""
    model = tmp_path / "lens.safetensors"
    model.touch()
    (tmp_path / "lens.png").write_bytes(b"\xff\xd8\xff\xe0" + bytes(8))
    (tmp_path / "lens.preview.png").write_bytes(PNG)
    (tmp_path / "lens.webp").write_bytes(b"RIFF\0\0\0\0WEBPVP8 ")
    (tmp_path / "lens.mp4").write_bytes(b"\0\0\0\x20ftypisom")
    (tmp_path / "lens.jpg").write_bytes(b"MZ executable")
    (tmp_path / "lens.gif").touch()
    (tmp_path / "other.png").write_bytes(PNG)
    found = read_metadata(model)
    assert found.previews == (
        Preview("lens.preview.png", "png", 28),
        Preview("lens.png", "jpeg", 12),
        Preview("lens.webp", "webp", 16),
        Preview("lens.mp4", "mp4", 12),
    )
    assert found.problems == (
        "lens.gif: is no picture that is known",
        "lens.jpg: is no picture that is known",
    )


def test_a_folder_has_its_preview_beside_it(tmp_path: Path) -> None:
    """Dots in a folder's name are no suffix."""
    folder = tmp_path / "lens-1.5"
    folder.mkdir()
    (tmp_path / "lens-1.5.preview.png").write_bytes(PNG)
    assert [one.name for one in read_metadata(folder).previews] == ["lens-1.5.preview.png"]


def test_places_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The top of the file system and the folder one is in have files beside them too, or none."""
    monkeypatch.chdir(tmp_path)
    assert not read_metadata(Path())
    assert not read_metadata(Path("/")).statements
