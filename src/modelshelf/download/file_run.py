"""One run of one order: what is there, what is asked for, what comes, and whether that is the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from modelshelf.download.considerate_transport import ConsiderateTransport
from modelshelf.download.content_answer import Content
from modelshelf.download.destination import Destination
from modelshelf.download.errand import send_errand
from modelshelf.download.failed_attempts import (
    HEALING,
    TransferStoppedError,
)
from modelshelf.download.finishing import Finishing, KnownVersion
from modelshelf.download.holdings import Holdings
from modelshelf.download.journal import JournalHead
from modelshelf.download.opening import Opening, open_download
from modelshelf.download.part_asking import PartAsking
from modelshelf.download.remote_source import RemoteSource
from modelshelf.download.segment_worker import FirstAnswer
from modelshelf.download.setbacks import Setbacks
from modelshelf.download.standing_file import published_file, standing_file
from modelshelf.download.stop_signal import StopSignal
from modelshelf.download.surroundings import Surroundings
from modelshelf.download.transfer import Transfer
from modelshelf.download.transfer_seams import Ending
from modelshelf.download.vanishing import LONGEST_DISCARD
from modelshelf.download.verdict import expected_with
from modelshelf.errors import DestinationExistsError, SizeMismatchError
from modelshelf.protocols import Disk, Transport
from modelshelf.schema.transfer import Downloaded, StopKind, Stopped, TransferOrder

__all__ = ["FileRun"]

_NO_END = 2**63 - 1


class FileRun:
    """Carries out one order, once. See `FileDownload`."""

    def __init__(
        self,
        order: TransferOrder,
        transport: Transport,
        disk: Disk,
        surroundings: Surroundings,
        stop: StopSignal,
        report: Callable[[int, int], None],
    ) -> None:
        self._order = order
        self._all = surroundings
        self._stop = stop
        self._report = report
        patience = surroundings.patience
        considerate = ConsiderateTransport(transport, surroundings.hosts, stop, patience)
        self._source = RemoteSource(considerate, order, patience)
        self._url = self._source.public_url
        self._host = str(self._source.origin)
        self._place = Destination.of(order)
        self._holdings = Holdings(self._place, disk)
        self._setbacks = Setbacks(patience, stop, self._url)
        self._finishing = Finishing(order, self._holdings, self._setbacks, stop, disk, self._url)
        self._version = KnownVersion(order.expected)
        self._holds_permit = False
        self._fetched = 0
        self._reported = 0
        self._process = os.getpid()

    @property
    def folder(self) -> Path:
        """Where the file goes, and its parts lie."""
        return self._place.folder

    def carry_out(self) -> Downloaded | Stopped:
        """Fetch the file; see `FileDownload.run`."""
        try:
            downloaded = self._look_around()
            while downloaded is None:
                downloaded = self._attempt()
        except TransferStoppedError:
            return self._stopped()
        except BaseException:
            # A report may fork, and this may be the child: files and sockets are its parent's.
            if os.getpid() == self._process:
                self._let_go(keep=self._order.keep_partial)
            raise
        self._tell(downloaded.size, downloaded.size)
        return downloaded

    def _look_around(self) -> Downloaded | None:
        """Return the file if it is there already; otherwise take hold of what an earlier run left."""
        leftover = self._place.leftover()
        if leftover is not None and self._holdings.adopt(leftover):
            published = published_file(leftover, self._order, self._stop)
            if published is not None:
                return published
        if self._place.name is not None:
            final = self._place.folder / self._place.name
            standing = standing_file(final, self._order, self._stop)
            if standing is not None:
                self._holdings.forget()
                return standing
        self._holdings.check(self._order.expected, self._order.digests, self._stop)
        return None

    def _attempt(self) -> Downloaded | None:
        """Bring the file nearer to its end; return it once it stands at its final name."""
        if self._holdings.is_complete:
            return self._finishing.held(self._holdings.total, self._version, self._fetched)
        opening = self._open()
        if opening is None:
            return None
        try:
            first = self._plan(opening)
        except BaseException:
            self._dismiss(opening)
            raise
        if first is None:
            self._dismiss(opening)
            return None
        if opening.is_small:
            return self._take_small(opening)
        return self._transfer(first)

    def _take_small(self, opening: Opening) -> Downloaded | None:
        """Finish a file that came with the first answer."""
        opening.close()
        self._release()
        self._fetched += len(opening.prefix)
        self._finishing.check_end(opening.arrived.answer, self._version)
        return self._finishing.small(
            opening.prefix, self._final(opening), self._version, self._place.key, self._fetched
        )

    # ------------------------------------------------------------ the first answer

    def _open(self) -> Opening | None:
        """Ask for what is missing; None when it failed in a way that may heal, after a polite pause."""
        asked, validator = self._holdings.next_wish()
        if not self._all.hosts.acquire(self._host, self, self._stop):
            raise TransferStoppedError
        self._holds_permit = True
        try:
            opening = send_errand(
                lambda: open_download(
                    self._source,
                    None if self._setbacks.is_rangeless else asked,
                    validator=None if self._setbacks.is_rangeless else validator,
                    order=self._order,
                    patience=self._all.patience,
                    clock=self._all.clock,
                ),
                stop=self._stop,
                discard=Opening.abort,
            )
        except HEALING as error:
            self._release()
            self._setbacks.bear(error, got=self._holdings.total)
            return None
        if opening is None:
            raise TransferStoppedError
        return opening

    def _plan(self, opening: Opening) -> FirstAnswer | None:
        """Decide what an answer is good for; None when another one must be asked for."""
        content = opening.content
        if content is None:
            return self._plan_nothing(opening)
        expected = expected_with(self._order.expected, opening.arrived.facts)
        size = len(opening.prefix) if opening.is_small else content.entity.size
        if expected.size is not None and size is not None and size != expected.size:
            raise SizeMismatchError(url=self._url, expected=expected.size, got=str(size))
        if self._holdings.total and not self._holdings.may_be_of(content.entity):
            self._start_over()
            if content.start > 0 or content.entity.accepts_ranges:
                return None
        self._version = KnownVersion(expected, content, opening.arrived.facts)
        final = self._final(opening)
        if opening.is_small:
            return FirstAnswer(opening.arrived.answer, 0, content.end or 0)
        if content.is_part:
            return self._plan_part(opening, content, final)
        end = content.end
        if end is None:
            # One byte more than announced is room to notice that there are too many.
            end = _NO_END if expected.size is None else expected.size + 1
        self._begin(final, content)
        return FirstAnswer(
            opening.arrived.answer,
            0,
            end,
            prefix=opening.prefix,
            is_everything=True,
            has_open_end=content.end is None,
        )

    def _plan_nothing(self, opening: Opening) -> FirstAnswer | None:
        """Deal with a host that says the file ends before the range that was asked for."""
        if self._holdings.total:
            self._start_over()
            return None
        if opening.is_small:
            self._final(opening)
            return FirstAnswer(opening.arrived.answer, 0, 0)
        self._setbacks.no_range("status 416, though no range was asked for")
        return None

    def _plan_part(self, opening: Opening, content: Content, final: Path) -> FirstAnswer | None:
        """Deal with a right range."""
        end = content.end or 0
        is_provable = (
            content.entity.strong_validator is not None or self._version.expected.has_digest
        )
        is_whole = content.start == 0 and end == content.entity.size
        if not is_provable and not is_whole:
            # What a second answer brings could be of another version, and nobody would notice.
            self._setbacks.no_range("a part of the file, though all of it was asked for")
            return None
        if self._holdings.total:
            # A hub may have told a digest that the order did not.
            self._holdings.follow(self._version.expected, self._order.digests)
        else:
            self._begin(final, content)
        return FirstAnswer(
            opening.arrived.answer,
            content.start,
            end,
            prefix=opening.prefix,
            is_everything=not is_provable,
        )

    def _final(self, opening: Opening) -> Path:
        """Return the final name; where only the host knew it, see to it that it is free."""
        if self._place.name is not None:
            return self._place.folder / self._place.name
        final = self._place.folder / opening.file_name(self._order.url)
        if os.path.lexists(final) and not self._order.overwrite:
            raise DestinationExistsError(path=str(final))
        return final

    # ------------------------------------------------------------ the transfer

    def _begin(self, final: Path, content: Content) -> None:
        """Start with nothing of this version."""
        entity = content.entity
        head = JournalHead(
            origin=self._url,
            key=self._place.key,
            name=final.name,
            size=entity.size,
            validator=entity.strong_validator,
            last_modified=entity.last_modified,
            expected=self._order.expected,
        )
        self._holdings.begin(final, head)
        self._holdings.follow(self._version.expected, self._order.digests)

    def _transfer(self, first: FirstAnswer) -> Downloaded | None:
        """Bring what is missing."""
        partial, size, held = self._holdings.partial, self._holdings.size, self._holdings.total
        if partial is None:
            raise TransferStoppedError
        is_ranged = size is not None and not first.is_everything
        transfer = Transfer(
            PartAsking(self._source, self._holdings, self._version.facts),
            self._holdings.sink(partial),
            self._holdings.missing(size) if size and is_ranged else [(first.start, first.end)],
            first=first,
            host=self._host,
            flow=self,
            surroundings=self._all,
            stop=self._stop,
        )
        self._holds_permit = False  # it is the transfer's now
        total = size or self._version.expected.size or 0
        try:
            ending = transfer.run(lambda count: self._tell(held + count, total), size=size)
        except HEALING as error:
            if not first.is_everything:
                raise
            self._setbacks.bear(error, got=self._holdings.total)
            return None
        finally:
            self._fetched += transfer.fetched
        return self._after(ending, first)

    def _after(self, ending: Ending, first: FirstAnswer) -> Downloaded | None:
        """Go on after a transfer."""
        match ending:
            case Ending.STOPPED:
                raise TransferStoppedError
            case Ending.CHANGED:
                self._start_over()
            case Ending.RANGELESS:
                self._setbacks.no_range("ranges that do not fit")
            case Ending.DONE if first.has_open_end:
                return self._finishing.with_open_end(self._version, self._fetched)
            case Ending.DONE:
                if first.is_everything:
                    self._finishing.check_end(first.answer, self._version)
        return None

    # ------------------------------------------------------------ letting go

    def _start_over(self) -> None:
        """Throw away what is of another version."""
        self._setbacks.count_restart()
        self._holdings.forget()

    def _stopped(self) -> Stopped:
        self._release()
        if self._stop.kind is StopKind.CANCEL:
            self._holdings.vanish(LONGEST_DISCARD)
            return Stopped(StopKind.CANCEL, 0)
        received = self._holdings.freeze()
        self._holdings.keep()
        return Stopped(StopKind.PAUSE, received)

    def _dismiss(self, opening: Opening) -> None:
        opening.abort()
        self._release()

    def _let_go(self, *, keep: bool) -> None:
        self._release()
        if keep:
            self._holdings.keep()
        else:
            self._holdings.forget()

    def _release(self) -> None:
        if self._holds_permit:
            self._holds_permit = False
            self._all.hosts.release(self._host, self)

    def _tell(self, received: int, total: int) -> None:
        """Report progress that never falls: what had to be thrown away is not taken back in public."""
        self._reported = max(self._reported, received)
        self._report(self._reported, total)
