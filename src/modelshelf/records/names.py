"""Model names for shell completion, read with nothing but the standard library.

Completion runs on every press of a key; opening the whole record store would take longer than people
wait. This reader never creates or changes anything.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

__all__ = ["read_names"]

_QUERY = """
    SELECT name FROM model_name WHERE trash_id IS NULL AND substr(name, 1, :length) = :prefix
    UNION
    SELECT name FROM pipeline WHERE trash_id IS NULL AND substr(name, 1, :length) = :prefix
    UNION
    SELECT name FROM model_config WHERE hidden = 0 AND substr(name, 1, :length) = :prefix
    ORDER BY name LIMIT :limit
"""


def read_names(database: Path, prefix: str = "", *, limit: int = 200) -> list[str]:
    """Return names of models that start with *prefix*, sorted.

    Args:
        database: The library's `models.db`; nothing is found where there is none.
        prefix: Compared exactly.
        limit: At most so many.
    """
    address = f"file:{quote(str(database))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=0.2)) as connection:
            values = {"prefix": prefix, "length": len(prefix), "limit": limit}
            return [name for (name,) in connection.execute(_QUERY, values)]
    except sqlite3.Error:
        # Completion has nobody to tell: a shell shows no error while one types.
        return []
