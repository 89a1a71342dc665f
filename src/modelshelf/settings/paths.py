"""Paths as people write them into settings, each checked where it comes in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

__all__ = ["AbsolutePath", "ChosenPath", "PathBelowRoot", "SQLitePath", "WrittenPath"]


def _written(path: object) -> object:
    if path == "":
        message = "expected a path, not an empty text"
        raise ValueError(message)
    return path


def _absolute(path: Path) -> Path:
    # Not resolve(): a root that is reached through a link keeps the name that the user gave it.
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100


def _choosable(value: object) -> object:
    if value is not None and not isinstance(value, str | Path):
        message = "expected `auto`, `none` or a path"
        raise ValueError(message)
    # A settings file and a variable cannot say None otherwise.
    return None if isinstance(value, str) and value.casefold() == "none" else _written(value)


_Place = TypeVar("_Place", Path, Literal["auto"] | Path | None)


def _below_root(path: _Place, info: ValidationInfo) -> _Place:
    # A root that is wrong is told by itself; then nothing lies below it.
    root = info.data.get("root")
    if isinstance(root, Path) and isinstance(path, Path):
        return root / path.expanduser()
    return path


def _local(path: Path) -> Path:
    if ":/" in str(path):
        message = "expected the path of a SQLite file"
        raise ValueError(message)
    return path.expanduser()


WrittenPath: TypeAlias = Annotated[Path, BeforeValidator(_written), AfterValidator(Path.expanduser)]
"""A path that is not empty; `~` is the home folder."""

AbsolutePath: TypeAlias = Annotated[Path, BeforeValidator(_written), AfterValidator(_absolute)]
"""The same, counted from the folder that the program was started in."""

PathBelowRoot: TypeAlias = Annotated[Path, BeforeValidator(_written), AfterValidator(_below_root)]
"""The same, counted from the setting `root`, which stands before it."""

SQLitePath: TypeAlias = Annotated[Path, BeforeValidator(_written), AfterValidator(_local)]
"""The same, and no address of a database on a server."""

ChosenPath: TypeAlias = Annotated[
    Literal["auto"] | Path | None, BeforeValidator(_choosable), AfterValidator(_below_root)
]
"""A path below the root, `auto`, or None, which people write as `none`."""
