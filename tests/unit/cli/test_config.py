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
