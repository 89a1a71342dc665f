"""Which links a person should see below the models folder."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from modelshelf.records.tables import view
from modelshelf.schema.member import file_name_for
from modelshelf.schema.stored import View

__all__ = [
    "all_views",
    "find_view",
    "forget_settled",
    "forget_view",
    "move_view",
    "settle_view",
    "unwant_view",
    "views_after",
    "want_again",
    "want_view",
]

_VIEWS = select(view.c.key, view.c.path, view.c.state).order_by(view.c.path)
_UNSETTLED = _VIEWS.where(view.c.state != "made")
_PAGE = _VIEWS.where(view.c.path > bindparam("after"))
_OF_MODEL = select(view.c.key, view.c.path, view.c.state).where(view.c.key == bindparam("model"))


def want_view(connection: Connection, key: str, folder: str, name: str, suffix: str) -> None:
    """Ask for a view of the model *key* in *folder*, under a path that no other view has."""
    connection.execute(
        insert(view).values(
            key=key, path=_free_path(connection, folder, name, suffix), state="wanted"
        )
    )


def want_again(connection: Connection, key: str) -> None:
    """Ask for a view that was made to be made anew."""
    connection.execute(
        update(view).where(view.c.key == key, view.c.state == "made").values(state="wanted")
    )


def move_view(connection: Connection, key: str) -> None:
    """Give a wanted view another path, because something of the user's lies at the one it had."""
    path = connection.scalars(select(view.c.path).where(view.c.key == key)).one()
    folder, _, file_name = path.rpartition("/")
    stem, dot, suffix = file_name.rpartition(".")
    stem, suffix = (stem, dot + suffix) if dot else (file_name, "")
    connection.execute(
        update(view)
        .where(view.c.key == key)
        .values(path=_free_path(connection, folder, stem, suffix), state="wanted")
    )


def unwant_view(connection: Connection, key: str) -> None:
    """Ask for the links of the model *key* to go."""
    connection.execute(update(view).where(view.c.key == key).values(state="unwanted"))


def settle_view(connection: Connection, key: str) -> None:
    """Note that the links of a wanted view are there."""
    connection.execute(
        update(view).where(view.c.key == key, view.c.state == "wanted").values(state="made")
    )


def forget_view(connection: Connection, key: str) -> None:
    """Note that the links of an unwanted view are gone."""
    connection.execute(delete(view).where(view.c.key == key, view.c.state == "unwanted"))


def forget_settled(connection: Connection, key: str) -> None:
    """Drop whatever view row the model has; its links, if any are left, become nobody's."""
    connection.execute(delete(view).where(view.c.key == key))


def find_view(connection: Connection, key: str) -> View | None:
    """Return the view of the model *key*; None where it has none."""
    row = connection.execute(_OF_MODEL, {"model": key}).one_or_none()
    return None if row is None else View(*row)


def all_views(connection: Connection, *, unsettled: bool = False) -> list[View]:
    """List views, sorted by path; with *unsettled* only those with something left to do."""
    return [View(*row) for row in connection.execute(_UNSETTLED if unsettled else _VIEWS)]


def views_after(connection: Connection, path: str, limit: int) -> list[View]:
    """List the next *limit* views behind the one at *path*, sorted by path; behind none where it is empty."""
    return [View(*row) for row in connection.execute(_PAGE.limit(limit), {"after": path})]


def _free_path(connection: Connection, folder: str, name: str, suffix: str) -> str:
    stem, number = file_name_for(name), 1
    while True:
        distinct = stem if number == 1 else f"{stem}-{number}"
        path = f"{folder}/{distinct}{suffix}"
        taken = connection.scalar(select(view.c.key).where(view.c.path == path))
        if taken is None:
            return path
        number += 1
