"""One run of one order: opening, transfer, comparison, final name, and what goes wrong on the way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

from modelshelf.download.checked_existing import checked_existing, hash_existing
from modelshelf.download.considerate_transport import ConsiderateTransport
from modelshelf.download.content_answer import Content, content_of
from modelshelf.download.destination import Destination
from modelshelf.download.errand import send_errand
from modelshelf.download.failed_attempts import (
    HEALING,
    RemoteChangedError,
    RetryLaterError,
    TransferStoppedError,
    UnusableAnswerError,
)
from modelshelf.download.file_sink import FileSink
from modelshelf.download.following import Buffers, FollowedDigests, Follower
from modelshelf.download.journal import JournalHead
from modelshelf.download.opening import Opening, open_download
from modelshelf.download.partial_file import PartialFile, publish_small
from modelshelf.download.redirects import SeenFacts
from modelshelf.download.remote_source import RemoteSource
from modelshelf.download.segment_worker import FirstAnswer
from modelshelf.download.segments import FIRST_SEGMENT
from modelshelf.download.stop_signal import StopSignal
from modelshelf.download.transfer import Ending, Surroundings, Transfer
from modelshelf.download.verdict import expected_with, verdict
from modelshelf.errors import (
    ConnectionLostError,
    DestinationExistsError,
    DigestMismatchError,
    InvalidAnswerError,
    RemoteFileChangedError,
    SizeMismatchError,
)
from modelshelf.protocols import Answer, Disk, Transport
from modelshelf.schema.transfer import Downloaded, StopKind, Stopped, TransferOrder, Verification

__all__ = ["FileRun"]

_BUFFER = 512 * 1024
"""Bytes that one connection collects before it writes them."""
_UNUSABLE = 2
"""Answers that do not fit the request, after which ranges are not asked for any more."""
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
        self._process = os.getpid()
        self._order = order
        self._expected = order.expected
        self._disk = disk
        self._all = surroundings
        self._stop = stop
        self._report = report
        patience = surroundings.patience
        considerate = ConsiderateTransport(transport, surroundings.hosts, stop, patience)
        self._source = RemoteSource(considerate, order, patience)
        self._place = Destination.of(order)
        self._host = str(self._source.origin)
        self._random = Random()  # noqa: S311 - spreads pauses, guards nothing
        self._partial: PartialFile | None = None
        self._follower: Follower | None = None
        self._content: Content | None = None
        self._facts = SeenFacts()
        self._holds_permit = False
        self._is_rangeless = False
        self._fetched = 0
        self._reported = 0
        self._best = 0
        self._failures = 0
        self._unusable = 0
        self._restarts = 0
        self._mismatches = 0

    def carry_out(self) -> Downloaded | Stopped:
        """Fetch the file; see `FileDownload.run`."""
        try:
            downloaded = self._known()
            while downloaded is None:
                downloaded = self._attempt()
        except TransferStoppedError:
            return self._stopped()
        except BaseException:
            # A handler may have forked, and then this may be the child: files and sockets are its parent's.
            if os.getpid() == self._process:
                self._let_go(keep=self._order.keep_partial)
            raise
        self._tell(downloaded.size, downloaded.size)
        return downloaded

    # ------------------------------------------------------------ what is there already

    def _known(self) -> Downloaded | None:
        """Return the file if it is there already; otherwise take hold of what an earlier run left."""
        leftover = self._place.leftover()
        if leftover is not None:
            self._partial = PartialFile.open(leftover, self._place.key, self._disk)
            if self._partial.was_published:
                self._partial.close()
                self._partial = None
                return self._published(leftover)
        if self._place.name is not None:
            found = self._existing(self._place.folder / self._place.name)
            if found is not None:
                self._let_go(keep=False)
                return found
        if self._partial is not None:
            self._partial.check(lambda: self._stop.kind is None)
            self._go_on()
        return None

    def _published(self, final: Path) -> Downloaded | None:
        """Return the file that an earlier run published just before it died."""
        found = hash_existing(final, self._algorithms(), go_on=lambda: self._stop.kind is None)
        if found is None:
            return None
        return Downloaded(
            path=final,
            size=found.size,
            verification=Verification.DIGEST if self._expected.has_digest else Verification.SIZE,
            sha256=found.sha256,
            blake3=found.blake3,
            fetched=0,
            etag=None,
            content_type=None,
        )

    def _existing(self, final: Path) -> Downloaded | None:
        if not os.path.lexists(final):
            return None
        found = checked_existing(
            final,
            self._expected,
            digests=self._order.digests,
            go_on=lambda: self._stop.kind is None,
        )
        if self._stop.kind is not None:
            raise TransferStoppedError
        if found is None and not self._order.overwrite:
            raise DestinationExistsError(path=str(final))
        return found

    def _go_on(self) -> None:
        """Keep what an earlier run left if it can be proved to belong to what comes, else forget it."""
        if self._partial is None or self._partial.head is None:
            return
        head = self._partial.head
        if head.size is None or not (head.validator or self._expected.has_digest):
            self._forget()
            return
        self._follow(head.size)
        self._tell(self._partial.held.total, head.size)

    # ------------------------------------------------------------ one attempt

    def _attempt(self) -> Downloaded | None:
        """Bring the file nearer; return it once it is whole."""
        if self._is_complete():
            return self._finish()
        opening = self._open()
        if opening is None:
            return None
        try:
            first = self._plan(opening)
        except BaseException:
            opening.abort()
            self._release()
            raise
        if first is None:
            opening.abort()
            self._release()
            return None
        if opening.is_small:
            opening.close()
            self._release()
            return self._finish_small(opening)
        return self._transfer(first)

    def _is_complete(self) -> bool:
        partial = self._partial
        size = partial.head.size if partial is not None and partial.head is not None else None
        return size is not None and partial is not None and partial.held.contains(0, size)

    def _open(self) -> Opening | None:
        """Ask for what is missing; None when it failed in a way that may heal, after a polite pause."""
        asked, validator = self._wish()
        if not self._all.hosts.acquire(self._host, self, self._stop):
            raise TransferStoppedError
        self._holds_permit = True
        try:
            opening = send_errand(
                lambda: open_download(
                    self._source,
                    asked,
                    validator=validator,
                    order=self._order,
                ),
                stop=self._stop,
                discard=Opening.abort,
            )
        except HEALING as error:
            self._release()
            self._bear(error, was_asked=asked is not None)
            return None
        except BaseException:
            self._release()
            raise
        if opening is None:
            self._release()
            raise TransferStoppedError
        return opening

    def _wish(self) -> tuple[tuple[int, int] | None, str | None]:
        """Say which bytes to ask for, and of which version."""
        if self._is_rangeless:
            return None, None
        head = self._partial.head if self._partial is not None else None
        if self._partial is None or head is None or head.size is None or not self._partial.held:
            return (0, FIRST_SEGMENT), None
        start, end = next(iter(self._partial.held.missing(head.size)))
        return (start, min(end, start + FIRST_SEGMENT)), head.validator

    def _plan(self, opening: Opening) -> FirstAnswer | None:
        """Decide what an answer is good for; None when another one must be asked for."""
        content = opening.content
        if content is None:
            return self._plan_nothing(opening)
        expected = expected_with(self._order.expected, opening.arrived.facts)
        size = content.entity.size
        if expected.size is not None and size is not None and size != expected.size:
            raise SizeMismatchError(
                url=self._source.public_url, expected=expected.size, got=str(size)
            )
        self._expected, self._facts = expected, opening.arrived.facts
        held = self._partial is not None and bool(self._partial.held)
        if held and not self._is_same(content):
            self._count_restart()
            self._forget()
            if content.start > 0 or content.entity.accepts_ranges:
                return None
        self._content = content
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
        if self._partial is not None and self._partial.held:
            self._count_restart()
            self._forget()
            return None
        if opening.is_small:
            self._final(opening)
            return FirstAnswer(opening.arrived.answer, 0, 0)
        if self._is_rangeless:
            reason = "status 416, though no range was asked for"
            raise InvalidAnswerError(url=self._source.public_url, reason=reason)
        self._is_rangeless = True
        return None

    def _plan_part(self, opening: Opening, content: Content, final: Path) -> FirstAnswer | None:
        """Deal with a right range."""
        end = content.end or 0
        is_provable = content.entity.strong_validator is not None or self._expected.has_digest
        is_whole = content.start == 0 and end == content.entity.size
        if not is_provable and not is_whole:
            # What a second answer brings could be of another version, and nobody would notice.
            self._is_rangeless = True
            return None
        if content.start == 0:
            self._begin(final, content)
        return FirstAnswer(
            opening.arrived.answer,
            content.start,
            end,
            prefix=opening.prefix,
            is_everything=not is_provable,
        )

    def _is_same(self, content: Content) -> bool:
        """Say whether an answer is of the version of which bytes are held."""
        head = self._partial.head if self._partial is not None else None
        if head is None:
            return True
        entity = content.entity
        return (
            content.is_part
            and entity.size == head.size
            and (
                head.validator is None
                or entity.strong_validator is None
                or entity.strong_validator == head.validator
            )
        )

    def _final(self, opening: Opening) -> Path:
        """Return the final name, and see to it that it is free."""
        name = self._place.name
        if name is None:
            name = opening.file_name(self._order.url)
            final = self._place.folder / name
            if os.path.lexists(final) and not self._order.overwrite:
                raise DestinationExistsError(path=str(final))
        return self._place.folder / name

    # ------------------------------------------------------------ the transfer

    def _begin(self, final: Path, content: Content) -> None:
        """Start an empty partial file for this version."""
        if self._partial is not None and self._partial.final != final:
            self._partial.discard()
            self._partial = None
        if self._partial is None:
            self._partial = PartialFile.open(final, self._place.key, self._disk)
        size = content.entity.size
        self._partial.begin(
            JournalHead(
                origin=self._source.public_url,
                key=self._place.key,
                name=final.name,
                size=size,
                validator=content.entity.strong_validator,
                last_modified=content.entity.last_modified,
                expected=self._order.expected,
            )
        )
        self._follow(size)

    def _follow(self, size: int | None) -> None:
        """Let digests be worked out of what is held and of what comes."""
        if self._follower is not None:
            self._follower.close()
            self._follower = None
        if self._partial is None:
            return
        algorithms = self._algorithms()
        # git's digest begins with the size.
        git_size = (size or self._expected.size) if self._expected.git_sha1 else None
        if algorithms or git_size is not None:
            self._follower = Follower(
                algorithms, self._partial, git_size=git_size, held=self._partial.held
            )

    def _algorithms(self) -> set[str]:
        wanted = {
            digest.algorithm.value
            for digest in (self._expected.sha256, self._expected.blake3)
            if digest
        }
        return wanted | self._order.digests

    def _transfer(self, first: FirstAnswer) -> Downloaded | None:
        """Bring what is missing."""
        partial = self._partial
        if partial is None:
            raise TransferStoppedError
        size = partial.head.size if partial.head is not None else None
        held = partial.held.total
        missing = [(first.start, first.end)]
        if size is not None and not first.is_everything:
            missing = list(partial.held.missing(size))
        transfer = Transfer(
            self._open_part,
            FileSink(partial, self._follower, Buffers(_BUFFER)),
            missing,
            first=first,
            host=self._host,
            flow=self,
            surroundings=self._all,
            stop=self._stop,
        )
        self._holds_permit = False  # it is the transfer's now
        total = size or self._expected.size or 0
        try:
            ending = transfer.run(lambda count: self._tell(held + count, total), size=size)
        except HEALING as error:
            if not first.is_everything:
                raise
            self._bear(error, was_asked=not self._is_rangeless)
            return None
        finally:
            self._fetched += transfer.fetched
        return self._after(ending, first)

    def _after(self, ending: Ending, first: FirstAnswer) -> Downloaded | None:
        match ending:
            case Ending.STOPPED:
                raise TransferStoppedError
            case Ending.CHANGED:
                self._count_restart()
                self._forget()
            case Ending.RANGELESS:
                self._is_rangeless = True
            case Ending.DONE if first.has_open_end:
                return self._finish_open()
            case Ending.DONE:
                pass
        return None

    def _open_part(self, start: int, end: int) -> Answer:
        """Ask for a range of the version that is being fetched; see `transfer.PartOpener`."""
        head = self._partial.head if self._partial is not None else None
        validator = head.validator if head is not None else None
        arrived = self._source.ask((start, end), validator=validator)
        answer = arrived.answer
        try:
            is_same_file = arrived.facts.linked_etag == self._facts.linked_etag
            content = content_of(answer.status, answer.headers, (start, end))
            self._check_part(content if is_same_file else None, head)
        except BaseException:
            answer.abort()
            answer.close()
            raise
        return answer

    def _check_part(self, content: Content | None, head: JournalHead | None) -> None:
        """Raise unless an answer brings a range of the version that is being fetched."""
        if content is None or head is None or content.entity.size != head.size:
            raise RemoteChangedError
        if content.is_part:
            if not self._is_same(content):
                raise RemoteChangedError
        elif head.validator is not None and content.entity.strong_validator == head.validator:
            message = "the whole file in place of a range"
            raise UnusableAnswerError(message)
        else:
            raise RemoteChangedError

    # ------------------------------------------------------------ the end

    def _finish_open(self) -> Downloaded | None:
        """Deal with a body whose length only its end told."""
        partial, content = self._partial, self._content
        if partial is None or content is None:
            return None
        size, expected = partial.held.total, self._expected.size
        if expected is not None and size != expected:
            if size > expected or content.end_is_marked:
                got = "more" if size > expected else str(size)
                raise SizeMismatchError(url=self._source.public_url, expected=expected, got=got)
            lost = ConnectionLostError(
                url=self._source.public_url, reason=f"{size} of {expected} bytes came"
            )
            self._bear(lost, was_asked=False)
            return None
        return self._finish(size)

    def _finish(self, size: int | None = None) -> Downloaded | None:
        """Compare what came with what was announced, and give it its name."""
        partial = self._partial
        if partial is None or partial.head is None:
            return None
        if size is None:
            size = partial.head.size or 0
        found: FollowedDigests | None = FollowedDigests(size)
        if self._follower is not None:
            forget = self._stop.on_stop(self._follower.stop)
            try:
                found = self._follower.digests(size)
            finally:
                forget()
        if found is None or self._stop.kind is not None:
            raise TransferStoppedError
        content = self._content
        is_announced = content is None or content.end_is_marked or self._expected.size is not None
        try:
            verification = verdict(
                self._expected, found, url=self._source.public_url, is_size_announced=is_announced
            )
        except DigestMismatchError:
            if self._is_second_mismatch():
                raise
            return None
        final = partial.final
        partial.publish(final, size=size, overwrite=self._order.overwrite)
        self._let_go(keep=True)
        return self._downloaded(final, size, found, verification)

    def _finish_small(self, opening: Opening) -> Downloaded | None:
        """Compare and publish a file that is in memory."""
        content, body = opening.content, opening.prefix
        self._fetched += len(body)
        git_size = len(body) if self._expected.git_sha1 else None
        follower = Follower(
            self._algorithms(), _InMemory(body, self._place.folder), git_size=git_size
        )
        follower.offer(0, memoryview(body))
        found = follower.digests() or FollowedDigests(len(body))
        follower.close()
        self._content = content
        try:
            verification = verdict(
                self._expected, found, url=self._source.public_url, is_size_announced=True
            )
        except DigestMismatchError:
            if self._is_second_mismatch():
                raise
            return None
        if self._stop.kind is not None:
            raise TransferStoppedError
        self._let_go(keep=False)
        final = self._final(opening)
        publish_small(final, body, self._disk, key=self._place.key, overwrite=self._order.overwrite)
        return self._downloaded(final, len(body), found, verification)

    def _downloaded(
        self, final: Path, size: int, found: FollowedDigests, verification: Verification
    ) -> Downloaded:
        entity = self._content.entity if self._content is not None else None
        return Downloaded(
            path=final,
            size=size,
            verification=verification,
            sha256=found.sha256,
            blake3=found.blake3,
            fetched=self._fetched,
            etag=entity.etag if entity is not None else None,
            content_type=entity.content_type if entity is not None else None,
        )

    # ------------------------------------------------------------ what goes wrong

    def _bear(self, error: Exception, *, was_asked: bool) -> None:
        """Wait before another attempt, or raise what there is no use in attempting again."""
        got = self._partial.held.total if self._partial is not None else 0
        self._failures = 1 if got > self._best else self._failures + 1
        self._best = max(self._best, got)
        most = self._all.patience.attempts
        if isinstance(error, RetryLaterError) and error.most is not None:
            most = min(most, error.most + 1)
        if isinstance(error, UnusableAnswerError):
            self._unusable += 1
            if not was_asked:
                raise InvalidAnswerError(url=self._source.public_url, reason=str(error)) from error
            self._is_rangeless = self._unusable >= _UNUSABLE
        elif self._failures >= most:
            raise error.error if isinstance(error, RetryLaterError) else error
        if self._stop.wait(self._all.patience.pause_before(self._failures, self._random)):
            raise TransferStoppedError

    def _count_restart(self) -> None:
        self._restarts += 1
        if self._restarts > self._all.patience.restarts:
            raise RemoteFileChangedError(url=self._source.public_url)

    def _is_second_mismatch(self) -> bool:
        """Forget bytes that are not what was announced; say whether that has happened before."""
        self._mismatches += 1
        self._forget()
        return self._mismatches > 1

    def _forget(self) -> None:
        """Throw away what is held."""
        if self._follower is not None:
            self._follower.close()
            self._follower = None
        if self._partial is not None:
            self._partial.discard()
            self._partial = None

    def _stopped(self) -> Stopped:
        kind = self._stop.kind or StopKind.PAUSE
        if self._follower is not None:
            self._follower.stop()
        received = 0
        if self._partial is not None:
            self._partial.shut()
            received = self._partial.held.total if kind is StopKind.PAUSE else 0
        self._let_go(keep=kind is StopKind.PAUSE)
        return Stopped(kind, received)

    def _let_go(self, *, keep: bool) -> None:
        """Let go of everything that this run holds."""
        self._release()
        if self._follower is not None:
            self._follower.close()
            self._follower = None
        if self._partial is not None:
            partial, self._partial = self._partial, None
            if keep:
                partial.close()
            else:
                partial.discard()

    def _release(self) -> None:
        if self._holds_permit:
            self._holds_permit = False
            self._all.hosts.release(self._host, self)

    def _tell(self, received: int, total: int) -> None:
        """Report progress that never falls: what had to be thrown away is not taken back in public."""
        self._reported = max(self._reported, received)
        self._report(self._reported, total)


class _InMemory:
    """A file that is in memory; see `following.Readable`."""

    def __init__(self, content: bytes, final: Path) -> None:
        self._content = content
        self.final = final

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """See `following.Readable`."""
        part = self._content[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)
