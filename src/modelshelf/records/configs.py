"""Reading and writing the rows of one record, inside whatever transaction the caller has open.

These functions know no engine, begin nothing and commit nothing: the record service calls them, and so does
whoever changes a library's own tables and the record of the model in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from modelshelf.errors import DuplicateKeyError
from modelshelf.records.config_row import parsed_config, row_of, storable
from modelshelf.records.config_tables import (
    model_config,
    model_config_base,
    model_config_hash,
    model_config_tag,
)
from modelshelf.schema.selector_matching import folded

if TYPE_CHECKING:
    from modelshelf.schema.config import AnyModelConfig

__all__ = [
    "config_texts",
    "delete_configs",
    "enter_file_hashes",
    "enter_use",
    "has_config",
    "hide_configs",
    "insert_configs",
    "last_use",
    "read_config",
    "update_config",
    "update_configs",
]

_AT_ONCE = 500
"""Values in one statement; older SQLite takes 999."""
_UPDATE = update(model_config).where(model_config.c.key == bindparam("changed"))

_T = TypeVar("_T")


def read_config(
    connection: Connection, key: str, *, to_change: bool = False, hidden: bool = False
) -> AnyModelConfig | None:
    """Return the record under *key*; None where there is none.

    Args:
        connection: Its transaction is the moment that is read.
        key: The whole key.
        to_change: Nobody else changes it from now to the end of the transaction.
        hidden: Read it even if its model lies in the trash.
    """
    if not storable(key):
        return None
    wanted = select(model_config.c.key, model_config.c.config).where(model_config.c.key == key)
    if not hidden:
        wanted = wanted.where(model_config.c.hidden.is_(False))
    if to_change:
        # SQLite has no such thing and needs none: who writes is alone from the beginning.
        wanted = wanted.with_for_update()
    row = connection.execute(wanted).one_or_none()
    return None if row is None else parsed_config(row.key, row.config)


def config_texts(connection: Connection, keys: Iterable[str]) -> dict[str, str]:
    """Return key → what the row keeps for `parsed_config`, of those records that are there, hidden or not."""
    wanted = select(model_config.c.key, model_config.c.config)
    found: dict[str, str] = {}
    for some in _batches(keys):
        rows = connection.execute(wanted.where(model_config.c.key.in_(some)))
        found.update((key, text) for key, text in rows)
    return found


def has_config(connection: Connection, key: str) -> bool:
    """Say whether there is a record under *key* that is not hidden."""
    wanted = select(model_config.c.id).where(
        model_config.c.key == key, model_config.c.hidden.is_(False)
    )
    return storable(key) and connection.execute(wanted).first() is not None


def insert_configs(
    connection: Connection, configs: Sequence[AnyModelConfig], *, hidden: bool = False
) -> None:
    """Enter records whose keys are new, each under the key that it has.

    Args:
        connection: On an error, roll its transaction back.
        configs: As they shall be kept, revision and times included.
        hidden: Their models lie in the trash.

    Raises:
        DuplicateKeyError: Two have the same key, or one has that of a record that is there, hidden or not.
    """
    taken = _names(connection, [config.key for config in configs])
    seen: dict[str, str] = {}
    for config in configs:
        if config.key in taken or config.key in seen:
            name = taken.get(config.key) or seen[config.key]
            raise DuplicateKeyError(wanted=config.key, count=2, matches=f"`{name}`")
        seen[config.key] = config.name
    # In one order, so that two who add the same keys at once never wait for each other.
    for some in _batches(sorted(configs, key=lambda config: config.key)):
        try:
            connection.execute(
                insert(model_config), [row_of(one) | {"hidden": hidden} for one in some]
            )
        except IntegrityError as error:
            # Between the look and the insert somebody else was quicker, on PostgreSQL.
            keys = ", ".join(one.key for one in some)
            raise DuplicateKeyError(wanted=keys, count=2, matches="another record") from error
        _enter_lists(connection, some)


def update_config(connection: Connection, config: AnyModelConfig) -> None:
    """Let the record under the key of *config*, which must be there, be *config*.

    Whether it is hidden stays, and so do hashes that `enter_file_hashes` entered.
    """
    update_configs(connection, [config])


def update_configs(connection: Connection, configs: Iterable[AnyModelConfig]) -> None:
    """Do as `update_config` for many, each once."""
    for some in _batches(configs):
        connection.execute(_UPDATE, [row_of(config) | {"changed": config.key} for config in some])
        ids = list(_ids(connection, [config.key for config in some]).values())
        for table in (model_config_base, model_config_tag):
            connection.execute(delete(table).where(table.c.config_id.in_(ids)))
        _forget_hashes(connection, ids, is_own=True)
        _enter_lists(connection, some)


def last_use(connection: Connection, key: str) -> tuple[bool, float | None]:
    """Say whether there is a record under *key*, and when its model was used last; None for never."""
    wanted = select(model_config.c.last_used_at).where(
        model_config.c.key == key, model_config.c.hidden.is_(False)
    )
    row = connection.execute(wanted).one_or_none() if storable(key) else None
    return row is not None, None if row is None else row.last_used_at


def enter_use(connection: Connection, config: AnyModelConfig, moment: float) -> None:
    """Note when the model of *config* was used, which is no change of its record: the revision stays."""
    used = config.model_copy(update={"last_used_at": moment})
    row = row_of(used)
    connection.execute(
        update(model_config)
        .where(model_config.c.key == config.key)
        .values(last_used_at=moment, config=row["config"])
    )


def delete_configs(connection: Connection, keys: Iterable[str]) -> int:
    """Forget the records under these keys, hidden or not; return how many there were."""
    gone = 0
    for some in _batches(key for key in keys if storable(key)):
        ids = list(_ids(connection, some, to_change=True).values())
        for table in (model_config_base, model_config_tag, model_config_hash):
            connection.execute(delete(table).where(table.c.config_id.in_(ids)))
        connection.execute(delete(model_config).where(model_config.c.id.in_(ids)))
        gone += len(ids)
    return gone


def hide_configs(connection: Connection, keys: Iterable[str], *, hidden: bool) -> None:
    """Let records be found no longer, because their models lie in the trash; or be found again."""
    for some in _batches(keys):
        connection.execute(
            update(model_config).where(model_config.c.key.in_(some)).values(hidden=hidden)
        )


def enter_file_hashes(connection: Connection, hashes: Mapping[str, Iterable[str]]) -> None:
    """Let records be found by the hashes of their models' files too, besides those that they say themselves.

    Args:
        connection: An open transaction.
        hashes: Key of a record that is there → lower-case hexadecimal digits, which take the place of those
            that were entered before.
    """
    for some in _batches(hashes):
        ids = _ids(connection, some)
        wanted = {ids[key]: list(dict.fromkeys(hashes[key])) for key in some}
        known = _file_hashes(connection, list(wanted))
        changed = [own for own, digits in wanted.items() if known.get(own, []) != digits]
        if not changed:
            continue
        _forget_hashes(connection, changed, is_own=False)
        rows = [
            {"config_id": own, "is_own": False, "position": position, "hash": digits}
            for own in changed
            for position, digits in enumerate(wanted[own])
        ]
        if rows:
            connection.execute(insert(model_config_hash), rows)


def _file_hashes(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    rows = connection.execute(
        select(model_config_hash.c.config_id, model_config_hash.c.hash)
        .where(model_config_hash.c.config_id.in_(ids), model_config_hash.c.is_own.is_(False))
        .order_by(model_config_hash.c.config_id, model_config_hash.c.position)
    )
    for own, digits in rows:
        found.setdefault(own, []).append(digits)
    return found


def _forget_hashes(connection: Connection, ids: Sequence[int], *, is_own: bool) -> None:
    connection.execute(
        delete(model_config_hash).where(
            model_config_hash.c.config_id.in_(ids), model_config_hash.c.is_own.is_(is_own)
        )
    )


def _enter_lists(connection: Connection, configs: Sequence[AnyModelConfig]) -> None:
    ids = _ids(connection, [config.key for config in configs])
    rows: dict[Table, list[dict[str, object]]] = {
        model_config_base: [
            {"config_id": ids[config.key], "base": base.value}
            for config in configs
            for base in config.bases
        ],
        model_config_tag: [
            {"config_id": ids[config.key], "position": position, "folded_tag": folded(tag)}
            for config in configs
            for position, tag in enumerate(config.tags)
        ],
        model_config_hash: [
            {
                "config_id": ids[config.key],
                "is_own": True,
                "position": position,
                "hash": folded(digits),
            }
            for config in configs
            for position, digits in enumerate(config.hashes)
        ],
    }
    for table, entries in rows.items():
        if entries:
            connection.execute(insert(table), entries)


def _ids(connection: Connection, keys: Sequence[str], *, to_change: bool = False) -> dict[str, int]:
    wanted = select(model_config.c.key, model_config.c.id).where(model_config.c.key.in_(keys))
    if to_change:
        # In one order, so that two who do so never wait for each other.
        wanted = wanted.order_by(model_config.c.key).with_for_update()
    return {row.key: row.id for row in connection.execute(wanted)}


def _names(connection: Connection, keys: Iterable[str]) -> dict[str, str]:
    """Return key → name of those keys that are taken."""
    taken: dict[str, str] = {}
    for some in _batches(keys):
        rows = connection.execute(
            select(model_config.c.key, model_config.c.name).where(model_config.c.key.in_(some))
        )
        taken.update((row.key, row.name) for row in rows)
    return taken


def _batches(values: Iterable[_T]) -> Iterator[list[_T]]:
    remaining = iter(values)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some
