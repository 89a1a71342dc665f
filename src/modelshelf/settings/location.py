"""Where the library is when nobody has read the settings yet."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_data_path

from modelshelf.errors import InvalidSettingError
from modelshelf.settings.sources import FILE_NAME, read_file

__all__ = ["DATABASE", "database_path", "default_root", "library_root"]

DATABASE = Path("databases/models.db")
"""The database, relative to the root, where no setting says otherwise."""


def default_root() -> Path:
    """Return the folder of this user's library where no flag or variable names one."""
    return user_data_path("modelshelf", appauthor=False)


def library_root(root: str | None, environ: Mapping[str, str] | None = None) -> Path:
    """Find the library's folder the quick way, whether it exists or not.

    Args:
        root: What `--root` gave; None where it was not given.
        environ: The environment; that of this process when left out.
    """
    variables = os.environ if environ is None else environ
    named = root or variables.get("MODELSHELF_ROOT")
    return Path(named).expanduser().absolute() if named else default_root()


def database_path(root: str | None, environ: Mapping[str, str] | None = None) -> Path:
    """Find the database the quick way, for shell completion: nothing is checked, nothing refused.

    Equals `Settings.load(...).db_path` wherever that can be read; a test holds the two together.

    Args:
        root: What `--root` gave; None where it was not given.
        environ: The environment; that of this process when left out.
    """
    variables = os.environ if environ is None else environ
    folder = library_root(root, variables)
    database = variables.get("MODELSHELF_DATABASE") or _from_file(folder / FILE_NAME)
    return folder / (Path(database).expanduser() if database else DATABASE)


def _from_file(path: Path) -> str | None:
    try:
        given = read_file(path)
    except InvalidSettingError:
        return None
    return next((str(each.value) for each in given if each.name == "database"), None)
