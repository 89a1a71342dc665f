from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from modelshelf.errors import ModelshelfError
from modelshelf.records.file_service import ModelRecordServiceFile
from modelshelf.records.yaml_document import parse_document
from modelshelf.records.yaml_edit import edit_record
from modelshelf.records.yaml_plain import read_plain
from modelshelf.records.yaml_record import read_record
from modelshelf.records.yaml_text import Plain, lines_of
from modelshelf.schema.config import parse_config

pytestmark = pytest.mark.property

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
    st.text("ab \n\t#:-'\"|>[]{}&*!%@,?~01.e_", max_size=12),
    st.sampled_from(["yes", "null", "1e5", "0x1", ".inf", "2020-01-01", "12:30", "<<", "=", "---"]),
)
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False), st.booleans(), st.none())
VALUES: st.SearchStrategy[Plain] = st.recursive(
    TEXTS | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["name", "path", "tags", "size", "default_settings", "author", "hash"])
RECORDS = st.dictionaries(NAMES, VALUES, min_size=1)
ORDER = ("name", "path", "hash", "author", "tags", "default_settings", "size")
LORA = {"name": "a", "type": "lora", "format": "lycoris", "base": "sd-1", "path": "a"}
KEYS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60
)


def same(one: Plain, other: Plain) -> bool:
    """Compare with the kinds of numbers: 1, 1.0 and true are equal in Python."""
    return repr(one) == repr(other)


class TestWriting:
    """What the program writes, ruamel reads as the same."""

    @given(KEYS, RECORDS)
    @example("k", {"name": "a\n\n  b\n"})
    @example("k", {"default_settings": {"x" * 2000: {"y" * 2000: [{"z" * 2000: 1}]}}})
    def test_a_record_is_read_as_it_was_written(self, key: str, fields: dict[str, Plain]) -> None:
        """Whatever text, number, list or mapping it holds."""
        read = read_record("".join(f"{line}\n" for line in lines_of(key, fields)))
        assert read.mistakes == ()
        assert read.key == key
        assert same(read.fields, fields)

    @given(records=st.dictionaries(KEYS, RECORDS, min_size=1, max_size=4), windows=st.booleans())
    def test_a_file_is_cut_where_its_records_begin(
        self, records: dict[str, dict[str, Plain]], *, windows: bool
    ) -> None:
        """Nothing in a value looks like the beginning of another record, and no character is lost."""
        end = "\r\n" if windows else "\n"
        text = end.join(
            [
                "# head",
                "",
                *(line for key, value in records.items() for line in lines_of(key, value)),
                "",
            ]
        )
        document = parse_document(text)
        assert document.mistakes == ()
        assert document.text() == text
        assert {key: each.record.fields for key, each in document.entries.items()} == records


SPELLED = st.one_of(
    st.text("ab1.'-:# e_0", max_size=8),
    TEXTS,
    st.sampled_from(
        ["'a''b'", "''", "true", "007", "1.50", "1_0", "-1", "12.", "a  b", "x:y", "é"]
    ),
)
LINES = st.one_of(
    st.builds("  {}: {}".format, st.sampled_from(["name", "tags", "y", "n0"]), SPELLED),
    st.builds("  {}:".format, st.sampled_from(["name", "tags"])),
    st.builds("    - {}".format, SPELLED),
    st.builds("{}".format, SPELLED),
)


class TestShortWay:
    """The program's own spelling is read without ruamel, as ruamel reads it."""

    @given(
        st.sampled_from(["ink:", "'1':", "a.b-c:", "12e3:", "yes:"]), st.lists(LINES, max_size=6)
    )
    @example("k:", ["  tags:", "    - a", "    - 'b'", "  name: 1.5"])
    @example("k:", ["  tags:"])
    @example("k:", ["  tags:", "  name: a"])
    @example("k:", ["  name: a", "    - b"])
    def test_the_short_way_says_what_the_long_way_says(self, key: str, lines: list[str]) -> None:
        """Or it says nothing."""
        text = "".join(f"{line}\n" for line in [key, *lines])
        short = read_plain(text)
        if short is not None:
            long = read_record(text)
            assert (short.key, short.lines, long.mistakes) == (long.key, long.lines, ())
            assert same(short.fields, long.fields)

    @given(
        st.dictionaries(
            NAMES, st.lists(TEXTS, min_size=1, max_size=3) | TEXTS | NUMBERS, min_size=1
        )
    )
    def test_the_short_way_reads_what_was_written_or_leaves_it(
        self, fields: dict[str, Plain]
    ) -> None:
        """The same with values as the program writes them."""
        text = "".join(f"{line}\n" for line in lines_of("k", fields))
        short = read_plain(text)
        assert short is None or same(short.fields, fields)


class TestEditing:
    """An edit says what is wanted, and leaves alone what does not change."""

    @given(RECORDS, RECORDS)
    def test_an_edit_arrives_at_what_is_wanted(
        self, before: dict[str, Plain], after: dict[str, Plain]
    ) -> None:
        """From any record to any other."""
        text = "".join(f"{line}\n" for line in lines_of("k", before))
        edited = read_record(edit_record(text, after, ORDER))
        assert edited.mistakes == ()
        assert edited.fields == after

    @given(RECORDS, RECORDS, st.data())
    def test_comments_and_blank_lines_survive(
        self, before: dict[str, Plain], after: dict[str, Plain], data: st.DataObject
    ) -> None:
        """Above each field stands a comment; all of them are there afterwards, in their order."""
        lines = ["k:"]
        for number, (name, value) in enumerate(before.items()):
            lines += [*data.draw(st.sampled_from([[], [""]])), f"  # comment {number}"]
            lines += lines_of(name, value, "  ")
        edited = edit_record("".join(f"{line}\n" for line in lines), after, ORDER)
        assert read_record(edited).fields == after
        comments = [line for line in edited.splitlines() if line.startswith("  # comment ")]
        assert comments == [f"  # comment {number}" for number in range(len(before))]

    @given(RECORDS)
    def test_no_change_changes_nothing(self, fields: dict[str, Plain]) -> None:
        """Character for character."""
        text = "".join(f"{line}\n" for line in lines_of("k", fields))
        assert edit_record(text, fields, ORDER) == text


class TestReading:
    """Whatever the file holds, it is read or refused, and never changed."""

    @given(st.text("ab: \n\t#-'\"|>[]{}&*!%@,?1\r", max_size=60))
    @settings(suppress_health_check=[HealthCheck.too_slow])
    def test_any_text_is_read_or_its_mistake_is_named(self, text: str) -> None:
        """With a line that the file has."""
        document = parse_document(text)
        lines = text.count("\n") + text.count("\r") + 2
        assert all(1 <= mistake.line <= lines for mistake in document.mistakes)
        assert document.mistakes or document.text() == text

    @given(content=st.binary(max_size=200), labelled=st.booleans())
    @settings(suppress_health_check=[HealthCheck.too_slow])
    def test_any_bytes_open_or_raise_a_typed_error(self, content: bytes, *, labelled: bool) -> None:
        """The file is as it was, unless it was empty."""
        label = b"__metadata__:\n  version: '3.2'\n" if labelled else b""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "models.yaml"
            path.write_bytes(label + content)
            try:
                store = ModelRecordServiceFile(path)
                store.all_models()
                store.add_model("new", LORA)
                store.del_model("new")
            except ModelshelfError:
                assert path.read_bytes() == label + content
            else:
                assert (label + content).rstrip() in path.read_bytes()


SETTINGS = st.dictionaries(
    st.text("abé: \n", min_size=1, max_size=5), TEXTS | st.integers(), max_size=3
)
CONFIGS = st.fixed_dictionaries(
    {
        "name": TEXTS.filter(bool),
        "type": st.just("main"),
        "format": st.sampled_from(["checkpoint", "diffusers"]),
        "bases": st.lists(st.sampled_from(["sd-1", "sd-2", "sdxl"]), min_size=1, unique=True),
        "path": TEXTS.filter(bool),
        "tags": st.lists(TEXTS.filter(bool), max_size=3, unique=True),
        "description": st.none() | TEXTS,
        "default_settings": st.none() | SETTINGS,
        "upcast_attention": st.booleans(),
        "hash": TEXTS,
        "size": st.none() | st.integers(0, 2**63 - 1),
    }
)


class TestService:
    """The store against a plain dict."""

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.none() | CONFIGS), max_size=8))
    @settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
    def test_any_sequence_of_changes_ends_where_a_dict_does(
        self, steps: list[tuple[str, dict[str, object] | None]]
    ) -> None:
        """Added, changed whole, deleted; and a store that is opened afterwards reads the same."""
        expected: dict[str, dict[str, object]] = {}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "models.yaml"
            store = ModelRecordServiceFile(path)
            for key, fields in steps:
                if fields is None and key in expected:
                    store.del_model(key)
                    del expected[key]
                elif fields is not None and key in expected:
                    changed = parse_config(
                        fields | {"key": key, "revision": store.get_model(key).revision}
                    )
                    expected[key] = store.update_model(key, changed).to_document()
                elif fields is not None:
                    expected[key] = store.add_model(key, fields).to_document()
            for each in (store, ModelRecordServiceFile(path)):
                assert {one.key: one.to_document() for one in each.all_models()} == expected
