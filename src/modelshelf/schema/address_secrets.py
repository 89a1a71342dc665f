"""Which parts of an address are nobody else's business: the one place that says so.

User information always is. Of a query that depends on the names of its parameters, and on what is at stake:
what is shown or compared leaves out what is known to be secret; what lies on a disk keeps only what is known
not to be.
"""

from __future__ import annotations

import re

__all__ = ["bare_address", "chooses_a_file", "is_credential", "is_secret", "with_bare_addresses"]

_CREDENTIAL = re.compile(
    r"(?:access|api|auth|bearer|private|secret|user)?[-_]?(?:token|key|auth|secret|password|pat)",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"(?:.*[-_.])?(?:(?:access|api|auth|bearer|private|secret|user)?"
    r"(?:token|key|auth|secret|signature|sig|password|passwd|pwd|pat|credentials?)"
    r"|\w*(?:token|secret|password|signature)|authorization|session(?:id)?|jwt)",
    re.IGNORECASE,
)
"""`author` and `design` are none."""
_HARMLESS = frozenset(
    {
        "branch",
        "dl",
        "download",
        "file",
        "fileid",
        "filename",
        "format",
        "fp",
        "id",
        "model",
        "modelid",
        "modelversionid",
        "name",
        "path",
        "quanttype",
        "raw",
        "ref",
        "rev",
        "revision",
        "size",
        "type",
        "variant",
        "version",
        "versionid",
    }
)
"""In lower case."""
_LONGEST = 256
"""Characters in a parameter's name; several times what any host uses."""
_VALUE = re.compile(r"[\w .,:/+@-]{0,120}")
"""What such a parameter looks like."""
_QUERY = re.compile("[?#]")
_SCHEME_END = re.compile("(://)")
"""Of any scheme: that of a proxy may be `socks5`, and its address has a password in it."""
_WORD = re.compile(r"[^\s\"`<>]+")
"""In a text, what may be an address: none holds a blank or a quote but the apostrophe."""
_CLOSING = re.compile(r"'[)\]}.,;:!]*$")
"""The apostrophe that ends a quoted one, and the sentence with it."""


def is_credential(name: str) -> bool:
    """Say whether a parameter of this name opens whatever its owner may: it goes to no other host.

    A signature does not: it opens one file for a while, and hosts pass it on to those that serve it.

    Example:
        >>> is_credential("api_key"), is_credential("X-Amz-Signature"), is_credential("author")
        (True, False, False)
    """
    return _CREDENTIAL.fullmatch(name) is not None


def is_secret(name: str) -> bool:
    """Say whether a parameter of this name is known to be a secret, credentials and signatures alike.

    Example:
        >>> is_secret("token"), is_secret("X-Amz-Signature"), is_secret("author")
        (True, True, False)
    """
    # A pattern takes long for a name that is long, and what nobody calls a parameter nobody needs to see.
    return len(name) > _LONGEST or is_credential(name) or _SECRET.fullmatch(name) is not None


def chooses_a_file(name: str, value: str) -> bool:
    """Say whether a parameter is known to choose a file and no secret: a host's own word for one is unknown.

    Example:
        >>> chooses_a_file("fileId", "7"), chooses_a_file("st", "7"), chooses_a_file("id", "x" * 500)
        (True, False, False)
    """
    return name.lower() in _HARMLESS and _VALUE.fullmatch(value) is not None


def bare_address(text: str) -> str:
    """Return what may be shown of an address that cannot be read: nothing before an `@`, and no query.

    Args:
        text: What somebody wrote; where it is no address at all, it comes back as it is.

    Example:
        >>> bare_address("ftp://me:p/w@h.example/x?token=t#top"), bare_address("models/a?b.safetensors")
        ('ftp://h.example/x', 'models/a?b.safetensors')
    """
    if "://" not in text:
        return text
    scheme, _, rest = text.partition("://")
    return _QUERY.split(f"{scheme}://{rest.rpartition('@')[2]}", maxsplit=1)[0]


def with_bare_addresses(text: str) -> str:
    """Return what a library or a host said, each address in it without user information and query.

    The time it takes grows with the text alone, whatever a host puts into it.

    Example:
        >>> with_bare_addresses("GET 'https://me:pw@h.example/x?sig=f0#top' failed: why?")
        "GET 'https://h.example/x' failed: why?"
    """
    return _WORD.sub(_with_bare_address, text)


def _with_bare_address(word: re.Match[str]) -> str:
    before, *rest = _SCHEME_END.split(word[0])
    if not rest:
        return before
    # What ends a scheme and what follows it, in turn.
    for place, following in enumerate(rest[1::2]):
        host, slash, path = following.partition("/")
        rest[2 * place + 1] = f"{host.rpartition('@')[2]}{slash}{path}"
    address, *hidden = _QUERY.split("".join(rest), maxsplit=1)
    closing = _CLOSING.search(hidden[0]) if hidden else None
    return before + address + (closing[0] if closing is not None else "")
