"""The path in a `file:` address, as file managers and browsers copy it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

__all__ = ["path_in"]


def path_in(address: str) -> Path:
    """Return the path of this machine that *address* names, byte for byte.

    A `?` or `#` belongs to the name: nothing is asked of a file, and people who write one seldom know that
    it should be written `%3F`. A `%2F` is no `/`: an address that says one differs from that which says the
    other, and no file can have a slash in its name. What reads it as one opens another file than was named.

    Args:
        address: Such as `file:///mnt/a%20b.bin`.

    Raises:
        ValueError: It names a file of another machine, or no file can be called so.

    Example:
        >>> path_in("file:///mnt/a%20b.bin")
        PosixPath('/mnt/a b.bin')
        >>> path_in("file://nas/mnt/a.bin")
        Traceback (most recent call last):
            ...
        ValueError: expected `file:///` and a path of this machine, got host `nas`

    Source: RFC 8089, and RFC 3986 section 2.2 for what an escaped delimiter is.
    """
    authority, slash, path = address.partition("://")[2].partition("/")
    # Before an `@` stands who asks, at times with a password.
    host = authority.rpartition("@")[2]
    if host.lower() not in {"", "localhost"}:
        message = f"expected `file:///` and a path of this machine, got host `{host}`"
        raise ValueError(message)
    is_name = "%2f" not in path.lower()
    try:
        # A name in a shell may be bytes that are no text.
        found = unquote_to_bytes(os.fsencode(slash + path))
    except UnicodeEncodeError:
        found = b""
    if not found or b"\0" in found or not is_name:
        message = "expected `file:///` and a path, got none that can be"
        raise ValueError(message)
    return Path(os.fsdecode(found))
