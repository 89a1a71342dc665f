"""Two doors, one truth: whatever is done through either, NMM and MM2 say the same of every model."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from modelshelf.errors import DuplicateModelException, ModelshelfError, UnknownModelException
from modelshelf.schema.config import class_of
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.override import Override
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType
from modelshelf.testing import tiny
from tests.shelves import open_shelf, plain_pipeline

pytestmark = [pytest.mark.property, pytest.mark.timeout(3600)]

NAMES = st.sampled_from(["ink", "Ink 2", "über/alles", "a" * 60, "line\nbreak"])
BASES = st.sampled_from([BaseModelType.SD_1, BaseModelType.SDXL, BaseModelType.UNKNOWN])
TYPES = st.sampled_from([ModelType.LORA, ModelType.VAE, ModelType.UNKNOWN])

FORMS = st.sampled_from([ModelFormat.UNKNOWN, ModelFormat.DIFFUSERS])


class TwoDoors(RuleBasedStateMachine):
    """A library that is changed through NMM and through MM2's record service in any order."""

    stored = Bundle("stored")
    deleted = Bundle("deleted")
    alone = Bundle("alone")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="two-doors-"))
        self.shelf = open_shelf(self.folder / "shelf")
        self.elsewhere: dict[str, dict[str, object]] = {}
        self.sources = [
            tiny.write_safetensors(
                self.folder / f"{seed}.safetensors", {"w": ("F16", (3, 5))}, seed=seed
            )
            for seed in (1, 2)
        ]
        self.sources.append(plain_pipeline(self.folder / "pipe"))
        self.sources.append(tiny.checkpoint(self.folder / "converted.safetensors"))

    def teardown(self) -> None:
        """Look at the disk a last time, and leave nothing."""
        self.shelf.collect_garbage()
        assert self.shelf.verify().clean
        self.shelf.close()
        shutil.rmtree(self.folder)

    @rule(target=stored, number=st.integers(0, 3), name=NAMES)
    def add(self, number: int, name: str) -> str:
        """Add a model, or the same again, under some name."""
        return self.shelf.add(self.sources[number], name=name).info.key

    @rule(key=stored, name=NAMES, tags=st.lists(NAMES, max_size=2, unique=True))
    def change_record(self, key: str, name: str, tags: list[str]) -> None:
        """Rename and tag through MM2."""
        if self.shelf.store.exists(key):
            with suppress(DuplicateModelException):
                changed = self.shelf.store.update_model(key, {"name": name, "tags": tags})
                assert (changed.name, changed.tags) == (name, tags)

    @rule(key=stored, base=BASES, kind=TYPES, form=FORMS)
    def change_kind_of_record(
        self, key: str, base: BaseModelType, kind: ModelType, form: ModelFormat
    ) -> None:
        """Say what a model is through MM2; a pipeline stays one."""
        if self.shelf.store.exists(key):
            is_pipeline = self.shelf.get_model(key).is_pipeline
            change: dict[str, str] = {"base": base}
            if not is_pipeline:
                change |= {"type": kind, "format": form}
            with suppress(DuplicateModelException):
                assert self.shelf.store.update_model(key, change).base is base

    @rule(key=stored, base=BASES, kind=TYPES)
    def override(self, key: str, base: BaseModelType, kind: ModelType) -> None:
        """Say what a model is through NMM."""
        if self.shelf.store.exists(key):
            is_pipeline = self.shelf.get_model(key).is_pipeline
            said = Override(type=None if is_pipeline else kind, bases=(base,))
            with suppress(DuplicateModelException):
                self.shelf.override(key, said)

    @rule(target=deleted, key=stored, through_records=st.booleans())
    def delete(self, key: str, *, through_records: bool) -> object:
        """Delete through either door."""
        if not self.shelf.store.exists(key):
            return multiple()
        before = {entry.trash_id for entry in self.shelf.trash()}
        if through_records:
            self.shelf.store.del_model(key)
        else:
            self.shelf.delete(key)
        assert not self.shelf.store.exists(key)
        with pytest.raises(UnknownModelException):
            self.shelf.store.get_model(key)
        return next(one.trash_id for one in self.shelf.trash() if one.trash_id not in before)

    @rule(trash_id=consumes(deleted))
    def undo(self, trash_id: str) -> None:
        """Bring a deleted model back, if it is still there."""
        if any(entry.trash_id == trash_id for entry in self.shelf.trash()):
            self.shelf.undo(trash_id)

    @rule(forget=st.booleans())
    def collect(self, *, forget: bool) -> None:
        """Collect garbage, and the trash."""
        self.shelf.collect_garbage(expire_trash=timedelta(0) if forget else None)

    @rule(target=alone, name=NAMES)
    def add_alone(self, name: str) -> str:
        """Enter a record of a model that lies elsewhere."""
        key = uuid4().hex
        config = {"name": name, "type": "lora", "format": "lycoris", "base": "sd-1", "path": "/x"}
        self.shelf.store.add_model(key, config)
        self.elsewhere[key] = {"name": name}
        return key

    @rule(key=alone, name=NAMES)
    def change_alone(self, key: str, name: str) -> None:
        """Rename it."""
        if key in self.elsewhere:
            self.shelf.store.update_model(key, {"name": name})
            self.elsewhere[key] = {"name": name}

    @rule(key=consumes(alone))
    def delete_alone(self, key: str) -> None:
        """Forget it."""
        if self.elsewhere.pop(key, None):
            self.shelf.store.del_model(key)

    @rule(key=stored)
    def say_what_only_the_store_can(self, key: str) -> None:
        """The place and content of a stored model are not for others to say."""
        if self.shelf.store.exists(key):
            with pytest.raises(ModelshelfError):
                self.shelf.store.update_model(key, {"path": "/elsewhere"})

    @invariant()
    def both_say_the_same(self) -> None:
        """Every model is there through both doors, and nothing else is."""
        stored = {
            info.key: (
                info.name,
                info.type,
                _form(info),
                info.bases,
                info.description,
                info.source,
                str(info.path),
                info.hash,
            )
            for info in (*self.shelf.list_models(), *self.shelf.list_pipelines())
        }
        models = self.folder / "shelf" / "models"
        records = {config.key: config for config in self.shelf.store.all_models()}
        assert records.keys() == stored.keys() | self.elsewhere.keys()
        for key, said in stored.items():
            config = records[key]
            assert said == (
                config.name,
                config.model_type,
                config.model_format,
                config.bases,
                config.description or "",
                config.source or "",
                str(models / config.path),
                f"blake3:{config.blake3}",
            )
        for key, fields in self.elsewhere.items():
            assert records[key].name == fields["name"]


def _form(info: ModelInfo) -> ModelFormat:
    """Return the form that a record can say: no class of records is made for some."""
    try:
        class_of(info.type, info.format, info.base)
    except KeyError:
        return ModelFormat.UNKNOWN
    return info.format


TwoDoors.TestCase.settings = settings(
    max_examples=max(5, settings().max_examples // 4), stateful_step_count=25, deadline=None
)
TestTwoDoors = TwoDoors.TestCase


def test_each_step_through_each_door() -> None:
    """Every rule once with every kind of source, whichever of them the examples happen to draw."""
    doors = TwoDoors()
    try:
        keys = [doors.add(number=number, name="ink") for number in range(4)]
        for key in keys:
            doors.change_record(key=key, name="Ink 2", tags=["ink"])
            doors.both_say_the_same()
            doors.change_kind_of_record(
                key=key, base=BaseModelType.SDXL, kind=ModelType.VAE, form=ModelFormat.DIFFUSERS
            )
            doors.both_say_the_same()
            doors.override(key=key, base=BaseModelType.SD_1, kind=ModelType.LORA)
            doors.both_say_the_same()
            doors.say_what_only_the_store_can(key=key)
        alone = doors.add_alone(name="ink")
        doors.change_alone(key=alone, name="Ink 2")
        for through_records in (False, True):
            for bring_back in (True, False):
                for key in keys:
                    gone = doors.delete(key=key, through_records=through_records)
                    assert isinstance(gone, str), "each is there to be deleted"
                    doors.both_say_the_same()
                    if bring_back:
                        doors.undo(trash_id=gone)
                        doors.both_say_the_same()
            doors.collect(forget=through_records)
            doors.both_say_the_same()
            keys = [doors.add(number=number, name="ink") for number in range(4)]
        doors.delete_alone(key=alone)
        doors.both_say_the_same()
    finally:
        doors.teardown()
