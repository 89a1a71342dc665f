"""The origin that files come from: ranges and validators done right, and signatures that expire."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from urllib.parse import quote, urlencode

from tests.hubs.server import Answer, Exchange, Origin, Request, Slice

__all__ = ["FileHost"]

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_REFUSED = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code></Error>'


@dataclass(frozen=True, slots=True)
class _Published:
    path: Path
    size: int
    etag: str
    is_public: bool


class FileHost(Origin):
    """A content host such as a hub redirects to. Clients need a signed URL from the hub.

    Example::

        url = files.sign(files.publish(Path("x.safetensors"), etag="abc"))
        requests.get(url, headers={"Range": "bytes=0-0"})  # 206
        files.expire_signed_urls()  # what was signed before now gets 403
        files.bytes_sent["abc/x.safetensors"]  # 1: bytes of bodies on the wire
    """

    def __init__(self, log: list[Exchange], *, refuses_authorization: bool = False) -> None:
        super().__init__("files", log)
        self.bytes_sent: Counter[str] = Counter()
        """Key of a file → bytes of it that left, whatever became of them."""
        self.refuses_authorization = refuses_authorization
        """Whether an `Authorization` header is a mistake (400), as it is to R2 and S3, whose signature
        stands in the query; such signatures also hold for GET alone."""
        self.validators = True
        """Whether answers have an `ETag`."""
        self._secret = secrets.token_bytes(16)
        self._generation = 0
        self._expiring_after: int | None = None
        self._holding: tuple[int, Event, Event] | None = None
        self._files: dict[str, _Published] = {}

    def publish(self, path: Path, *, etag: str, is_public: bool = False) -> str:
        """Serve the file at *path* and return its key. Public ones need no signature."""
        key = f"{etag}/{path.name}"
        self._files[key] = _Published(path, path.stat().st_size, f'"{etag}"', is_public)
        return key

    def sign(self, key: str, *, disposition: str | None = None) -> str:
        """Return a URL that works until `expire_signed_urls`."""
        query = {"Expires": str(int(time.time()) + 3600), "Signature": self._signature(key)}
        if disposition is not None:
            query["response-content-disposition"] = disposition
        return f"{self.public_url(key)}?{urlencode(query, quote_via=quote)}"

    def public_url(self, key: str) -> str:
        """Return the URL without a signature."""
        return f"{self.url}/{quote(key)}"

    def expire_signed_urls(self) -> None:
        """Let every URL that was signed so far be too old; new ones work."""
        with self._lock:
            self._generation += 1

    def expire_after(self, count: int) -> None:
        """Once *count* more bytes have left, break the connection off and let all signatures expire."""
        with self._lock:
            self._expiring_after = count

    def hold_after(self, count: int) -> tuple[Event, Event]:
        """Stop sending once *count* more bytes have left.

        Returns:
            One event that is set when that is so, and one to set so that sending goes on.
        """
        reached, go_on = Event(), Event()
        with self._lock:
            self._holding = (self.bytes_sent.total() + count, reached, go_on)
        return reached, go_on

    def answer(self, request: Request) -> Answer:
        """Serve one file, or a range of it."""
        if self.refuses_authorization and "authorization" in request.headers:
            return _refusal(400, "InvalidRequest")
        key = "/".join(request.steps)
        file = self._files.get(key)
        if file is None:
            return _refusal(404, "NoSuchKey")
        if not file.is_public and not self._is_signed(key, request):
            return _refusal(403, "AccessDenied")
        return self._file(key, file, request)

    def _file(self, key: str, file: _Published, request: Request) -> Answer:
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        if self.validators:
            headers["ETag"] = file.etag
        if "response-content-disposition" in request.query:
            headers["Content-Disposition"] = request.query["response-content-disposition"]
        wanted = self._range(file, request)
        if wanted is None:
            body = Slice(file.path, 0, file.size)
            return Answer(200, headers, body, lambda count: self._count(key, count))
        start, end = wanted
        if start >= file.size:
            return Answer(416, headers | {"Content-Range": f"bytes */{file.size}"})
        headers["Content-Range"] = f"bytes {start}-{end}/{file.size}"
        body = Slice(file.path, start, end - start + 1)
        return Answer(206, headers, body, lambda count: self._count(key, count))

    def _range(self, file: _Published, request: Request) -> tuple[int, int] | None:
        """Return first and last byte; None where the whole file is the answer (RFC 9110, 14.2)."""
        found = _RANGE.fullmatch(request.headers.get("range", ""))
        if_range = request.headers.get("if-range")
        has_moved = if_range is not None and (not self.validators or if_range != file.etag)
        if found is None or request.method != "GET" or has_moved or found[0] == "bytes=-":
            return None
        if not found[1]:
            return max(0, file.size - int(found[2])), file.size - 1
        last = file.size - 1
        return int(found[1]), min(int(found[2]), last) if found[2] else last

    def _count(self, key: str, count: int) -> bool:
        with self._lock:
            self.bytes_sent[key] += count
            limit, reached, go_on = self._holding or (None, None, None)
            is_held = limit is not None and self.bytes_sent.total() >= limit
        if is_held and reached is not None and go_on is not None:
            reached.set()
            go_on.wait()
        with self._lock:
            if self._expiring_after is None:
                return True
            self._expiring_after -= count
            if self._expiring_after > 0:
                return True
            self._expiring_after = None
            self._generation += 1
            return False

    def _signature(self, key: str) -> str:
        said = f"{self._generation}\n{key}".encode()
        return hmac.new(self._secret, said, hashlib.sha256).hexdigest()

    def _is_signed(self, key: str, request: Request) -> bool:
        if self.refuses_authorization and request.method != "GET":
            return False
        given = request.query.get("Signature", "")
        return hmac.compare_digest(given.encode(), self._signature(key).encode())


def _refusal(status: int, code: str) -> Answer:
    return Answer(status, {"Content-Type": "application/xml"}, _REFUSED.format(code=code).encode())
