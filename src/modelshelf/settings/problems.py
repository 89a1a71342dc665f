"""What is wrong with a setting, said so that a person can correct it where it was written."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from pydantic import ValidationError

from modelshelf.errors import InvalidSettingError
from modelshelf.schema.address_secrets import bare_address
from modelshelf.settings.sources import Given

__all__ = ["refuse_root", "setting_error"]


def refuse_root(given: Iterable[Given]) -> None:
    """Check that the settings file, which lies in the root, does not name another root.

    Raises:
        InvalidSettingError: It does.
    """
    for each in given:
        if each.name == "root":
            raise InvalidSettingError(
                setting="root",
                origin=each.origin,
                problem="the root says where this file is; give it by `--root` or `MODELSHELF_ROOT`",
            )


def setting_error(
    error: ValidationError, given: Mapping[str, Given], names: Sequence[str]
) -> InvalidSettingError:
    """Say the first problem of a validation in the words of whoever wrote the value.

    Args:
        error: What pydantic found.
        given: The values, by dotted name.
        names: All settings, for "did you mean".
    """
    first = error.errors(include_url=False)[0]
    name = ".".join(str(step) for step in first["loc"])
    below = (each for each in given.values() if each.name.startswith(name + "."))
    source = given.get(name) or next(below, Given(name, first["input"], "argument"))
    return InvalidSettingError(
        setting=source.name,
        origin=source.origin,
        problem=_problem(
            first["type"],
            first["msg"],
            _shown(source.name, first["input"], names),
            _nearest(source.name, names),
        ),
    )


def _shown(name: str, value: object, names: Sequence[str]) -> object:
    """Return what to quote of a value: a secret stays one even where it cannot be."""
    if "token" in name.split(".") or f"{name}.token" in names:
        return "a secret"
    # People write passwords and tokens into addresses.
    return bare_address(value) if isinstance(value, str) else value


def _nearest(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    groups = dict.fromkeys(name.partition(".")[0] for name in names)
    return f"did you mean `{near[0]}`?" if near else f"expected one of {', '.join(groups)}"


def _problem(kind: str, message: str, got: object, remedy: str) -> str:
    if kind == "extra_forbidden":
        return f"no setting has this name; {remedy}"
    if kind == "model_type":
        return f"expected settings below it, such as `days: 30`, got `{got}`"
    if kind == "path_type":
        return f"expected a path, got `{got}`"
    expected = message.removeprefix("Value error, ").replace("Input should be", "expected", 1)
    return f"{expected.partition(', unable')[0]}, got `{got}`"
