"""Changing the settings file: one value at a time, at once, and with the comments that are in it."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from modelshelf.errors import InvalidSettingError
from modelshelf.settings.sources import Given, read_file
from modelshelf.settings.values import Settings

__all__ = ["SettingsFile", "is_secret"]

_PRIVATE = 0o600
_OTHERS = 0o077


def is_secret(name: str) -> bool:
    """Say whether the setting of that dotted name is a token."""
    return name.rpartition(".")[2] == "token"


class SettingsFile:
    """`ROOT/modelshelf.yaml`, to be changed.

    It is replaced whole or not at all, and only its owner can read it as long as a token is in it.

    Example:
        >>> file = SettingsFile(getfixture("tmp_path") / "modelshelf.yaml")
        >>> file.set("trash.days", "7")
        >>> file.set("civitai.token", "abc")
        >>> print(file.path.read_text().strip())
        trash:
          days: 7
        civitai:
          token: abc
        >>> oct(file.path.stat().st_mode & 0o777), file.unset("civitai.token")
        ('0o600', True)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        """Where it is, or would be."""

    def set(self, name: str, value: str) -> None:
        """Write down a value.

        Args:
            name: Dotted name of a setting.
            value: As a person writes it, such as `7`, `true` or `20M`.

        Raises:
            InvalidSettingError: There is no such setting, or it cannot have that value; nothing is written.
            OSError: The file cannot be written.
        """
        origin = f"value of `{name}`"
        if name == "root":
            problem = "the root says where this file is; give it by `--root` or `MODELSHELF_ROOT`"
            raise InvalidSettingError(setting=name, origin=origin, problem=problem)
        checked = Settings.load([Given("root", self.path.parent, "-"), Given(name, value, origin)])
        if name not in checked.names():
            problem = "it has settings below it; `shelf config show` lists them"
            raise InvalidSettingError(setting=name, origin=origin, problem=problem)
        document = self._read()
        *groups, leaf = name.split(".")
        place = document
        for group in groups:
            below = place.get(group)
            if not isinstance(below, MutableMapping):
                below = {}
                place[group] = below
            place = below
        # A path that looks like a number is a path.
        place[leaf] = _plain(value) if isinstance(checked.value(name), int) else value
        self._write(document)

    def unset(self, name: str) -> bool:
        """Take a value out, so that the default holds; return whether there was one.

        Raises:
            InvalidSettingError: There is no such setting.
            OSError: The file cannot be written.
        """
        if name not in Settings.names():
            Settings.load([Given("root", self.path.parent, "-"), Given(name, "", f"name `{name}`")])
        document = self._read()
        *groups, leaf = name.split(".")
        places = [document]
        for group in groups:
            below = places[-1].get(group)
            if not isinstance(below, MutableMapping):
                return False
            places.append(below)
        if leaf not in places[-1]:
            return False
        del places[-1][leaf]
        for group, above in zip(reversed(groups), reversed(places[:-1]), strict=True):
            if not above[group]:
                del above[group]
        self._write(document)
        return True

    @property
    def is_exposed(self) -> bool:
        """Whether a token is in the file and others on this machine can read it."""
        try:
            mode = self.path.stat().st_mode
        except OSError:
            return False
        return bool(mode & _OTHERS) and any(is_secret(each.name) for each in read_file(self.path))

    def _read(self) -> MutableMapping[str, object]:
        # Problems are told by whoever reads it for its values, with their lines.
        read_file(self.path)
        from ruamel.yaml import YAML  # noqa: PLC0415 - only who writes settings pays for it
        from ruamel.yaml.comments import CommentedMap  # noqa: PLC0415

        try:
            document = YAML(typ="rt").load(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            document = None
        return CommentedMap() if document is None else document

    def _write(self, document: MutableMapping[str, object]) -> None:
        from ruamel.yaml import YAML  # noqa: PLC0415 - as above

        yaml = YAML(typ="rt")
        yaml.preserve_quotes = True
        yaml.indent(mapping=2, sequence=4, offset=2)
        text = io.BytesIO()
        if document:
            yaml.dump(document, text)
        # Where it is a link into somebody's collection of settings, the link stays.
        target = self.path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.{uuid4().hex}")
        mode = _PRIVATE if _holds_secret(document) else _mode_of(target)
        try:
            descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(text.getvalue())
                stream.flush()
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            unfinished.replace(target)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            # The folder too, or a power cut can undo the rename.
            os.fsync(folder)
        finally:
            os.close(folder)


def _mode_of(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return _PRIVATE


def _holds_secret(document: Mapping[str, object], above: str = "") -> bool:
    return any(
        _holds_secret(value, f"{above}{name}.")
        if isinstance(value, Mapping)
        else value is not None and is_secret(f"{above}{name}")
        for name, value in document.items()
    )


def _plain(value: str) -> object:
    """Return what YAML would write without quotes: numbers and truth as such, everything else as text."""
    if value.casefold() in {"true", "false"}:
        return value.casefold() == "true"
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else value  # noqa: PLR2004 - 64 bits
