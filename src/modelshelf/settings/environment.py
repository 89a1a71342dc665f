"""The variables that name a setting."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from modelshelf.errors import InvalidSettingError
from modelshelf.settings.sources import Given

__all__ = ["read_environment"]

_PREFIX, _BELOW = "modelshelf_", "__"


def read_environment(names: Sequence[str], environ: Mapping[str, str]) -> Iterator[Given]:
    """Read the variables that name a setting; others that begin alike are somebody else's.

    `MODELSHELF_TRASH__DAYS` is `trash.days`, in capitals or not. A variable for a whole group of settings,
    such as `MODELSHELF_TRASH`, is JSON; those for one setting of the group count more.

    Args:
        names: The dotted names of all settings.
        environ: The environment. An empty variable is how many shells and containers say "not set".

    Raises:
        InvalidSettingError: A variable for a whole group of settings is not JSON.
    """
    variables = {name.lower(): value for name, value in environ.items() if value}
    tops = dict.fromkeys(name.partition(".")[0] for name in names)
    for top in tops:
        value = variables.get(_PREFIX + top)
        if top in names:
            if value is not None:
                yield _given(top, value)
            continue
        if value is not None:
            yield from _flattened(top, _parsed(top, value))
        begin = f"{_PREFIX}{top}{_BELOW}"
        for variable, below in variables.items():
            if variable.startswith(begin):
                yield _given(variable.removeprefix(_PREFIX).replace(_BELOW, "."), below)


def _parsed(group: str, text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError as error:
        # Not quoted: there may be a token in it.
        problem = "expected the settings below it as JSON"
        raise InvalidSettingError(setting=group, origin=_origin(group), problem=problem) from error
    return {} if value is None else value


def _flattened(name: str, value: object) -> Iterator[Given]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _flattened(f"{name}.{key}", below)
    else:
        yield _given(name, value)


def _given(name: str, value: object) -> Given:
    return Given(name, value, _origin(name))


def _origin(name: str) -> str:
    return f"environment `{(_PREFIX + name.replace('.', _BELOW)).upper()}`"
