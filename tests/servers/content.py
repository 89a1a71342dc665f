"""Files that the servers offer: bytes nobody can guess, and the honest answer to a request for them."""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass, field
from functools import cache

__all__ = ["MEBIBYTE", "Offered", "Reply", "payload"]

MEBIBYTE = 1 << 20
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@cache
def payload(size: int = 8 * MEBIBYTE, seed: int = 1) -> bytes:
    """Return *size* bytes that look random and are the same in every run."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - content, not a secret


@dataclass(slots=True)
class Reply:
    """An answer before it is sent: a test bends one thing of it."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes | memoryview

    @property
    def head(self) -> bytes:
        """The head's bytes, as they travel."""
        lines = [f"HTTP/1.1 {self.status} Reason"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode(errors="surrogateescape")


@dataclass(frozen=True, slots=True)
class Offered:
    """A file as a server without faults offers it; `answer` says what such a server says."""

    content: bytes = field(repr=False)
    etag: str | None = '"one"'
    """With its quotes; None offers none."""
    last_modified: str | None = None
    """An HTTP date; None offers none."""
    media_type: str = "application/octet-stream"
    ranges: bool = True
    """Whether parts of it can be asked for."""

    @property
    def sha256(self) -> str:
        """SHA-256, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def answer(self, range_header: str | None = None, if_range: str | None = None) -> Reply:
        """Return 200, 206 or 416, as RFC 9110 has it."""
        total = len(self.content)
        headers = {"content-type": self.media_type}
        if self.etag is not None:
            headers["etag"] = self.etag
        if self.last_modified is not None:
            headers["last-modified"] = self.last_modified
        if self.ranges:
            headers["accept-ranges"] = "bytes"
        found = _RANGE.fullmatch(range_header or "")
        if found is None or not self.ranges or not self._is_current(if_range):
            return Reply(200, headers | {"content-length": str(total)}, self.content)
        start = int(found[1])
        end = min(int(found[2]) + 1 if found[2] else total, total)
        if start >= total:
            headers |= {"content-range": f"bytes */{total}", "content-length": "0"}
            return Reply(416, headers, b"")
        headers |= {
            "content-range": f"bytes {start}-{end - 1}/{total}",
            "content-length": str(end - start),
        }
        return Reply(206, headers, memoryview(self.content)[start:end])

    def _is_current(self, if_range: str | None) -> bool:
        if if_range is None:
            return True
        strong = self.etag is not None and not self.etag.startswith("W/")
        return (strong and if_range == self.etag) or if_range == self.last_modified
