from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from modelshelf.errors import (
    DuplicateModelException,
    InvalidModelConfigException,
    ModelshelfError,
    StaleConfigError,
    UnknownModelException,
)
from modelshelf.protocols import ModelRecords
from modelshelf.records.file_service import ModelRecordServiceFile
from modelshelf.records.sql_service import ModelRecordServiceSQL
from modelshelf.schema.config import AnyModelConfig
from modelshelf.schema.selector import And, Attribute, Not, Operator, Or, Order, Selector, Term
from modelshelf.schema.selector_matching import NUMBERS, matches
from tests.contract.postgres import private_server

pytestmark = pytest.mark.property

KEYS = st.sampled_from(["a", "B", "b", "null", "ä'\"", "__metadata__x", "{x}: #"])
TEXTS = st.text(max_size=6) | st.sampled_from(
    ["ink", "INK", "Straße", "strasse", "水墨画", "a%b_", "'; --", "  x\n", "İi", "ǅ", "\U0010ffff"]
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXTS,
        "base": st.sampled_from(["sd-1", "sdxl", "nonsense"]),
        "bases": st.lists(st.sampled_from(["sd-1", "sd-2", "any"]), max_size=3),
        "type": st.sampled_from(["lora", "vae", "nonsense"]),
        "format": st.sampled_from(["diffusers", "checkpoint", "lycoris"]),
        "path": TEXTS,
        "description": st.none() | TEXTS,
        "source": st.none() | TEXTS,
        "author": st.none() | TEXTS,
        "license": TEXTS,
        "tags": st.lists(TEXTS, max_size=3),
        "trigger_phrases": st.lists(TEXTS, max_size=2),
        "hash": TEXTS,
        "blake3": st.none() | st.sampled_from(["ab" * 32, "abc" + "0" * 61]),
        "size": st.none() | st.integers(-1, 2**63),
        "last_used_at": st.none() | st.sampled_from([0, 1.5, 1_900_000_000]),
        "default_settings": st.none() | st.dictionaries(TEXTS, TEXTS | st.integers(), max_size=2),
        "revision": st.integers(0, 3),
        "colour": st.just("blue"),
    },
)
NUMERALS = st.integers(-(2**65), 2**65) | st.floats() | st.sampled_from([0, 1.5, 2, 2**63 - 1])
TERMS = st.builds(
    Term,
    st.sampled_from(sorted(set(Attribute) - NUMBERS)),
    st.sampled_from(Operator),
    TEXTS | st.sampled_from(["sd-1", "SD-2", "lora", "ab", "abc", "k"]) | NUMERALS,
) | st.builds(Term, st.sampled_from(sorted(NUMBERS)), st.sampled_from(Operator), NUMERALS)
SELECTORS: st.SearchStrategy[Selector] = st.recursive(
    TERMS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: And(tuple(parts)))
        | st.lists(inner, max_size=3).map(lambda parts: Or(tuple(parts)))
        | inner.map(Not)
    ),
    max_leaves=6,
)
USUAL = {"name": "ink", "type": "lora", "format": "lycoris", "base": "sdxl", "path": "ink"}


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """An empty database on a server of the test's own."""
    with private_server() as server:
        yield server.new_database()


class Stores(RuleBasedStateMachine):
    """A store is a dict: what can be asked of it is what its records say, after anything that was done.

    "Given a key and a configuration, this will add the model's configuration record to the database."
    """

    def __init__(self, service: ModelRecords) -> None:
        super().__init__()
        self.service = service
        for config in service.all_models():
            service.del_model(config.key)
        self.expected: dict[str, AnyModelConfig] = {}
        self.held: dict[str, AnyModelConfig] = {}

    @rule(key=KEYS, fields=FIELDS)
    def add(self, key: str, fields: dict[str, Any]) -> None:
        try:
            added = self.service.add_model(key, USUAL | fields)
        except DuplicateModelException:
            assert key in self.expected
        except InvalidModelConfigException:
            return
        else:
            assert key not in self.expected
            assert (added.key, added.revision) == (key, 1)
            self.expected[key] = added

    @rule(key=KEYS, fields=FIELDS)
    def merge(self, key: str, fields: dict[str, Any]) -> None:
        before = self.expected.get(key)
        try:
            changed = self.service.update_model(key, fields)
        except UnknownModelException:
            assert before is None
        except StaleConfigError:
            assert before is not None
            assert fields["revision"] != before.revision
        except InvalidModelConfigException:
            assert before is not None
        else:
            assert before is not None
            assert changed.revision == before.revision + 1
            self.expected[key] = changed

    @rule(key=KEYS)
    def hold(self, key: str) -> None:
        if self.service.exists(key):
            self.held[key] = self.service.get_model(key)

    @rule(key=KEYS, text=TEXTS)
    def hand_back(self, key: str, text: str) -> None:
        if key not in self.held:
            return
        config, before = self.held[key], self.expected.get(key)
        config.description = text.replace("\0", "")
        try:
            changed = self.service.update_model(key, config)
        except UnknownModelException:
            assert before is None
        except StaleConfigError:
            assert before is not None
            assert config.revision != before.revision
        else:
            assert before is not None
            assert config.revision == before.revision
            assert changed.description == config.description
            self.expected[key] = changed

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        try:
            self.service.del_model(key)
        except UnknownModelException:
            assert key not in self.expected
        else:
            del self.expected[key]

    @rule(selector=SELECTORS, order=st.sampled_from(Order), descending=st.booleans())
    def find(self, selector: Selector, order: Order, *, descending: bool) -> None:
        wanted = {key for key, config in self.expected.items() if matches(selector, config)}
        found = self.service.find(selector, order=order, descending=descending)
        assert {one.key for one in found} == wanted
        assert self.service.count(selector) == len(found) == len(wanted)
        page = self.service.find(selector, order=order, descending=descending, offset=1, limit=2)
        assert page == found[1:3]

    @rule(text=TEXTS, key=KEYS)
    def look_up(self, text: str, key: str) -> None:
        name = self.expected[key].name if key in self.expected else text
        everything = self.expected.values()
        named = [one.key for one in everything if one.name == name]
        assert sorted(one.key for one in self.service.search_by_name(name)) == sorted(named)
        located = [one.key for one in everything if one.path == text]
        try:
            assert [self.service.search_by_path(text).key] == located
        except ModelshelfError:
            assert len(located) != 1

    @invariant()
    def holds_what_a_dict_would(self) -> None:
        found = self.service.all_models()
        assert {one.key: one for one in found} == self.expected
        order = sorted(found, key=lambda one: (one.type, one.base, one.name, one.format, one.key))
        assert found == order


def run(service: ModelRecords) -> None:
    # It makes its machines by calling it, so whatever makes one will do.
    run_state_machine_as_test(partial(Stores, service))  # type: ignore[arg-type]


def test_a_sqlite_file_is_a_dict(tmp_path: Path) -> None:
    """Any sequence of changes and questions, on a file."""
    with ModelRecordServiceSQL.from_db_file(tmp_path / "records.db") as service:
        run(service)


def test_a_yaml_file_is_a_dict(tmp_path: Path) -> None:
    """Any sequence of changes and questions, on a person's file."""
    with ModelRecordServiceFile.from_db_file(tmp_path / "models.yaml") as service:
        run(service)


def test_a_server_is_a_dict(postgres: str) -> None:
    """Any sequence of changes and questions, on PostgreSQL."""
    with ModelRecordServiceSQL.from_url(postgres) as service:
        run(service)
