"""The first exchange of a download: what the host says of the file, and the first of its bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from modelshelf.download.answer_head import ContentRange
from modelshelf.download.content_answer import Content, content_of
from modelshelf.download.file_name import name_from
from modelshelf.download.patience import Patience
from modelshelf.download.redirects import Arrived
from modelshelf.download.refusals import unexpected_content
from modelshelf.download.remote_source import RemoteSource
from modelshelf.errors import ConnectionLostError, StalledError
from modelshelf.protocols import Answer
from modelshelf.schema.transfer import ExpectedContent, TransferOrder

__all__ = ["Opening", "open_download"]

_SMALL = 2**20
"""Bytes up to which a file is kept in memory until it is whole."""
_PREFIX = 1024
"""Bytes that tell a web page from a model."""
_READ = 64 * 1024


@dataclass(frozen=True, slots=True)
class Opening:
    """An answer that is open, and what is known through it."""

    arrived: Arrived
    """Where it came from."""
    content: Content | None
    """What it brings; None where the host says that the file ends before."""
    prefix: bytes
    """The first bytes of its body; all of them where `is_small`."""
    is_small: bool
    """Whether this is the whole file, and all of it is here."""

    def close(self) -> None:
        """Let go of the connection."""
        self.arrived.answer.close()

    def abort(self) -> None:
        """Let go of it in the midst of its body."""
        self.arrived.answer.abort()
        self.arrived.answer.close()

    def file_name(self, url: str) -> str:
        """Return the name that the host gives the file; *url* is the order's.

        Raises:
            UnsafeFileNameError: It gives one that cannot be used.
        """
        headers = dict(self.arrived.answer.headers)
        if self.arrived.facts.disposition is not None:
            headers["content-disposition"] = self.arrived.facts.disposition
        # A hub's own address ends in the file's name, a storage's in a digest; but `/download/17` is no name.
        ends = [urlsplit(address).path.rpartition("/")[2] for address in (url, self.arrived.url)]
        named = url if "." in ends[0] or "." not in ends[1] else self.arrived.url
        return name_from(headers, named)


def open_download(
    source: RemoteSource,
    asked: tuple[int, int] | None,
    *,
    validator: str | None,
    order: TransferOrder,
    patience: Patience,
    clock: Callable[[], float],
) -> Opening:
    """Ask for the first bytes that are missing, and read a small file to its end.

    Args:
        source: Whom to ask.
        asked: Half-open range; None asks without Range.
        validator: Which version the range is of.
        order: What is wanted: where nothing vouches for it, a web page in its place is refused.
        patience: How slow it may be.
        clock: Monotonic seconds.

    Raises:
        StalledError: Its bytes come one by one.
        DownloadError: The host does not give it.
        UnexpectedContentError: What it gives is no model.
        UnusableAnswerError: The answer does not fit the request.
    """
    arrived = source.ask(asked, validator=validator)
    answer = arrived.answer
    try:
        return _Reader(source, order, patience, clock).read(arrived, asked)
    except BaseException:
        answer.abort()
        answer.close()
        raise


class _Reader:
    """Reads what tells an answer that brings the file from one that does not."""

    def __init__(
        self,
        source: RemoteSource,
        order: TransferOrder,
        patience: Patience,
        clock: Callable[[], float],
    ) -> None:
        self._source = source
        self._order = order
        self._patience = patience
        self._clock = clock

    def read(self, arrived: Arrived, asked: tuple[int, int] | None) -> Opening:
        answer = arrived.answer
        content = content_of(answer.status, answer.headers, asked)
        if content is None:
            total = ContentRange.whole_of_unsatisfied(answer.headers.get("content-range", ""))
            return Opening(arrived, None, b"", is_small=total == 0)
        size = content.entity.size
        is_small = (
            content.start == 0 and content.end == size and size is not None and size <= _SMALL
        )
        prefix = self._read(answer, size if is_small and size is not None else _PREFIX)
        if is_small and len(prefix) != size:
            raise ConnectionLostError(url=self._source.public_url, reason="the body ended early")
        if not prefix and content.start == 0 and size is None and content.end_is_marked:
            # The last chunk came first: the file is empty.
            is_small, size = True, 0
        opening = Opening(arrived, content, prefix, is_small=is_small)
        if content.start == 0 and not _is_vouched_for(self._order.expected, size):
            name = self._order.file_name or opening.file_name(self._order.url)
            unexpected = unexpected_content(
                answer.headers, prefix, url=arrived.url, name=name, size=size
            )
            if unexpected is not None:
                raise unexpected
        return opening

    def _read(self, answer: Answer, wanted: int) -> bytes:
        """Read *wanted* bytes of a body, or all that there are."""
        parts = []
        came = 0
        since = self._clock()
        buffer = memoryview(bytearray(max(1, min(wanted, _READ))))
        while came < wanted:
            count = answer.read_into(buffer[: wanted - came])
            if not count:
                break
            parts.append(bytes(buffer[:count]))
            came += count
            passed = self._clock() - since
            if passed > self._patience.slow_for and came < self._patience.crawl * passed:
                reason = f"{passed:.0f} seconds but {came} bytes"
                raise StalledError(url=self._source.public_url, reason=reason)
        return b"".join(parts)


def _is_vouched_for(expected: ExpectedContent, size: int | None) -> bool:
    """Say whether what comes may look as it likes, because a digest will tell."""
    return expected.has_digest and expected.size in {None, size}
