import ipaddress
import os
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.download.address_policy import is_public
from modelshelf.download.answer_head import (
    ContentRange,
    Entity,
    content_length,
    read_retry_after,
)
from modelshelf.download.file_name import name_from, safe_name, suggested_name
from modelshelf.download.origin import Origin, WebAddress, public_url, same_origin
from modelshelf.download.refusals import Retry, refusal, unexpected_content
from modelshelf.download.wire import BadAnswer, Body, body_of, read_head
from modelshelf.errors import DownloadError, UnsafeFileNameError

pytestmark = pytest.mark.property

_HEADER = st.text(st.characters(max_codepoint=255), max_size=120)
_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_SEPARATORS = st.sampled_from(
    ["/", "\\", "..", ".", ":", "\0", "%2F", "%5c", " ", "CON", ";", '"', "'", "="]
)


class TestFileNames:
    """RFC 6266, 4.3: recipients must not let the parameter write into any location but the intended one."""

    @given(
        st.lists(
            st.one_of(
                _SEPARATORS, st.text(max_size=20), st.text("\u00e4\u20ac\U0001d6fc", min_size=100)
            ),
            max_size=8,
        ).map("".join)
    )
    def test_a_name_is_one_step_into_its_folder(self, text: str) -> None:
        """Whatever is suggested, the name is a single part of a path, under both kinds of rules, or refused."""
        takes: list[Callable[[], str]] = [
            lambda: name_from({"content-disposition": text}, "https://hub.example/x"),
            lambda: name_from({"content-disposition": f'a; filename="{text}"'}, "https://h/x"),
            lambda: name_from({}, f"https://hub.example/{quote(text, safe='/')}"),
            lambda: safe_name(text),
        ]
        for take in takes:
            try:
                name = take()
            except UnsafeFileNameError:
                continue
            assert PurePosixPath(name).parts == (name,)
            assert PureWindowsPath(name).parts == (name,)
            assert PureWindowsPath(name).drive == ""
            assert not set(name) & set('/\\:*?"<>|')
            assert 0 < len(name.encode()) <= 255
            assert name == name.strip()
            assert not name.endswith(".")
            assert unicodedata.is_normalized("NFC", name)
            assert not any(unicodedata.category(one) in {"Cc", "Cf"} for one in name)
            assert os.path.normpath(f"folder/{name}") == f"folder/{name}"

    @given(st.text(max_size=300))
    def test_safe_is_safe(self, text: str) -> None:
        """Making a name safe twice changes nothing more."""
        try:
            name = safe_name(text)
        except UnsafeFileNameError:
            return
        assert safe_name(name) == name

    @given(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=60)
    )
    def test_extended_names_come_back(self, text: str) -> None:
        """RFC 8187: what is percent-encoded as UTF-8 is what is read."""
        assert suggested_name(f"attachment; filename*=UTF-8''{quote(text, safe='')}") == text


class TestContentRange:
    """RFC 9110, 14.4: invalid if last < first, or if the complete length is not beyond the last position."""

    @given(st.integers(0, 2**70), st.integers(0, 2**70), st.none() | st.integers(0, 2**70))
    def test_reads_what_can_be(self, first: int, last: int, total: int | None) -> None:
        """A possible range is read exactly, an impossible one is none."""
        read = ContentRange.parse(f"bytes {first}-{last}/{'*' if total is None else total}")
        possible = first <= last < 2**63 - 1 and (total is None or last < total < 2**63)
        assert read == (ContentRange(first, last + 1, total) if possible else None)

    @given(_HEADER)
    def test_believes_nothing_else(self, text: str) -> None:
        """Whatever else comes is read as none, or as a range that can be."""
        read = ContentRange.parse(text)
        assert read is None or 0 <= read.start < read.end
        whole = ContentRange.whole_of_unsatisfied(text)
        assert whole is None or whole >= 0

    @given(_HEADER, _HEADER, _HEADER, st.integers(200, 599))
    def test_heads_are_read_or_refused(self, length: str, tag: str, when: str, status: int) -> None:
        """No header makes more than a ValueError, and no size is negative."""
        headers = {"content-length": length, "etag": tag, "last-modified": when, "date": when}
        try:
            entity = Entity.of(status, headers)
        except ValueError:
            return
        assert entity.size is None or 0 <= entity.size < 2**63
        assert entity.strong_validator is None or not entity.strong_validator.startswith("W/")
        assert (content_length(headers) or 0) >= 0


class TestRetryAfter:
    """RFC 9110, 10.2.3: an HTTP-date, or a number of seconds to delay after the response is received."""

    @given(st.integers(0, 10**9))
    def test_seconds(self, seconds: int) -> None:
        """A number is that many seconds."""
        assert read_retry_after({"retry-after": str(seconds)}, _NOW) == seconds

    @given(st.integers(-(10**9), 10**8))
    def test_dates(self, seconds: int) -> None:
        """A date is the time until then, and one that has passed is no time."""
        text = format_datetime(_NOW + timedelta(seconds=seconds), usegmt=True)
        assert read_retry_after({"retry-after": text}, _NOW) == max(seconds, 0)

    @given(
        st.dictionaries(
            st.sampled_from(
                [
                    "retry-after",
                    "ratelimit",
                    "ratelimit-reset",
                    "x-ratelimit-reset",
                    "ratelimit-remaining",
                    "date",
                ]
            ),
            _HEADER,
        )
    )
    def test_nonsense(self, headers: dict[str, str]) -> None:
        """Whatever comes is None, or a time that is not negative and has an end."""
        wait = read_retry_after(headers, _NOW)
        assert wait is None or 0 <= wait <= 10**9


class TestOrigin:
    """RFC 6454, 4: the triple (scheme, host, port), in lower case, the port by default the scheme's."""

    @given(
        st.text(max_size=80) | st.text("htps:/@.[]%0127x?#\\ ä", max_size=60).map("http://".__add__)
    )
    def test_reads_strictly(self, url: str) -> None:
        """What is read is read the same again and by others; what is not has no origin and shows no secret."""
        try:
            address = WebAddress.parse(url)
        except ValueError:
            assert not same_origin(url, url)
            assert len(public_url(url)) < 20
            return
        again = WebAddress.parse(str(address))
        assert (again.origin, again.target) == (address.origin, address.target)
        other = urlsplit(str(address))
        assert other.hostname == address.origin.host
        assert (other.port or {"http": 80, "https": 443}[other.scheme]) == address.origin.port
        assert str(address).isascii()
        assert " " not in str(address)
        assert "@" not in str(address.origin)
        assert Origin.of(public_url(url)) == address.origin

    @given(st.ip_addresses())
    def test_addresses_inside_are_never_public(
        self, address: ipaddress.IPv4Address | ipaddress.IPv6Address
    ) -> None:
        """What the registry does not call global is not public, wrapped or not."""
        if not address.is_global:
            assert not is_public(str(address))
        if isinstance(address, ipaddress.IPv4Address):
            for wrapped in (f"::ffff:{address}", f"64:ff9b::{address}"):
                assert is_public(wrapped) == is_public(str(address))


class _Bytes:
    """A wire on which a given text lies, handed out in portions of a given size."""

    def __init__(self, said: bytes, portion: int) -> None:
        self.said, self.portion = said, portion

    def read_into(self, buffer: memoryview, most: int) -> int:
        count = min(most, len(buffer), self.portion, len(self.said))
        buffer[:count] = self.said[:count]
        self.said = self.said[count:]
        return count

    def line(self, longest: int) -> bytes:
        end = self.said.find(b"\n", 0, longest) + 1
        if end == 0:
            raise (BadAnswer if len(self.said) >= longest else EOFError)
        line, self.said = self.said[:end], self.said[end:]
        return line


def _read(body: Body) -> bytes:
    """Read a body to its end."""
    content, buffer = bytearray(), memoryview(bytearray(97))
    while count := body.read_into(buffer):
        content += buffer[:count]
    return bytes(content)


class TestWire:
    """RFC 9112: a recipient must be able to parse the length of a message, or give the connection up."""

    @given(
        st.binary(max_size=400)
        | st.lists(
            st.sampled_from(
                [
                    b"HTTP/1.1 200 OK",
                    b"HTTP/1.1 100 C",
                    b"\r\n",
                    b"\n",
                    b"a: b",
                    b":",
                    b" ",
                    b"\0",
                    b"x",
                ]
            ),
            max_size=30,
        ).map(b"".join)
    )
    def test_heads_are_read_or_refused(self, said: bytes) -> None:
        """Whatever lies on the wire is a head within its limits, or one of three refusals."""
        try:
            head = read_head(_Bytes(said, 1))
        except (BadAnswer, EOFError, ConnectionAbortedError):
            return
        assert 200 <= head.status <= 599
        assert all(name == name.lower() for name in head.headers)

    @given(
        st.lists(st.binary(min_size=1, max_size=300), max_size=6),
        st.integers(1, 200),
        st.binary(max_size=20),
    )
    def test_chunks_are_joined(self, chunks: list[bytes], portion: int, after: bytes) -> None:
        """However a body is cut into chunks and portions, it is the same, and what follows is left alone."""
        said = (
            b"".join(b"%X;x=y\r\n%s\r\n" % (len(one), one) for one in chunks) + b"0\r\nt: u\r\n\r\n"
        )
        wire = _Bytes(said + after, portion)
        body = body_of(200, {"transfer-encoding": "chunked"}, wire)
        assert _read(body) == b"".join(chunks)
        assert body.is_over
        assert wire.said == after

    @given(st.binary(max_size=300), st.integers(0, 400), st.integers(1, 200))
    def test_lengths_are_kept(self, said: bytes, length: int, portion: int) -> None:
        """A body has exactly its length, or it is an error."""
        wire = _Bytes(said, portion)
        body = body_of(200, {"content-length": str(length)}, wire)
        if length > len(said):
            with pytest.raises(EOFError):
                _read(body)
        else:
            assert _read(body) == said[:length]
            assert wire.said == said[length:]

    @given(st.binary(max_size=300))
    def test_nonsense_in_chunks_is_refused(self, said: bytes) -> None:
        """A chunked body of any bytes ends well, or as a broken one, and never takes more than there is."""
        body = body_of(200, {"transfer-encoding": "chunked"}, _Bytes(said, 50))
        try:
            content = _read(body)
        except (BadAnswer, EOFError):
            return
        assert len(content) < len(said)


class TestRefusals:
    """A refusal of any kind is one typed error."""

    @given(
        st.integers(200, 599),
        st.dictionaries(
            st.sampled_from(["x-error-code", "x-error-message", "retry-after", "content-type"]),
            _HEADER,
        ),
        st.binary(max_size=200),
    )
    def test_always_typed(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Nothing that a host says makes more than a typed error, on one line."""
        said = refusal(status, headers, body, url="https://hub.example/a?hidden", now=_NOW)
        error = said.error if isinstance(said, Retry) else said
        assert isinstance(error, DownloadError)
        assert "hidden" not in str(error)
        assert len(str(error).splitlines()) == 1
        got = unexpected_content(headers, body, url="https://hub.example/a?hidden", name="a.bin")
        assert got is None or isinstance(got, DownloadError)
