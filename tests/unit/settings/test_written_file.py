"""Settings that are written for a person, into a file that is the person's."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf import Settings
from modelshelf.errors import InvalidSettingError
from modelshelf.settings.written_file import SettingsFile

MINE = """\
# my library
trash:
  days: 3  # short
offline: false
"""


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "modelshelf.yaml")


def test_comments_stay(file: SettingsFile) -> None:
    """Only the value changes, and the order stays."""
    file.path.write_text(MINE)
    file.set("trash.days", "9")
    file.set("offline", "True")
    assert file.path.read_text() == MINE.replace("3", "9").replace("false", "true")


def test_a_value_that_cannot_be_is_not_written(file: SettingsFile) -> None:
    """Nor a name that is none; the file stays as it was."""
    file.path.write_text(MINE)
    for name, value in (("trash.days", "soon"), ("trash.day", "3"), ("trash", "3"), ("root", "/")):
        with pytest.raises(InvalidSettingError):
            file.set(name, value)
    with pytest.raises(InvalidSettingError):
        file.unset("trash.day")
    assert file.path.read_text() == MINE
    assert [path.name for path in file.path.parent.iterdir()] == ["modelshelf.yaml"]


def test_a_token_makes_the_file_its_owners_alone(file: SettingsFile) -> None:
    """Whatever its mode was; without one the mode stays."""
    file.path.write_text(MINE)
    file.path.chmod(0o644)
    file.set("trash.days", "4")
    assert file.path.stat().st_mode & 0o777 == 0o644
    file.set("hugging_face.token", "12345678")
    assert file.path.stat().st_mode & 0o777 == 0o600
    environ = {"MODELSHELF_ROOT": str(file.path.parent)}
    token = Settings.load(environ=environ).hugging_face.token
    assert token is not None
    assert token.get_secret_value() == "12345678"
    assert not file.is_exposed
    file.path.chmod(0o640)
    assert file.is_exposed


def test_unset_brings_the_default_back(file: SettingsFile) -> None:
    """A group that has nothing left goes with its last value."""
    file.path.write_text(MINE)
    assert file.unset("trash.days")
    assert not file.unset("trash.days")
    assert "trash" not in file.path.read_text()
    assert "offline" in file.path.read_text()


def test_a_link_stays_a_link(file: SettingsFile, tmp_path: Path) -> None:
    """Somebody keeps all settings in one place."""
    kept = tmp_path / "dotfiles" / "shelf.yaml"
    kept.parent.mkdir()
    kept.write_text(MINE)
    file.path.symlink_to(kept)
    file.set("trash.days", "5")
    assert file.path.is_symlink()
    assert "days: 5" in kept.read_text()


@pytest.mark.parametrize(
    "value",
    [
        "yes",
        "null",
        "0x1f",
        "1e5",
        "007",
        "# no comment",
        "a: b",
        "it's",
        'say "x"',
        "- a",
        "{",
        "é",
        "&a",
    ],
)
def test_every_text_is_read_as_it_was_written(file: SettingsFile, value: str) -> None:
    """Whatever YAML would make of it without quotes."""
    file.set("hugging_face.token", value)
    file.set("models_dir", value)
    settings = Settings.load(environ={"MODELSHELF_ROOT": str(file.path.parent)})
    assert settings.hugging_face.token is not None
    assert settings.hugging_face.token.get_secret_value() == value
    assert str(settings.models_dir) == value
