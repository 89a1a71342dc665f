"""What a store of model records promises of adding, changing and deleting them."""
# ruff: noqa: S101, PLR2004 - a contract asserts, and its numbers are the expected ones

from __future__ import annotations

from functools import partial

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
        """A wrong record is refused with the name of the field, and nothing is added."""
        wrong: dict[str, dict[str, object]] = {
            "colour": {"colour": "blue"},
            "model_type": {"type": "nonsense"},
            "model_format": {"format": "gguf2"},
            "base_model": {"base": "sd-9"},
            "description": {"description": "x" * 1_000_000},
            "name": {"name": "ink\ud800"},
            "path": {"path": "a\0b"},
            "tags": {"tags": ["\udfff"]},
            "size": {"size": -1},
        }
        for field, fields in wrong.items():
            error = error_of(
                InvalidModelConfigException,
                partial(self.service.add_model, "a", lora() | fields),
            )
            assert field in error.problem
        assert self.service.count() == 0

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
        """A key that nobody has is told, whatever it is; nothing is made of it."""
        self.add("a")
        for key in ("b", "A", "", "a\0", "\ud800", "%", "_", "__metadata__", "x" * 10_000):
            assert not self.service.exists(key)
            for act in (
                self.service.get_model,
                self.service.del_model,
                partial(self.service.update_model, config={"name": "x"}),
            ):
                error_of(UnknownModelException, partial(act, key))
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
