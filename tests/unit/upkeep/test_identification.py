from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from modelshelf.errors import InvalidChoiceError, UnknownModelException, UsageError
from modelshelf.manager import NormalizedModelManager
from modelshelf.manager.assembly import Services, assemble
from modelshelf.schema.override import Override
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType, ModelVariantType
from modelshelf.settings import Settings
from modelshelf.testing import tiny
from tests.shelves import StandingClock, contents, plain_pipeline

OLD = json.dumps({"rules": "of another day", "status": "unknown"})


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """The services of an empty library."""
    return assemble(Settings(root=tmp_path / "shelf"), clock=StandingClock())


@pytest.fixture
def shelf(services: Services) -> NormalizedModelManager:
    """The library of these services."""
    return NormalizedModelManager(services)


def stranger(path: Path) -> Path:
    """Make a file that no rule knows."""
    return tiny.write_safetensors(path, {"what.weight": ("F16", (3, 5))}, seed=1)


def views(tmp_path: Path) -> set[str]:
    """Return where the links are that a person sees."""
    models = tmp_path / "shelf" / "models"
    return {path.relative_to(models).as_posix() for path in models.glob("[!.b]*/*/*")}


def test_a_user_knows_better(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """Type and base are the user's, the links move there, and what was detected is kept beside."""
    model = shelf.import_model(stranger(tmp_path / "odd.safetensors"))
    assert views(tmp_path) == {"unknown/unknown/odd.safetensors"}
    wish = Override(type=ModelType.LORA, bases=(BaseModelType.SDXL, BaseModelType.SD_1))
    info = shelf.override(model, wish)
    assert (info.type, info.bases) == (ModelType.LORA, wish.bases)
    assert shelf.get_model_by_name("odd", "lora").id == model
    assert views(tmp_path) == {"sdxl/lora/odd.safetensors"}
    detail = json.loads(info.detail)
    assert detail["override"] == {"type": "lora", "bases": ["sdxl", "sd-1"]}
    assert detail["detected"] == {"type": "unknown"}
    assert shelf.verify().clean


def test_fields_are_overridden_one_by_one(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A further word leaves the earlier ones, and all go when they are taken back."""
    model = shelf.import_model(tiny.vae(tmp_path / "vae.safetensors"))
    before = shelf.get_model(model)
    shelf.override(model, Override(bases=(BaseModelType.SD_2,)))
    info = shelf.override(model, Override(variant=ModelVariantType.NORMAL))
    assert (info.bases, json.loads(info.detail)["variant"]) == ((BaseModelType.SD_2,), "normal")
    back = shelf.as_detected(model)
    assert (back.type, back.bases, back.detail) == (before.type, before.bases, before.detail)
    assert shelf.verify().clean


def test_a_word_outlives_new_rules(
    tmp_path: Path, services: Services, shelf: NormalizedModelManager
) -> None:
    """Identified again by other rules, a model stays what its user says."""
    model = shelf.import_model(tiny.lora(tmp_path / "ink.safetensors", base="sd-1"))
    info = shelf.override(model, Override(bases=(BaseModelType.SDXL,)))
    detail = json.dumps({**json.loads(info.detail), "rules": "old"})
    services.records.identify_as(info.key, info.type, info.format, info.bases, detail)
    shelf.identify_again([model])
    assert shelf.get_model(model).bases == (BaseModelType.SDXL,)
    assert shelf.as_detected(model).bases == (BaseModelType.SD_1,)


def test_what_older_rules_left_open_is_looked_at_again(
    tmp_path: Path, services: Services, shelf: NormalizedModelManager
) -> None:
    """A model that is known now is entered as such, and shown where it belongs."""
    for source in (tiny.lora(tmp_path / "ink.safetensors"), stranger(tmp_path / "odd.safetensors")):
        info = shelf.add(source).info
        unknown = (ModelType.UNKNOWN, ModelFormat.UNKNOWN, (BaseModelType.UNKNOWN,))
        services.records.identify_as(info.key, *unknown, OLD)
        services.views.settle()
    assert views(tmp_path) == {
        "unknown/unknown/ink.safetensors",
        "unknown/unknown/odd.safetensors",
    }
    (changed,) = [info for info in shelf.identify_again() if info.name == "ink"]
    assert (changed.type, changed.bases) == (ModelType.LORA, (BaseModelType.SD_1,))
    assert views(tmp_path) == {"sd-1/lora/ink.safetensors", "unknown/unknown/odd.safetensors"}
    assert shelf.identify_again() == []
    assert shelf.verify().clean


def test_what_is_known_is_not_given_up(
    tmp_path: Path, services: Services, shelf: NormalizedModelManager
) -> None:
    """Rules that know less than those of another day change nothing."""
    info = shelf.add(stranger(tmp_path / "odd.safetensors")).info
    known = (ModelType.LORA, ModelFormat.LYCORIS, (BaseModelType.SD_1,))
    services.records.identify_as(info.key, *known, OLD)
    assert shelf.identify_again([info.id]) == []
    assert shelf.get_model(info.id).type is ModelType.LORA


def test_a_pipeline_moves_to_its_base(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """All its links go along; it cannot become anything but a main model."""
    model = shelf.import_model(plain_pipeline(tmp_path / "one"))
    before = contents(shelf.get_model(model).path)
    info = shelf.override(model, Override(bases=(BaseModelType.KOLORS,)))
    assert shelf.get_pipeline_by_name("one", "kolors").id == model
    assert views(tmp_path) == {"kolors/main/one"}
    assert contents(info.path) == before
    with pytest.raises(UsageError):
        shelf.override(model, Override(type=ModelType.LORA))
    assert shelf.verify().clean


def test_a_converted_checkpoint_keeps_what_it_came_as(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """It is still exported as the file that it was."""
    source = tiny.checkpoint(tmp_path / "model.safetensors")
    model = shelf.import_model(source)
    shelf.override(model, Override(architecture="anything-v3"))
    assert shelf.identify_again([model]) == []
    made = shelf.export(selector=model, destination=tmp_path / "out").path
    assert made.read_bytes() == source.read_bytes()


def test_the_trash_is_left_alone(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A deleted name of a part has no links, whatever the part is called from now on."""
    source = stranger(tmp_path / "odd.safetensors")
    shelf.add(source, name="one")
    info = shelf.add(source, name="two").info
    trash = shelf.delete("one").trash_id
    shelf.override(info.key, Override(type=ModelType.VAE, bases=(BaseModelType.SD_1,)))
    assert views(tmp_path) == {"sd-1/vae/two.safetensors"}
    assert shelf.undo(trash).type is ModelType.VAE
    assert views(tmp_path) == {"sd-1/vae/one.safetensors", "sd-1/vae/two.safetensors"}
    assert shelf.verify().clean


def test_adding_again_does_not_argue_with_the_user(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """What is detected when the same content comes again adds nothing to the user's word."""
    source = tiny.lora(tmp_path / "ink.safetensors", base="sd-1")
    first = shelf.add(source).info.key
    shelf.override(first, Override(bases=(BaseModelType.SDXL,)))
    assert shelf.add(source, name="again").info.bases == (BaseModelType.SDXL,)
    assert shelf.get_model(first).bases == (BaseModelType.SDXL,)


def test_what_came_in_a_pipeline_first_is_looked_at_alone(
    tmp_path: Path, services: Services, shelf: NormalizedModelManager
) -> None:
    """An earlier modelshelf left such a name at what the pipeline said; the bases of others stay."""
    folder = tiny.pipeline(tmp_path / "pipe")
    shelf.import_model(folder)
    info = shelf.add(folder / "text_encoder", name="clip").info
    vae = shelf.add(folder / "vae", name="vae").info
    of_pipeline = (ModelType.TEXT_ENCODER, ModelFormat.TRANSFORMERS, (BaseModelType.SD_1,), "{}")
    services.records.identify_as(info.key, *of_pipeline)
    bases = (BaseModelType.SD_1, BaseModelType.KOLORS)
    services.records.identify_as(vae.key, vae.type, vae.format, bases, "{}")
    changed = {each.name: each for each in shelf.identify_again()}
    assert (changed["clip"].type, changed["clip"].bases) == (info.type, info.bases)
    assert changed["clip"].detail == info.detail
    assert set(changed["vae"].bases) == {*vae.bases, BaseModelType.KOLORS}
    assert shelf.identify_again() == []
    assert shelf.identify_again(["vae"]) == []
    assert shelf.verify().clean


def test_bases_that_pipelines_named_stay(
    tmp_path: Path, services: Services, shelf: NormalizedModelManager
) -> None:
    """Also of a model that nobody who looked at it alone knew a base of, until the rules learned one."""
    info = shelf.add(tiny.lora(tmp_path / "ink.safetensors", base="sd-1")).info
    unsaid = json.dumps(
        {name: value for name, value in json.loads(info.detail).items() if name != "bases"}
        | {"status": "undecided", "rules": "of another day"}
    )
    named = (BaseModelType.KOLORS,)
    services.records.identify_as(info.key, info.type, info.format, named, unsaid)
    (again,) = shelf.identify_again()
    assert again.bases == (BaseModelType.SD_1, BaseModelType.KOLORS)


def test_bases_that_pipelines_named_come_back_with_what_was_detected(
    tmp_path: Path, services: Services, shelf: NormalizedModelManager
) -> None:
    """A user's word stands above them too, and goes without taking them along."""
    info = shelf.add(tiny.lora(tmp_path / "ink.safetensors", base="sd-1")).info
    named = (BaseModelType.SD_1, BaseModelType.KOLORS)
    services.records.identify_as(info.key, info.type, info.format, named, info.detail)
    assert shelf.override(info.key, Override(bases=(BaseModelType.SDXL,))).bases == (
        BaseModelType.SDXL,
    )
    shelf.override(info.key, Override(bases=(BaseModelType.SD_2,)))
    assert shelf.identify_again([info.key]) == []
    assert shelf.as_detected(info.key).bases == named


def test_what_stood_beside_a_model_is_heard_again(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """A base that a sidecar chose stays under a word about something else, and when that is taken back."""
    source = tiny.vae(
        tmp_path / "soft.safetensors", base="sd-1", style="ldm", full=True, hollow=True
    )
    source.with_suffix(".json").write_text(json.dumps({"sd version": "SDXL"}))
    before = shelf.add(source).info
    assert before.bases == (BaseModelType.SDXL,)
    assert shelf.identify_again([before.key]) == []
    assert shelf.override(before.key, Override(architecture="soft")).bases == before.bases
    assert shelf.as_detected(before.key) == before


def test_a_configuration_beside_a_file_is_heard_again(
    tmp_path: Path, services: Services, shelf: NormalizedModelManager
) -> None:
    """What a checkpoint predicts stays what the `.yaml` beside it said, which is not stored."""
    source = tiny.checkpoint(tmp_path / "model.safetensors", base="sd-1")
    source.with_suffix(".yaml").write_text("model:\n  params:\n    parameterization: v\n")
    before = shelf.add(source, convert=False).info
    assert json.loads(before.detail)["prediction_type"] == "v_prediction"
    assert "v" in [claim.said for claim in services.configs.metadata(before.key).claims]
    assert shelf.identify_again([before.key]) == []
    assert shelf.as_detected(before.key) == before


def test_the_scale_beside_a_vae_is_heard_again(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """The base that `config.json` told of the file beside it stays: the file is stored without it."""
    folder = tiny.vae(tmp_path / "vae", base="sdxl", folder=True, full=True, hollow=True)
    before = shelf.add(folder / "diffusion_pytorch_model.safetensors").info
    assert before.bases == (BaseModelType.SDXL,)
    assert shelf.override(before.key, Override(architecture="soft")).bases == before.bases
    assert shelf.as_detected(before.key) == before


def test_the_name_that_a_model_had_is_heard_again(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """The library's own name for it may be another one, and does not count."""
    source = tiny.vae(
        tmp_path / "sdxl-vae.safetensors", base="sd-1", style="ldm", full=True, hollow=True
    )
    before = shelf.add(source, name="sd-1-5 of mine").info
    assert before.bases == (BaseModelType.SDXL,)
    assert shelf.identify_again([before.key]) == []
    assert shelf.as_detected(before.key) == before


def test_a_new_name_in_the_library_says_nothing(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """A pipeline's folder is called as the library calls it: what it was called when it was added counts."""
    said = {"mine": None, "mine-vpred": "v_prediction"}
    renamed = {"mine": "other-vpred", "mine-vpred": "other"}
    for number, (name, prediction) in enumerate(said.items(), start=1):
        folder = tiny.pipeline(tmp_path / name, base="sd-1", seed=number)
        shutil.rmtree(folder / "scheduler")
        index = json.loads((folder / "model_index.json").read_text())
        del index["scheduler"]
        (folder / "model_index.json").write_text(json.dumps(index))
        before = shelf.add(folder).info
        assert json.loads(before.detail).get("prediction_type") == prediction
        shelf.store.update_model(before.key, {"name": renamed[name]})
        assert shelf.identify_again([before.key]) == []
        assert shelf.as_detected(before.key).detail == before.detail


def told_by_name(tmp_path: Path, *names: str) -> list[Path]:
    """Make copies of a VAE whose base nothing but their names tells."""
    return [
        tiny.vae(tmp_path / f"{name}.safetensors", base="sd-1", style="ldm", full=True, hollow=True)
        for name in names
    ]


@pytest.mark.parametrize("asked", [0, 1])
def test_what_another_name_told_is_heard_again(
    tmp_path: Path, shelf: NormalizedModelManager, asked: int
) -> None:
    """The same bytes are one model: whichever of its names is asked, it is what all of them told."""
    infos = [shelf.add(path).info for path in told_by_name(tmp_path, "sdxl-vae", "soft")]
    before = shelf.get_model(infos[asked].key)
    assert before.bases == (BaseModelType.SDXL,)
    assert shelf.identify_again([before.key]) == []
    said = shelf.override(before.key, Override(architecture="soft"))
    assert said.bases == before.bases
    assert shelf.as_detected(before.key) == before
    assert [shelf.get_model(info.key).bases for info in infos] == [before.bases] * 2
    assert shelf.verify().clean


def test_names_that_contradict_each_other_are_both_heard_again(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """Both bases stay, in the order that they had, and stay below a user's word."""
    infos = [shelf.add(path).info for path in told_by_name(tmp_path, "sdxl-vae", "sd-2-vae")]
    before = [shelf.get_model(info.key) for info in infos]
    assert {*before[0].bases} == {BaseModelType.SD_2, BaseModelType.SDXL}
    for info in infos:
        assert shelf.identify_again([info.key]) == []
        shelf.override(info.key, Override(bases=(BaseModelType.KOLORS,)))
        shelf.as_detected(info.key)
        assert [shelf.get_model(each.key) for each in infos] == before


def test_fields_are_taken_back_one_by_one(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """What was detected of them counts again, and the other words stay; twice is once."""
    model = shelf.import_model(tiny.vae(tmp_path / "vae.safetensors"))
    before = shelf.get_model(model)
    shelf.override(model, Override(bases=(BaseModelType.KOLORS,), architecture="soft"))
    for _ in range(2):
        info = shelf.as_detected(model, ["bases", "variant"])
        assert info.bases == before.bases
        assert json.loads(info.detail)["override"] == {"architecture": "soft"}
    back = shelf.override(model, Override(type=ModelType.VAE), taken_back=["architecture"])
    assert json.loads(back.detail)["override"] == {"type": "vae"}
    assert shelf.as_detected(model) == before
    with pytest.raises(InvalidChoiceError):
        shelf.as_detected(model, ["base"])


def test_a_dry_run_is_what_happens_then(
    tmp_path: Path, services: Services, shelf: NormalizedModelManager
) -> None:
    """The model that would be is the model that is, but for where it lies; and nothing happened before."""
    model = shelf.import_model(tiny.lora(tmp_path / "ink.safetensors", base="sd-1"))
    before, seen = shelf.get_model(model), views(tmp_path)
    wish = Override(bases=(BaseModelType.SDXL,))
    foreseen = shelf.override(model, wish, dry_run=True)
    assert (shelf.get_model(model), views(tmp_path)) == (before, seen)
    said = shelf.override(model, wish)
    assert replace(foreseen, location=said.location) == said
    assert replace(shelf.as_detected(model, dry_run=True), location=before.location) == before
    assert shelf.get_model(model) == said
    services.records.identify_as(
        said.key, ModelType.UNKNOWN, ModelFormat.UNKNOWN, (BaseModelType.UNKNOWN,), OLD
    )
    forgotten = shelf.get_model(model)
    (foreseen,) = shelf.identify_again(dry_run=True)
    assert shelf.get_model(model) == forgotten
    (again,) = shelf.identify_again()
    assert replace(foreseen, location=again.location) == again


def test_words_of_two_at_once_are_both_kept(
    tmp_path: Path, services: Services, shelf: NormalizedModelManager
) -> None:
    """Whoever read the model before the other spoke takes nothing back."""
    for path in (stranger(tmp_path / "odd.safetensors"), plain_pipeline(tmp_path / "one")):
        before = shelf.add(path).info
        services.identification.say(before, Override(bases=(BaseModelType.KOLORS,)))
        services.identification.say(before, Override(architecture="pony"))
        list(services.identification.again([before]))
        after = shelf.get_model(before.key)
        said = json.loads(after.detail)["override"]
        assert (said, after.bases[0]) == ({"architecture": "pony", "bases": ["kolors"]}, "kolors")
    assert shelf.verify().clean


def test_a_model_that_is_deleted_meanwhile_is_known_as_nothing(
    tmp_path: Path, services: Services, shelf: NormalizedModelManager
) -> None:
    """A word on it finds no model, and looking again passes it over."""
    info = shelf.add(stranger(tmp_path / "odd.safetensors")).info
    shelf.delete(info.key)
    with pytest.raises(UnknownModelException):
        services.identification.say(info, Override(type=ModelType.LORA))
    assert list(services.identification.again([info])) == []
    shelf.undo(shelf.trash()[0].trash_id)
    assert shelf.get_model(info.key).type is ModelType.UNKNOWN


def test_half_of_a_view_is_not_taken_for_the_model(
    tmp_path: Path, services: Services, shelf: NormalizedModelManager
) -> None:
    """Where somebody was interrupted while its links moved, they are moved first."""
    info = shelf.add(tiny.pipeline(tmp_path / "one")).info
    bases = (BaseModelType.SDXL, BaseModelType.SD_1)
    services.records.identify_as(info.key, info.type, info.format, bases, info.detail)
    shutil.rmtree(info.path / "unet")
    (info.path / "model_index.json").unlink()
    between = services.records.pipelines()[0]
    known = services.identification.say(between, Override())
    assert (known.type, known.bases) == (info.type, info.bases)
    assert known.detail == info.detail
    assert shelf.verify().clean
