"""The name of the file to be, out of what a stranger suggests: one that any system holds, in its folder."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn
from urllib.parse import parse_qs, unquote, unquote_to_bytes, urlsplit

from modelshelf.download.origin import public_url
from modelshelf.errors import UnsafeFileNameError
from modelshelf.schema.device_name import is_device_name

__all__ = ["checked_name", "name_from", "safe_name", "suggested_name"]

LONGEST = 255
"""Bytes of a name, as most file systems count; part files and journals add to it and shorten for themselves."""
_LONGEST_SUFFIX = 32
_LONGEST_HEADER = 16 * 1024
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_PARAMETER = re.compile(
    r';\s*(?P<name>[!#$%&\'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^;"]*))'
)
_EXTENDED = re.compile(r"(?P<charset>[A-Za-z0-9._-]+)'[^']*'(?P<value>.*)\Z", re.DOTALL)
_ENCODED_WORD = re.compile(r"=\?[^?]+\?[BbQq]\?[^?]*\?=")


def name_from(headers: Mapping[str, str], url: str) -> str:
    """Return the name under which the answer from *url* is to be kept.

    Asks, in this order: the Content-Disposition; the `response-content-disposition` of a signed address; the
    last part of the address's path. Folders in it are dropped, as RFC 6266, section 4.3, demands.

    Args:
        headers: Those of the answer, names in lower case.
        url: Where the answer came from, or the order's own address.

    Raises:
        UnsafeFileNameError: The best suggestion is none that could be made safe.

    Example:
        >>> name_from({"content-disposition": 'attachment; filename="../ink v2.ckpt"'}, "https://x/1")
        'ink v2.ckpt'
        >>> name_from({}, "https://hub.example/acme/ink/resolve/main/ink%20v2.safetensors?download=true")
        'ink v2.safetensors'
    """
    parts = urlsplit(url)
    asked: list[str] = []
    if len(parts.query) <= _LONGEST_HEADER:
        query = parse_qs(parts.query, max_num_fields=1000)
        asked = [
            value
            for name, values in query.items()
            if name.lower() == "response-content-disposition"
            for value in values
        ]
    for disposition in (headers.get("content-disposition", ""), *asked):
        name = suggested_name(disposition)
        if name is not None:
            return _last_part(name, url)
    # Split before decoding: an encoded slash belongs to the name, and is then dropped with what is before it.
    path = unquote(parts.path.rstrip("/").rpartition("/")[2])
    return _last_part(path, url)


def suggested_name(disposition: str) -> str | None:
    """Return the file name in a Content-Disposition as it stands there, or None where there is none.

    The extended form (RFC 8187) goes before the plain one where both are there, and a plain one that holds
    UTF-8, or percent signs as some hosts write, is decoded.

    Args:
        disposition: The header's value, as Latin-1.

    Example:
        >>> suggested_name("attachment; filename=a.bin; filename*=UTF-8''%E2%82%AC.bin")
        '€.bin'
    """
    if not disposition or len(disposition) > _LONGEST_HEADER:
        return None
    found: dict[str, str] = {}
    # Some hosts leave `attachment` out and begin with the name.
    text = f";{disposition}" if "=" in disposition.partition(";")[0] else disposition
    for match in _PARAMETER.finditer(text):
        quoted, token = match["quoted"], match["token"]
        # Only a quote and a backslash are ever escaped; a Windows path keeps its backslashes to be cut at.
        value = re.sub(r'\\(["\\])', r"\1", quoted) if quoted is not None else token.strip()
        found.setdefault(match["name"].lower(), value)
    extended = _EXTENDED.match(found.get("filename*", ""))
    if extended is not None:
        with suppress(LookupError, UnicodeError):
            return unquote_to_bytes(extended["value"]).decode(extended["charset"])
    plain = found.get("filename")
    return _decoded(plain) if plain else None


def safe_name(text: str) -> str:
    """Return *text* as the name of a file that cannot leave its folder, or refuse it.

    Args:
        text: One name, no path. Blanks around it are dropped; what some systems cannot hold becomes `_`;
            one that is too long is shortened, its suffix kept.

    Returns:
        A name of at most 255 bytes, composed (NFC), valid under POSIX and Windows.

    Raises:
        UnsafeFileNameError: It holds a separator, a drive, a NUL or another control character, is `.`, `..` or
            empty, or is a name that Windows keeps for a device.

    Example:
        >>> safe_name("a?b.ckpt"), len(safe_name("x" * 400 + ".safetensors"))
        ('a_b.ckpt', 255)
        >>> safe_name("../up")
        Traceback (most recent call last):
        modelshelf.errors.download.UnsafeFileNameError: `…` suggests the unusable file name '../up'
    """
    return _safe(text, text, "")


def checked_name(text: str) -> str:
    """Return *text* exactly as it is, where it can name a file on this system and stay in its folder.

    For files that others refer to by name, as an index does to its shards: nothing is composed, dropped or
    replaced. What `safe_name` would only change is kept.

    Args:
        text: One name, no path.

    Raises:
        UnsafeFileNameError: As `safe_name`; or it is longer than 255 bytes.

    Example:
        >>> checked_name(" why?.ckpt")
        ' why?.ckpt'
    """
    safe_name(text)
    if len(text.encode()) > LONGEST:
        _refuse(text, "")
    return text


def _last_part(text: str, url: str) -> str:
    """Return what follows the last separator, made safe; whether a file is hidden is not the host's choice."""
    return _safe(re.split(r"[/\\]", text)[-1].strip().lstrip("."), text, url)


def _safe(text: str, whole: str, url: str) -> str:
    """Make one name safe; an error shows the *whole* suggestion."""
    name = unicodedata.normalize("NFC", text).strip()
    if any(unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"} for one in name):
        _refuse(whole, url)
    # Invisible characters that turn text around would show `exe.tpkc` as `ckpt.exe`.
    name = "".join(one for one in name if unicodedata.category(one) != "Cf")
    if "/" in name or "\\" in name or re.match(r"[A-Za-z]:", name):
        _refuse(whole, url)
    name = _FORBIDDEN.sub("_", name).rstrip(". ").lstrip()
    if not name.strip(".") or is_device_name(name):
        _refuse(whole, url)
    return _shortened(name)


def _shortened(name: str) -> str:
    """Cut a name to what file systems hold, its suffix kept."""
    if len(name.encode()) <= LONGEST:
        return name
    stem, dot, suffix = name.rpartition(".")
    ending = f"{dot}{suffix}" if stem and len(f"{dot}{suffix}".encode()) <= _LONGEST_SUFFIX else ""
    room = LONGEST - len(ending.encode())
    kept = name.removesuffix(ending).encode()[:room].decode(errors="ignore")
    return f"{kept.rstrip('. ')}{ending}"


def _decoded(plain: str) -> str:
    """Read a plain name in the ways that hosts write what is not ASCII."""
    with suppress(UnicodeError):
        plain = plain.encode("latin-1").decode("utf-8")
    if _ENCODED_WORD.search(plain) is None and re.search(r"%[0-9A-Fa-f]{2}", plain):
        plain = unquote(plain)
    return plain


def _refuse(whole: str, url: str) -> NoReturn:
    """Raise: this name is not used."""
    raise UnsafeFileNameError(url=public_url(url), name=repr(whole[:120]))
