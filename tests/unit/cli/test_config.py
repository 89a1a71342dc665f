from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from modelshelf import Settings
from modelshelf.settings.location import database_path
from tests.unit.cli.conftest import Run


def test_every_setting_is_listed_with_its_origin(run: Run, tmp_path: Path) -> None:
    """`config show --origin` tells a flag from a default."""
    shown = run("config", "show", "--origin", "--json")
    listed = {each["name"]: (each["value"], each["origin"]) for each in json.loads(shown.out)}
    assert tuple(listed) == Settings.names()
    assert listed["root"] == (str(tmp_path / "library"), "flag `--root`")
    assert listed["trash.days"] == ("30", "default")


def test_settings_are_a_table_for_people(run: Run) -> None:
    """Without `--origin` only names and values."""
    lines = run("config", "show").out.splitlines()
    assert re.split(" +", lines[0]) == ["SETTING", "VALUE"]
    assert ["trash.days", "30"] in [re.split(" +", line) for line in lines]
    assert "ORIGIN" in run("config", "show", "--origin").out


def test_quiet_lists_names_alone(run: Run) -> None:
    """Keys of settings are their names."""
    assert tuple(run("config", "show", "-q").out.split()) == Settings.names()


def test_path_is_where_the_file_would_be(run: Run, tmp_path: Path) -> None:
    """The file need not exist to be found."""
    expected = str(tmp_path / "library" / "modelshelf.yaml")
    assert run("config", "path").out == expected + "\n"
    assert json.loads(run("config", "path", "--json").out) == {"path": expected, "exists": False}


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("", {}),
        ("database: elsewhere.db\n", {}),
        ("trash: {days: 3}\n", {"MODELSHELF_DATABASE": "/var/lib/models.db"}),
        ("", {"MODELSHELF_DATABASE": "~/models.db"}),
    ],
)
def test_completion_looks_where_the_settings_say(
    tmp_path: Path, text: str, variables: dict[str, str]
) -> None:
    """The quick way to the database gives what the whole settings give."""
    (tmp_path / "modelshelf.yaml").write_text(text)
    environ = {"MODELSHELF_ROOT": str(tmp_path), **variables}
    assert database_path(None, environ) == Settings.load(environ=environ).db_path
    assert database_path(str(tmp_path), variables) == Settings.load(environ=environ).db_path


def test_completion_survives_a_broken_settings_file(tmp_path: Path) -> None:
    """Nobody is told of errors while typing; the default is looked at."""
    (tmp_path / "modelshelf.yaml").write_text("a: [")
    assert database_path(str(tmp_path), {}) == tmp_path / "databases" / "models.db"


def test_a_setting_is_written_and_taken_back(run: Run, tmp_path: Path) -> None:
    """`set` tells what holds now, `unset` what holds again."""
    assert run("config", "set", "trash.days", "7").out == "trash.days  7\n"
    assert run("config", "show", "--json").out.count('"7"') == 1
    assert json.loads(run("config", "unset", "trash.days", "--json").out)["value"] == "30"
    assert "was not in" in run("config", "unset", "trash.days").err
    assert run("config", "set", "trash.days", "soon").exit == 2
    assert "did you mean `trash.days`" in run("config", "set", "trash.day", "7").err
    assert run("config", "set", "trash.days").exit == 2
    assert not [path for path in (tmp_path / "library").iterdir() if path.name.startswith(".")]


def test_a_wrong_setting_can_be_corrected(run: Run, tmp_path: Path) -> None:
    """Though every other verb refuses it."""
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "modelshelf.yaml").write_text("trash: {days: soon}\n")
    assert run("config", "show").exit == 2
    assert run("config", "set", "trash.days", "7").exit == 0
    assert run("config", "show").exit == 0


def test_a_token_is_taken_unseen_and_never_shown(run: Run, tmp_path: Path) -> None:
    """From a pipe or a prompt; the file is its owner's alone, and who opened it is warned."""
    for words in (("hugging_face.token",), ("civitai.token", "-")):
        done = run("config", "set", *words, given="t0ken\n")
        assert (done.exit, done.out) == (0, f"{words[0]}  **********\n")
    file = tmp_path / "library" / "modelshelf.yaml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "t0ken" in file.read_text()
    shown = run("config", "show", "--origin")
    assert "t0ken" not in shown.out + shown.err
    assert "warning" not in shown.err
    file.chmod(0o644)
    assert "others can read it" in run("config", "show").err
    assert run("config", "set", "civitai.token", given="\n").exit == 2


def test_what_counts_more_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that is written and does not hold would puzzle."""
    monkeypatch.setenv("MODELSHELF_TRASH__DAYS", "5")
    done = run("config", "set", "trash.days", "7")
    assert done.out == "trash.days  5\n"
    assert "MODELSHELF_TRASH__DAYS" in done.err
