"""The variables that name a setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsError
from pydantic_settings.sources.utils import parse_env_vars

from modelshelf.errors import InvalidSettingError
from modelshelf.settings.sources import Given

__all__ = ["read_environment"]


def read_environment(settings: type[BaseSettings], environ: Mapping[str, str]) -> list[Given]:
    """Read the variables that name a setting; others that begin alike are somebody else's.

    Args:
        settings: The class whose fields, prefix and nesting say which variables count.
        environ: The environment.

    Raises:
        InvalidSettingError: A variable for a whole group of settings is not JSON.
    """
    source = EnvSettingsSource(settings)
    source.env_vars = parse_env_vars(environ, case_sensitive=False, ignore_empty=True)
    try:
        values = source()
    except SettingsError as error:
        raise InvalidSettingError(
            setting="*", origin=f"environment `{source.env_prefix}*`", problem=str(error)
        ) from error
    return list(_given_by_environment(values, "", source.env_prefix))


def _given_by_environment(
    values: Mapping[str, object], above: str, variable: str
) -> Iterator[Given]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _given_by_environment(value, f"{above}{key}.", f"{variable}{key}__")
        else:
            yield Given(above + key, value, f"environment `{(variable + key).upper()}`")
