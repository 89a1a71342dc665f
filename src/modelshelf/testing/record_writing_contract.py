"""What a store of model records promises of adding, changing and deleting them."""
# ruff: noqa: S101, PLR2004 - a contract asserts, and its numbers are the expected ones

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from modelshelf.errors import (
    DuplicateKeyError,
    InvalidModelConfigException,
    StaleConfigError,
    UnknownModelException,
)
from modelshelf.schema.config import parse_config
from modelshelf.testing.blob_store_contract import error_of
from modelshelf.testing.record_service_case import START, RecordServiceCase, keys, lora

__all__ = ["RecordWritingContract"]

_LONG = "x" * 1_000_000
_TEXTS = ("name", "path", "description", "source", "author", "license", "hash")
_NO_TEXTS: tuple[object, ...] = ("ink\ud800", "ink\0", 7, ["ink"])
_WRONG: tuple[tuple[str, Mapping[str, object]], ...] = (
    *((field, {field: wrong}) for field in _TEXTS for wrong in _NO_TEXTS),
    # What no record has, and words that are none.
    ("colour", {"colour": "blue"}),
    ("model_type", {"type": "nonsense"}),
    ("model_format", {"format": "gguf2"}),
    ("base_model", {"base": "sd-9"}),
    ("bases.1", {"bases": ["sdxl", "sd-9"]}),
    ("source_type", {"source_type": "mail"}),
    # What does not fit the type and format.
    ("model_format", {"type": "vae"}),
    ("model_format", {"format": "embedding_file"}),
    ("vae", {"vae": "other"}),
    ("upcast_attention", {"upcast_attention": True}),
    ("base_model", {"base_model": "sdxl", "base": "sd-1"}),
    ("bases", {"bases": ["sdxl", "sdxl"]}),
    # What is too much.
    ("description", {"description": _LONG}),
    ("name", {"name": _LONG}),
    ("tags", {"tags": [str(number) for number in range(1_001)]}),
    ("tags.0", {"tags": [_LONG]}),
    ("size", {"size": 2**63}),
    ("default_settings", {"default_settings": {"a": _LONG}}),
    # What no text can be.
    ("tags.0", {"tags": ["\udfff"]}),
    ("trigger_phrases.1", {"trigger_phrases": ["a", "b\0"]}),
    ("source_api_response", {"source_api_response": '{"a": "\ud800"}'}),
    ("default_settings", {"default_settings": {"\ud800": 1}}),
    ("cover_image", {"cover_image": "\udc00.png"}),
    # What is nothing, or of another kind.
    ("name", {"name": ""}),
    ("path", {"path": ""}),
    ("size", {"size": -1}),
    ("size", {"size": True}),
    ("size", {"size": "5"}),
    ("blake3", {"blake3": "AB" * 32}),
    ("sha256", {"sha256": "abc"}),
    ("last_used_at", {"last_used_at": float("nan")}),
    ("created_at", {"created_at": float("inf")}),
)
"""Fields that make a LoRA's record wrong, with the one that the error names."""


class RecordWritingContract(RecordServiceCase):
    """Writing records and reading them again by key."""

    # -- adding

    def test_keeps_what_was_added(self) -> None:
        """A record comes back as it was given, in the class that fits it, with key, times and revision."""
        given = parse_config(lora(description="Fine\nlines 🦊", tags=["b", "a"], size=2**40))
        added = self.service.add_model("f13dd932", given)
        assert self.service.get_model("f13dd932") == added
        assert type(added) is type(given)
        now = START.timestamp() + 1
        written = {"key": "f13dd932", "revision": 1, "created_at": now, "updated_at": now}
        assert added.to_document() == given.to_document() | written
        assert given.key == ""

    def test_takes_fields_by_either_name(self) -> None:
        """A dict may name the fields as the document does or by their short names."""
        short = self.add("short")
        long = self.service.add_model(
            "long",
            {
                "name": "ink",
                "model_type": "lora",
                "model_format": "lycoris",
                "base_model": "sdxl",
                "path": "sdxl/lora/ink.safetensors",
            },
        )
        assert (short.type, short.format, short.base) == ("lora", "lycoris", "sdxl")
        assert type(short) is type(long)

    def test_the_given_key_decides(self) -> None:
        """What is added under a key has that key, whatever key it came with."""
        first = self.add("a")
        again = self.service.add_model("b", first)
        assert (again.key, again.revision) == ("b", 1)
        assert again.created_at == first.created_at
        assert self.service.add_model("c", lora(key="other")).key == "c"

    def test_a_key_is_given_once(self) -> None:
        """A key that is taken is refused, and what has it stays."""
        self.add("a", "ink")
        before = self.everything()
        error = error_of(DuplicateKeyError, partial(self.add, "a", "other"))
        assert error.wanted == "a"
        assert self.everything() == before

    def test_adds_all_or_none(self) -> None:
        """Of many records one wrong one, or one key twice, keeps all of them out."""
        self.add("a")
        before = self.everything()
        for wrong in (
            [("b", lora()), ("a", lora())],
            [("b", lora()), ("b", lora("other"))],
        ):
            error_of(DuplicateKeyError, partial(self.service.add_models, wrong))
        for wrong in ([("b", lora()), ("c", lora(type="nonsense"))], [("b", lora()), ("", lora())]):
            error_of(InvalidModelConfigException, partial(self.service.add_models, wrong))
        assert self.everything() == before
        added = self.service.add_models({"z": lora("z"), "b": lora("b")})
        assert keys(added) == ["z", "b"]
        assert self.service.add_models([]) == []

    def test_refuses_what_is_wrong(self) -> None:
        """A wrong record is refused with the name of the field, whether new or changed; nothing changes."""
        before = self.add("there").to_document()
        for field, fields in _WRONG:
            for act in (
                partial(self.service.add_model, "a", {**lora(), **fields}),
                partial(self.service.add_models, [("b", lora()), ("a", {**lora(), **fields})]),
                partial(self.service.update_model, "there", fields),
            ):
                error = error_of(InvalidModelConfigException, act)
                assert field in error.fields.split(", "), (fields, error.fields)
                assert f"`{field}`" in error.problem
                # It can be printed, and is not as long as what it is about.
                assert len(str(error).encode()) < 2_000
        assert self.everything() == [before]

    def test_refuses_a_wrong_key(self) -> None:
        """A key is text of some length that every store can keep."""
        for key in ("", "a\0", "\ud800", "x" * 256):
            error = error_of(
                InvalidModelConfigException, partial(self.service.add_model, key, lora())
            )
            assert error.fields == "key"
        assert self.service.count() == 0
        assert self.add("x" * 255).key == "x" * 255

    def test_keeps_text_of_any_kind(self) -> None:
        """SQL, YAML, wildcards, quotes and scripts are text like any other, in keys too."""
        texts = [
            "'; DROP TABLE model_config; --",
            '"quoted": {yes}',
            "100%_",
            "- 1\n- 2",
            "null",
            "1e3",
            "~",
            "🦊 水墨画",
            " edge ",
            "a: b # c",
            "tab\tand\r\nline",
            "\u2028\x85\x1b",
        ]
        for number, text in enumerate(texts):
            self.add(f"{number}{text}", text, description=text, tags=[text], author=text)
        for number, text in enumerate(texts):
            config = self.service.get_model(f"{number}{text}")
            found = (config.name, config.description, config.tags, config.author)
            assert found == (text, text, [text], text)
            assert keys(self.service.search_by_name(text)) == [f"{number}{text}"]
        assert self.service.count() == len(texts)

    def test_keys_are_told_apart_by_case(self) -> None:
        """Keys are compared as they are."""
        self.add("a", "small")
        self.add("A", "large")
        assert [self.service.get_model(key).name for key in "aA"] == ["small", "large"]

    # -- changing

    def test_merges_some_fields(self) -> None:
        """A sparse dict changes its fields and no other; the revision and the time move on."""
        before = self.add("a", tags=["x"], description="old")
        changed = self.service.update_model("a", {"description": "new", "base": "sd-1"})
        assert self.service.get_model("a") == changed
        assert changed.to_document() == before.to_document() | {
            "description": "new",
            "base_model": "sd-1",
            "bases": ["sd-1"],
            "revision": 2,
            "updated_at": START.timestamp() + 2,
        }

    def test_takes_a_whole_record(self) -> None:
        """A record that was read, changed and handed back takes the place of the one that is there."""
        self.add("a", tags=["x", "y"], description="old")
        config = self.service.get_model("a")
        config.name, config.tags, config.description = "other", ["y"], None
        changed = self.service.update_model("a", config)
        assert (changed.revision, config.revision) == (2, 1)
        found = self.service.get_model("a")
        assert (found.name, found.tags, found.description) == ("other", ["y"], None)
        assert self.service.search_by_tag(["x"]) == []

    def test_the_class_follows_the_fields(self) -> None:
        """A change of type or format changes the class of the record."""
        before = self.add("a")
        changed = self.service.update_model("a", {"format": "diffusers", "path": "ink"})
        assert type(changed) is not type(before)
        assert type(self.service.get_model("a")) is type(changed)

    def test_refuses_what_is_based_on_an_older_one(self) -> None:
        """Of two who change the same revision the second is refused, and what the first wrote stays."""
        self.add("a")
        mine, theirs = self.service.get_model("a"), self.another().get_model("a")
        theirs.name = "theirs"
        self.another().update_model("a", theirs)
        mine.name = "mine"
        error = error_of(StaleConfigError, partial(self.service.update_model, "a", mine))
        assert (error.key, error.expected, error.got) == ("a", 2, 1)
        stale = {"name": "mine", "revision": 1}
        error_of(StaleConfigError, partial(self.service.update_model, "a", stale))
        assert self.service.get_model("a").name == "theirs"
        fresh = {"name": "mine", "revision": 2}
        assert self.service.update_model("a", fresh).revision == 3

    def test_refuses_a_revision_that_is_no_number(self) -> None:
        """What only looks like the revision is a mistake in the change, and no change of somebody else's."""
        self.add("a")
        for odd in ("1", True, 1.0):
            change = {"name": "mine", "revision": odd}
            error = error_of(
                InvalidModelConfigException, partial(self.service.update_model, "a", change)
            )
            assert error.fields == "revision"
        assert self.service.get_model("a").name != "mine"

    def test_a_record_that_was_never_read_counts_as_the_first(self) -> None:
        """What was handed to `add_model` can be changed and handed to `update_model`, once."""
        config = parse_config(lora())
        self.service.add_model("a", config)
        config.name = "changed"
        assert self.service.update_model("a", config).name == "changed"
        error_of(StaleConfigError, partial(self.service.update_model, "a", config))

    def test_refuses_a_wrong_change(self) -> None:
        """What would come out wrong, or under another key, is refused, and the record stays."""
        before = self.add("a")
        for wrong in (
            {"colour": "blue"},
            {"type": "nonsense"},
            {"name": ""},
            {"key": "b"},
            {"format": "checkpoint", "size": -1},
        ):
            error_of(InvalidModelConfigException, partial(self.service.update_model, "a", wrong))
        no_fields: Any = (None, "name", 5, ["name"], [("name", "x")])
        for wrong in no_fields:
            for act in (self.service.update_model, self.service.add_model):
                error = error_of(InvalidModelConfigException, partial(act, "a", wrong))
                assert error.fields == "record"
        renamed = before.model_copy(update={"key": "b"})
        error_of(InvalidModelConfigException, partial(self.service.update_model, "a", renamed))
        assert self.service.get_model("a") == before

    def test_what_is_returned_is_the_callers(self) -> None:
        """Changing a record that was returned changes nothing in the store."""
        added = self.add("a", tags=["x"])
        added.tags.append("y")
        self.service.get_model("a").tags.append("z")
        self.service.all_models()[0].name = "other"
        found = self.service.get_model("a")
        assert (found.name, found.tags) == ("ink", ["x"])

    # -- deleting, and what is not there

    def test_forgets_what_is_deleted(self) -> None:
        """A deleted record is found by nothing, and its key can be given again."""
        self.add("a", tags=["x"], blake3="ab" * 32)
        self.add("b")
        self.service.del_model("a")
        assert not self.service.exists("a")
        assert keys(self.service.all_models()) == ["b"]
        assert self.service.search_by_tag(["x"]) == []
        assert self.service.search_by_hash("abab") == []
        assert self.add("a", "new").revision == 1

    def test_says_what_is_not_there(self) -> None:
        """A key that nobody has is told, whatever it is, in words that can be printed."""
        self.add("a")
        nothing: Any = (None, 5, b"a", ("a",), ["a"])
        texts = ("b", "A", "", "a\0", "\ud800", "%", "_", "__metadata__", "x" * 10_000)
        for key in (*texts, *nothing):
            assert not self.service.exists(key)
            for act in (
                self.service.get_model,
                self.service.del_model,
                partial(self.service.update_model, config={"name": "x"}),
            ):
                assert str(error_of(UnknownModelException, partial(act, key))).encode()
        assert self.service.exists("a")

    def test_others_see_it_at_once(self) -> None:
        """What one wrote, another who has the same records open reads."""
        other = self.another()
        self.add("a", "ink")
        assert other.get_model("a").name == "ink"
        other.update_model("a", {"name": "other"})
        assert keys(self.service.search_by_name("other")) == ["a"]
        other.del_model("a")
        assert self.service.count() == 0

    def test_says_its_version(self) -> None:
        """Records are kept in version 3.2 of the document's data model."""
        assert self.service.version() == "3.2"
