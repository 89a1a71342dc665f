from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.testing import tiny
from tests.unit.cli.conftest import Run


@pytest.fixture(autouse=True)
def model(run: Run, tmp_path: Path) -> Path:
    """Add one model under two names."""
    path = tiny.textual_inversion(tmp_path / "word.safetensors", base="sd-1")
    assert run("add", path).exit == 0
    assert run("add", path, "--name", "other").exit == 0
    return path


def shown(run: Run, name: str) -> dict[str, object]:
    document = json.loads(run("show", name, "--json").out)
    assert isinstance(document, dict)
    return document


def test_all_that_can_be_said_is_shown(run: Run) -> None:
    """What `edit` takes, `show` tells, to people and to programs."""
    said = {
        "description": "A word",
        "tags": ["a", "b c"],
        "author": "Jane Doe",
        "license": "mit",
        "trigger_phrases": ["<word>"],
    }
    words = ["--description", "A word", "--tag", "a", "--tag", "b c", "--author", "Jane Doe"]
    assert run("edit", "word", *words, "--license", "mit", "--trigger", "<word>").exit == 0
    assert said.items() <= shown(run, "word").items()
    text = run("show", "word").out
    for line in ("tags             a, b c", "trigger phrases  <word>", "author           Jane Doe"):
        assert line in text
    assert shown(run, "other")["tags"] == []


def test_tags_are_given_and_taken_one_by_one(run: Run) -> None:
    """The others stay, in their order; upper and lower case are one tag, as in a selector."""
    run("edit", "word", "--tag", "a", "--tag", "Ink", "--tag", "z")
    assert run("edit", "word", "--tag", "INK", "--untag", "A", "--untag", "never").exit == 0
    assert shown(run, "word")["tags"] == ["Ink", "z"]
    run("edit", "word", "--trigger", "x", "--trigger", "y")
    run("edit", "word", "--untrigger", "x")
    assert shown(run, "word")["trigger_phrases"] == ["y"]


def test_an_empty_text_takes_a_text_away(run: Run) -> None:
    """But a name is never empty."""
    run("edit", "word", "--author", "Jane Doe", "--license", "mit", "--description", "A word")
    assert run("edit", "word", "--author", "", "--license", "", "--description", "").exit == 0
    after = shown(run, "word")
    assert (after["author"], after["license"], after["description"]) == ("", "", "")
    assert run("edit", "word", "--name", "").exit == 2


def test_a_new_name_moves_the_links(run: Run, tmp_path: Path) -> None:
    """The file that people see is called as the model is, and the key stays."""
    key = shown(run, "word")["key"]
    assert run("edit", "word", "--name", "verb", "-q").out.split() == [key]
    assert run("show", "word").exit == 4
    assert shown(run, "verb")["key"] == key
    links = [path.name for path in (tmp_path / "library" / "models").glob("sd-1/*/*")]
    assert sorted(links) == ["other.safetensors", "verb.safetensors"]


@pytest.mark.parametrize("dry_run", [["--dry-run"], []])
def test_the_name_of_the_same_content_is_refused(run: Run, dry_run: list[str]) -> None:
    """It would be one model twice; a dry run foresees it."""
    done = run("edit", "word", "--name", "other", *dry_run)
    assert done.exit == 6
    assert shown(run, "word")["name"] == "word"


def test_the_name_of_the_same_content_from_elsewhere_is_given(
    run: Run, model: Path, tmp_path: Path
) -> None:
    """Two sources of one content may be called alike, and a dry run says so, too."""
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(model.read_bytes())
    assert run("add", copy).exit == 0
    planned = run("edit", "copy", "--name", "word", "--dry-run")
    assert (planned.exit, planned.out) == (0, "would edit  word  name: word\n")
    assert run("edit", "copy", "--name", "word").exit == 0


def test_a_dry_run_changes_nothing(run: Run) -> None:
    """It says what would be said, field by field, before and after."""
    done = run("edit", "word", "--tag", "a", "--author", "Jane Doe", "--dry-run", "--json")
    document = json.loads(done.out)
    assert document["dry_run"] is True
    (edited,) = document["would_edit"]
    assert edited["changes"] == {
        "author": {"before": None, "after": "Jane Doe"},
        "tags": {"before": [], "after": ["a"]},
    }
    assert shown(run, "word")["tags"] == []


def test_several_models_are_edited_and_some_may_fail(run: Run) -> None:
    """The others are done: exit 3, and the failure is told."""
    done = run("edit", "word", "nobody", "other", "--tag", "a", "--json")
    document = json.loads(done.out)
    assert done.exit == 3
    assert [each["name"] for each in document["edited"]] == ["word", "other"]
    assert [each["code"] for each in document["failed"]] == ["model-unknown"]


def test_what_is_said_already_is_no_change(run: Run) -> None:
    """The record keeps its revision."""
    run("edit", "word", "--tag", "a")
    assert run("edit", "word", "--tag", "a").out == "unchanged  word\n"


@pytest.mark.parametrize(
    "words",
    [
        ["word"],
        ["word", "other", "--name", "x"],
        ["word", "--tag", "a", "--untag", "A"],
        ["--tag", "a"],
        ["word", "--description", "x" * 100_001],
        ["word", "--tag", ""],
    ],
    ids=["nothing", "one name for two", "both", "no model", "too long", "empty tag"],
)
def test_what_makes_no_sense_is_exit_2(run: Run, words: list[str]) -> None:
    """Nothing is done, and the error says what to do."""
    done = run("edit", *words)
    assert done.exit == 2
    assert "hint:" in done.err
    assert len(done.err) < 1_000
