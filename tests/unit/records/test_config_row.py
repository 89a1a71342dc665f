from __future__ import annotations

import json

import pytest

from modelshelf.errors import InvalidModelConfigException
from modelshelf.records.config_row import parsed_config, row_of
from modelshelf.records.config_tables import model_config
from modelshelf.schema.config import parse_config
from modelshelf.testing.record_service_case import lora

KEY = "f13dd932c0c35c22dcb8d6cda4203764"
INK = parse_config(lora(name="Ink", key=KEY, author="", tags=["line art"]))


def text_of(**changes: object) -> str:
    """Write what the row of `INK` keeps, with *changes* made past the program."""
    return json.dumps(json.loads(str(row_of(INK)["config"])) | changes)


def refusal(text: str) -> str:
    with pytest.raises(InvalidModelConfigException) as caught:
        parsed_config(KEY, text)
    return str(caught.value)


def test_a_row_brings_its_record_back() -> None:
    """In the same class, with every field, and nothing that the table has no column for."""
    row = row_of(INK)
    assert parsed_config(KEY, str(row["config"])) == INK
    assert set(row) == {column.name for column in model_config.c} - {"id", "hidden"}


def test_what_is_searched_is_folded_and_empty_text_is_none() -> None:
    """Databases do not agree on what is the same letter, and nobody searches for an author without name."""
    row = row_of(INK)
    assert (row["name"], row["folded_name"], row["folded_author"]) == ("Ink", "ink", None)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000], ids=["empty", "open", "deep"])
def test_a_row_without_json_is_named_by_its_key(text: str) -> None:
    """Somebody wrote past the program, and only the key says where."""
    assert KEY in refusal(text)
    assert "expected the JSON that this program writes" in refusal(text)


def test_a_row_under_the_key_of_another_is_refused() -> None:
    """Whoever changed it would look for a row that is not there."""
    assert f"expected `{KEY}`, got `other`" in refusal(text_of(key="other"))


def test_a_row_of_no_class_names_field_and_key() -> None:
    """What stands in the row may have no name of its own."""
    told = refusal(text_of(name=None, model_type="spoon"))
    assert KEY in told
    assert "model_type" in told
