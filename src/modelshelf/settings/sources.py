"""The places that a setting can come from, each read into the same shape and nothing checked yet.

Needs no pydantic: shell completion reads the root from here, and a shell does not wait.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from modelshelf.errors import InvalidSettingError

__all__ = [
    "FILE_NAME",
    "FLAGS",
    "Given",
    "read_attributes",
    "read_file",
    "read_flags",
]

FILE_NAME = "modelshelf.yaml"
"""The settings file, at the top of the root."""

FLAGS: Mapping[str, str] = {
    "--root": "root",
    "--models-dir": "models_dir",
    "--database": "database",
    "--model-config-db": "model_config_db",
    "--conf-path": "conf_path",
    "--trash-days": "trash.days",
    "--convert": "convert",
    "--full-precision": "full_precision",
    "--offline": "offline",
    "--download-parallel": "download.parallel",
    "--download-connections": "download.connections",
    "--download-connections-per-host": "download.connections_per_host",
    "--download-rate": "download.rate",
    "--download-rate-per-host": "download.rate_per_host",
    "--download-private-addresses": "download.private_addresses",
    "--download-cache-size": "download.cache_size",
    "--hf-endpoint": "hugging_face.endpoint",
    "--hf-token-path": "hugging_face.token_path",
    "--hf-implicit-token": "hugging_face.implicit_token",
    "--hf-cache": "hugging_face.cache",
    "--hf-offline": "hugging_face.offline",
    "--civitai-endpoint": "civitai.endpoint",
}
"""Flag → dotted name of the setting that it gives. Tokens have none: everybody on the machine sees flags."""


@dataclass(frozen=True, slots=True)
class Given:
    """One value, as somebody wrote it."""

    name: str
    """Dotted name, such as `trash.days`."""
    value: object
    """Not yet checked."""
    origin: str
    """Who gave it, in words that say where to correct it."""


def read_file(path: Path) -> tuple[Given, ...]:
    """Read the settings file; a file that does not exist gives nothing.

    Args:
        path: `ROOT/modelshelf.yaml`.

    Returns:
        Its values in file order, each with its line.

    Raises:
        InvalidSettingError: The file cannot be read, or is not a YAML mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        # A root that is no folder is refused by whoever opens it.
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettingError(
            setting="*", origin=f"file `{path}`", problem=f"cannot read it: {error}"
        ) from error
    return _parse(text, path)


def _parse(text: str, path: Path) -> tuple[Given, ...]:
    # Only who has a settings file pays for the YAML parser.
    from ruamel.yaml import YAML  # noqa: PLC0415
    from ruamel.yaml.comments import CommentedMap  # noqa: PLC0415
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415

    try:
        document: object = YAML(typ="rt").load(text)
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        problem = error.problem if isinstance(error, MarkedYAMLError) else str(error)
        raise InvalidSettingError(
            setting="*",
            origin=_origin(path, mark.line if mark else 0),
            problem=f"not valid YAML: {problem}",
        ) from error
    if document is None:
        return ()
    if not isinstance(document, CommentedMap):
        raise InvalidSettingError(
            setting="*", origin=_origin(path, 0), problem="expected `name: value` lines"
        )
    return tuple(_flatten(document, path, ""))


def _flatten(mapping: Mapping[object, object], path: Path, prefix: str) -> list[Given]:
    given: list[Given] = []
    for key, value in mapping.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            given += _flatten(value, path, name + ".")
        elif value is not None:  # `name:` alone, its value commented out, gives nothing
            # `lc` is ruamel's record of line and column; it has no types.
            line: int = mapping.lc.key(key)[0]  # type: ignore[attr-defined]
            given.append(Given(name, value, _origin(path, line)))
    return given


def _origin(path: Path, line: int) -> str:
    return f"file `{path}`, line {line + 1}"


class _Parser(argparse.ArgumentParser):
    """A parser that raises instead of ending the program that it is a guest in."""

    def error(self, message: str) -> NoReturn:
        flag = next((word for word in FLAGS if word in message), "--root")
        raise InvalidSettingError(setting=FLAGS[flag], origin=f"flag `{flag}`", problem=message)


def read_flags(arguments: Sequence[str]) -> tuple[tuple[Given, ...], list[str]]:
    """Pick modelshelf's flags out of a command line that may hold others.

    Args:
        arguments: Words after the program's name. Flags that are not modelshelf's are left alone,
            because the program around it has its own.

    Returns:
        The values, and the words that were not used.

    Raises:
        InvalidSettingError: A flag of modelshelf's has no value.
    """
    # Abbreviations off, or `--root` would swallow another program's `--rootdir`.
    parser = _Parser(add_help=False, allow_abbrev=False)
    for flag, name in FLAGS.items():
        parser.add_argument(flag, dest=name)
    values, rest = parser.parse_known_args(list(arguments))
    given = [
        Given(name, value, f"flag `{flag}`")
        for flag, name in FLAGS.items()
        if (value := getattr(values, name)) is not None
    ]
    return tuple(given), rest


def read_attributes(config: object) -> list[Given]:
    """Read the paths that a host program's configuration object carries.

    Args:
        config: Any object with `root_path`; `models_path` and `db_path` count where they exist.

    Raises:
        InvalidSettingError: The object has no `root_path`.
    """
    origin = f"attribute of `{type(config).__name__}`"
    root = getattr(config, "root_path", None)
    if root is None:
        raise InvalidSettingError(
            setting="root", origin=origin, problem="expected an object with `root_path`"
        )
    given = [Given("root", root, origin)]
    if (models := getattr(config, "models_path", None)) is not None:
        given.append(Given("models_dir", models, origin))
    if (database := getattr(config, "db_path", None)) is not None:
        path = Path(database)
        # That file holds the host's own tables; the specification's database is its neighbour.
        own = path.with_name("models.db") if path.name == "invokeai.db" else path
        given.append(Given("database", own, origin))
    return given
