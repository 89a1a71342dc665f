"""From one revision of a record to the next, the same in every store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from modelshelf.errors import StaleConfigError
from modelshelf.schema.config import ModelConfigBase, merge_config, parse_config
from modelshelf.schema.config_problems import invalid_config

if TYPE_CHECKING:
    from modelshelf.protocols import ConfigChange
    from modelshelf.schema.config import AnyModelConfig

__all__ = ["first_revision", "next_revision"]


def first_revision(key: str, config: ConfigChange, now: datetime) -> AnyModelConfig:
    """Return *config* as a store keeps it when it is added under *key*.

    Raises:
        InvalidModelConfigException: A field is wrong, or the key is empty.
    """
    given: Any = (
        config.model_dump(warnings=False) if isinstance(config, ModelConfigBase) else config
    )
    if not isinstance(given, Mapping):
        return parse_config(given)
    if not key:
        raise invalid_config(given.get("name"), [("key", "expected something, got nothing")])
    moment, created = now.timestamp(), given.get("created_at")
    return parse_config(
        {
            **given,
            "key": key,
            "revision": 1,
            "created_at": moment if created is None else created,
            "updated_at": moment,
        }
    )


def next_revision(current: AnyModelConfig, change: ConfigChange, now: datetime) -> AnyModelConfig:
    """Return what *current* becomes by *change*, as a store keeps it.

    Raises:
        StaleConfigError: *change* is based on an earlier revision than *current*.
        InvalidModelConfigException: What would come out is wrong, or has another key.
    """
    if isinstance(change, ModelConfigBase):
        changed = parse_config(change)
        # A record that no store has seen is the one that was added.
        _compare(current, changed.revision or 1)
        fields = _fields(changed)
        if changed.key not in {"", current.key}:
            problem = f"expected `{current.key}`, which never changes, got `{changed.key}`"
            raise invalid_config(current.name, [("key", problem)])
        if changed.created_at is None:
            fields["created_at"] = current.created_at
    else:
        given: Any = change
        if not isinstance(given, Mapping):
            # Which says what is wrong with it.
            return parse_config(given)
        wanted = dict(given)
        based_on = wanted.pop("revision", None)
        if type(based_on) is int:
            _compare(current, based_on)
        elif based_on is not None:
            problem = f"expected a whole number, got a {type(based_on).__name__}"
            raise invalid_config(current.name, [("revision", problem)])
        fields = _fields(merge_config(current, wanted))
    fields |= {
        "key": current.key,
        "revision": current.revision + 1,
        "updated_at": now.timestamp(),
    }
    return parse_config(fields)


def _fields(config: AnyModelConfig) -> dict[str, Any]:
    return config.model_dump()


def _compare(current: AnyModelConfig, based_on: int) -> None:
    if based_on != current.revision:
        raise StaleConfigError(key=current.key, expected=current.revision, got=based_on)
