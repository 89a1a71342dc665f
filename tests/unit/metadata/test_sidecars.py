from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelshelf.metadata import read_metadata
from modelshelf.schema.declared import Trust
from modelshelf.schema.metadata import Field
from modelshelf.schema.taxonomy import ModelType, ModelVariantType
from tests.unit.metadata.files import CIVITAI_VERSION, beside


def test_a_version_of_civitai(tmp_path: Path) -> None:
    """Civitai Helper keeps the web API's answer: its words, its numbers, its hashes."""
    found = beside(tmp_path, _civitai_info=CIVITAI_VERSION)
    assert found.title == "Lens Study"
    assert found.trigger_words == ("lens flare", "soft light")
    assert found.tags == ("style", "light")
    assert found.first(Field.NOTE) == "First release & last"
    assert found.first(Field.AUTHOR) == "someone"
    assert (found.first(Field.CIVITAI_MODEL), found.first(Field.CIVITAI_VERSION)) == (
        "122359",
        "135867",
    )
    assert found.read == ("lens.civitai.info",)


def test_a_version_names_the_family_below_the_base(tmp_path: Path) -> None:
    """Pony is sdxl by its tensors; the word is kept, and where it stands."""
    (claim,) = beside(tmp_path, _civitai_info=CIVITAI_VERSION).claims
    assert (claim.bases, claim.architecture, claim.type) == (("sdxl",), "pony", ModelType.LORA)
    assert (claim.trust, claim.where, claim.said) == (
        Trust.SIDECAR,
        "lens.civitai.info:baseModel",
        "Pony",
    )


def test_of_several_files_the_one_of_that_name_is_meant(tmp_path: Path) -> None:
    """A version may have a zip of pictures beside the model; its hashes are not the model's."""
    assert beside(tmp_path, _civitai_info=CIVITAI_VERSION).hashes == {
        "sha256": "ab" * 32,
        "blake3": "cd" * 32,
        "autov1": "81b44117",
        "autov2": "ababababab",
        "autov3": "51a16c07bdd8",
        "crc32": "deadbeef",
    }


def test_of_several_files_of_other_names_none_is_meant(tmp_path: Path) -> None:
    """A renamed file could be any of them."""
    files = [{"name": name, "hashes": {"SHA256": "ab" * 32}} for name in ("a", "b")]
    version = {**CIVITAI_VERSION, "files": files}
    assert beside(tmp_path, _civitai_info=version).hashes == {}


def test_an_inpainting_version_says_so(tmp_path: Path) -> None:
    """Civitai keeps that apart from the base."""
    version = {
        "baseModel": "SD 1.5",
        "baseModelType": "Inpainting",
        "model": {"type": "Checkpoint"},
    }
    (claim,) = beside(tmp_path, _civitai_info=version).claims
    assert (claim.bases, claim.type, claim.variant) == (
        ("sd-1",),
        ModelType.MAIN,
        ModelVariantType.INPAINT,
    )


def test_lora_manager_puts_the_users_words_first(tmp_path: Path) -> None:
    """Where the document and Civitai's answer in it disagree both are kept."""
    document = {
        "model_name": "My lens",
        "notes": "use at 0.6",
        "tags": ["mine"],
        "base_model": "Illustrious",
        "sha256": "ab" * 32,
        "autov3": "51a16c07bdd8",
        "civitai": CIVITAI_VERSION,
    }
    found = beside(tmp_path, _metadata_json=document)
    assert found.all(Field.TITLE) == ("My lens", "Lens Study")
    assert found.tags == ("mine", "style", "light")
    assert [claim.architecture for claim in found.claims] == ["illustrious", "pony"]
    assert found.hashes["autov3"] == "51a16c07bdd8"


def test_stability_matrix(tmp_path: Path) -> None:
    """Names of its own for the same things; the user's title comes first."""
    document = {
        "ModelId": 7,
        "VersionId": 8,
        "ModelName": "Theirs",
        "UserTitle": "Mine",
        "TrainedWords": ["w"],
        "BaseModel": "Flux.1 D",
        "ModelType": "LORA",
        "Hashes": {"SHA256": "AB" * 32, "BLAKE3": None},
    }
    read = beside(tmp_path, **{"_cm-info_json": document})
    assert (read.title, read.all(Field.TITLE)) == ("Mine", ("Mine", "Theirs"))
    assert read.hashes == {"sha256": "ab" * 32}
    assert read.claims[0].bases == ("flux",)


def test_automatic1111(tmp_path: Path) -> None:
    """A description, words for both prompts, a weight and a base in few words."""
    document = {
        "description": "d",
        "sd version": "SDXL",
        "activation text": "lens flare, soft",
        "negative text": "blur",
        "preferred weight": 0.7,
        "notes": "n",
    }
    found = beside(tmp_path, _json=document)
    assert found.trigger_words == ("lens flare, soft",)
    assert found.first(Field.WEIGHT) == "0.7"
    assert found.first(Field.NEGATIVE_TEXT) == "blur"
    assert found.claims[0].bases == ("sdxl",)


def test_what_is_not_filled_in_says_nothing(tmp_path: Path) -> None:
    """Forms are written with empty fields, weight 0 and version Unknown."""
    document = {"description": "", "sd version": "Unknown", "preferred weight": 0, "notes": None}
    found = beside(tmp_path, _json=document)
    assert (found.statements, found.claims) == ((), ())


def test_an_answer_of_civitai_under_the_plain_name(tmp_path: Path) -> None:
    """Some programs call it `.json`."""
    assert beside(tmp_path, _json=CIVITAI_VERSION).title == "Lens Study"


def test_a_whole_model_of_civitai(tmp_path: Path) -> None:
    """Of its versions the one with a file of that name is meant; what stands above it counts too."""
    model = {
        "id": 122359,
        "name": "Lens Study",
        "type": "LORA",
        "tags": ["style"],
        "creator": {"username": "someone"},
        "modelVersions": [
            {"id": 1, "name": "old", "baseModel": "SD 1.5", "files": [{"name": "old.safetensors"}]},
            {
                key: value
                for key, value in CIVITAI_VERSION.items()
                if key not in {"model", "modelId"}
            },
        ],
    }
    found = beside(tmp_path, _api__info_json=model)
    assert (found.title, found.first(Field.VERSION)) == ("Lens Study", "v1.0")
    assert (found.tags, found.first(Field.CIVITAI_MODEL)) == (("style",), "122359")
    assert found.claims[0].architecture == "pony"
    unnamed = {**model, "modelVersions": [{"baseModel": "SD 1.5"}, {"baseModel": "Pony"}]}
    assert [claim.bases for claim in beside(tmp_path, _api__info_json=unnamed).claims] == [()]


@pytest.mark.parametrize("prefix", ["", "modelspec."])
def test_swarm(tmp_path: Path, prefix: str) -> None:
    """ModelSpec's fields, with their prefix or without."""
    plain = {"title": "T", "architecture": "stable-diffusion-xl-v1-base/lora", "tags": ["a", "b"]}
    found = beside(tmp_path, _swarm_json={prefix + key: value for key, value in plain.items()})
    assert (found.title, found.tags) == ("T", ("a", "b"))
    assert (found.claims[0].bases, found.claims[0].type) == (("sdxl",), ModelType.LORA)


def test_the_users_edits_come_before_a_web_sites_words(tmp_path: Path) -> None:
    """All dialects may stand beside one file."""
    found = beside(
        tmp_path,
        _civitai_info=CIVITAI_VERSION,
        _json={"activation text": "mine"},
        _metadata_json={"model_name": "My lens"},
    )
    assert found.title == "My lens"
    assert found.trigger_words == ("mine",)
    assert found.all(Field.TRIGGER_WORD) == ("mine", "lens flare", "soft light")


def test_a_configuration_beside_a_checkpoint(tmp_path: Path) -> None:
    """`parameterization: "v"` is what nothing in the file says."""
    config = 'model:\n  params:\n    parameterization: "v"\n'
    (claim,) = beside(tmp_path, _yaml=config).claims
    assert (claim.trust, claim.prediction_type) == (Trust.CONFIG, "v_prediction")
    assert beside(tmp_path, _yaml="model:\n  params: {}\n").claims == ()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '"x"', "[" * 100_000, '{"a": 1e400}', "{" + '"a":{' * 500, "\x80", "1" * 5000],
    ids=lambda text: text[:6] or "empty",
)
def test_a_damaged_sidecar_is_told_and_hurts_nobody(tmp_path: Path, text: str) -> None:
    """The model is read as if it were not there."""
    found = beside(tmp_path, _json=text, _civitai_info=CIVITAI_VERSION)
    assert found.title == "Lens Study"
    assert len(found.problems) <= 1


def test_a_sidecar_too_long_to_be_one_is_not_read(tmp_path: Path) -> None:
    """Two megabytes are more than any program writes."""
    found = beside(tmp_path, _json='{"description": "' + "x" * 3_000_000 + '"}')
    assert found.statements == ()
    assert found.problems == ("lens.json: expected at most 2097152 bytes, got more",)


@pytest.mark.parametrize("value", [[], {}, True, None, [[]], {"a": []}, 10**400, "\ud800", "\0"])
@pytest.mark.parametrize("ending", ["_json", "_metadata_json", "_civitai_info", "_swarm_json"])
def test_values_of_the_wrong_kind_are_passed_over(
    tmp_path: Path, ending: str, value: object
) -> None:
    """Every field may hold anything; what comes out is text that any file can hold."""
    names = [*CIVITAI_VERSION, "sd version", "preferred weight", "tags", "civitai", "base_model"]
    document = dict.fromkeys(names, value) | {"notes": value, "title": value}
    found = beside(tmp_path, **{ending: document})
    for statement in found.statements:
        assert statement.value.encode().strip(b"\0")
    assert all(claim.said for claim in found.claims)


def test_text_is_cut_to_a_bounded_length(tmp_path: Path) -> None:
    """A title is a line, a description some pages, a list a hundred entries."""
    document = {
        "model_name": "t" * 100_000,
        "modelDescription": "d " * 100_000,
        "tags": [str(number) for number in range(5000)],
    }
    found = beside(tmp_path, _metadata_json=document)
    assert len(found.title) == 300
    assert found.title.endswith("…")
    assert len(found.first(Field.DESCRIPTION)) == 4000
    assert len(found.tags) == 100


def test_all_text_of_one_source_is_bounded_too(tmp_path: Path) -> None:
    """Many long values are no more than a few pages; what fits is kept."""
    document = {"model_name": "Lens", "tags": [f"{number} " + "t" * 290 for number in range(5000)]}
    found = beside(tmp_path, _metadata_json=document)
    assert found.title == "Lens"
    assert sum(len(one.value) for one in found.statements) <= 40_000


def test_a_name_too_long_for_a_sidecar(tmp_path: Path) -> None:
    """The file system refuses to look; there is nothing beside it then."""
    model = tmp_path / ("n" * 240 + ".safetensors")
    model.touch()
    assert not read_metadata(model)


def test_links_and_pipes_beside_a_model(tmp_path: Path) -> None:
    """A pipe would never end, a broken link leads nowhere; a model is not its own sidecar."""
    os.mkfifo(tmp_path / "lens.json")
    (tmp_path / "lens.civitai.info").symlink_to(tmp_path / "nowhere")
    assert not beside(tmp_path)
    model = tmp_path / "other.json"
    model.write_text("{}")
    assert not read_metadata(model)


def test_a_file_is_not_beside_itself(tmp_path: Path) -> None:
    """A document, or a picture, that somebody asks about is no word about a model."""
    document, picture = tmp_path / "lens.json", tmp_path / "lens.png"
    document.write_text('{"activation text": "lens flare"}')
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(8))
    assert read_metadata(document).statements == ()
    assert [one.name for one in read_metadata(document).previews] == ["lens.png"]
    assert read_metadata(picture).previews == ()


def test_a_sound_is_no_picture(tmp_path: Path) -> None:
    """It begins as a picture of the kind WebP does."""
    (tmp_path / "lens.webp").write_bytes(b"RIFF\x24\0\0\0WAVEfmt ")
    found = read_metadata(tmp_path / "lens.safetensors")
    assert (found.previews, found.problems) == ((), ("lens.webp: is no picture that is known",))
