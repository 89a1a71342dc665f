"""A file that is being fetched: its bytes at their offsets, and a ledger of which of them are there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from modelshelf.download.destination_trouble import destination_trouble
from modelshelf.download.gate import Gate, PartialFileShutError
from modelshelf.download.journal import Journal, JournalHead, Piece
from modelshelf.download.owned_file import OwnedFile
from modelshelf.download.partial_names import PartialNames, find_partials
from modelshelf.download.piece_check import LONGEST_PIECE, check_pieces
from modelshelf.download.piece_checksum import piece_checksum
from modelshelf.download.publishing import give_final_name, make_durable, publish_small
from modelshelf.download.room import reserve_room
from modelshelf.download.spans import Spans
from modelshelf.download.write_behind import WriteBehind
from modelshelf.errors import DestinationUnusableError, NotEnoughSpaceError
from modelshelf.protocols import Disk

__all__ = ["PartialFile", "PartialFileShutError", "find_partials", "publish_small"]


class PartialFile:
    """What came of one file, from the first byte to its final name, in the hands of one owner.

    ::

        FOLDER/
        ├─ .<name>.<key>.part         preallocated, mode 0600
        ├─ .<name>.<key>.journal      one record for each piece; its lock is the owner's
        └─ <name>                     appears whole, when `publish` says so

    Whatever instant the process dies at, `open` finds either a partial file to go on with or the whole file at
    its final name. What a power cut zeroed, kept old or cut off costs the pieces that it hit.

    `write` and `read_into` may be called from any threads at once; everything else from one.

    Example:
        >>> import tempfile
        >>> from modelshelf.disk import LocalDisk
        >>> folder = tempfile.TemporaryDirectory()
        >>> final = Path(folder.name) / "vae.safetensors"
        >>> partial = PartialFile.open(final, "0123456789abcdef", LocalDisk())
        >>> partial.begin(JournalHead("https://example.org/vae", partial.key, final.name, size=6))
        >>> partial.write(3, memoryview(b"def"))
        >>> partial.close()
        >>> partial = PartialFile.open(final, "0123456789abcdef", LocalDisk())
        >>> partial.check()
        >>> partial.held.missing(6)
        Spans((0, 3))
        >>> partial.write(0, memoryview(b"abc"))
        >>> partial.publish(final, size=6)
        >>> final.read_bytes(), len(list(final.parent.iterdir()))
        (b'abcdef', 1)
        >>> folder.cleanup()
    """

    def __init__(self, final: Path, names: PartialNames, owned: OwnedFile, disk: Disk) -> None:
        """Use `open`."""
        self.final = final
        """What it is going to be."""
        self.key = names.key
        """What it is found by."""
        self.was_published = False
        """Whether an earlier process published it and died before it could clean up: *final* is the whole file,
        and nothing is left to fetch."""
        self._held = Spans()
        self._names = names
        self._owned = owned
        self._journal = Journal(owned)
        self._disk = disk
        self._part: OwnedFile | None = None
        self._behind: WriteBehind  # comes with it, in `_hold`
        self._gate = Gate()
        self._lock = Lock()
        self._is_closed = False

    @classmethod
    def open(cls, final: Path, key: str, disk: Disk) -> Self:
        """Take hold of what there is of *final*, maybe nothing.

        Args:
            final: The final name, in a folder that exists.
            key: A digest of what is fetched, 16 to 64 lower-case hexadecimal digits. Partial files of other
                keys are never touched.
            disk: Through which to write.

        Raises:
            DownloadBusyError: Somebody else, in this process or another, has hold of it.
            DestinationUnusableError: The system refused, or a link stands where a file should be.
            NotEnoughSpaceError: Not even the journal has room.
        """
        names = PartialNames.of(final, key)
        with destination_trouble(final):
            opened = cls(final, names, OwnedFile.take_or_make(names.journal, disk), disk)
            try:
                opened._take_part()
            except BaseException:
                if opened.head is None:
                    with suppress(OSError):
                        opened._owned.remove()
                opened._release()
                raise
        return opened

    @property
    def head(self) -> JournalHead | None:
        """What the bytes are a part of; None where there is nothing to go on with, before `begin`."""
        return self._journal.head

    @property
    def held(self) -> Spans:
        """Which bytes are there for certain: those written since `open`, and with `check` the earlier ones."""
        return self._held

    def check(self, go_on: Callable[[], bool] = lambda: True) -> None:
        """Read every piece that the journal knows, and hold those that are as they were written.

        The others are forgotten. A file that is longer than it should be is cut; room that is missing is
        reserved again.

        Args:
            go_on: Asked before each piece, at least every few milliseconds; once it says False the rest is left
                for another time.

        Raises:
            NotEnoughSpaceError: There is no room for the rest. What came is kept.
            DestinationUnusableError: The system refused.
        """
        head = self._journal.head
        if head is None or self._part is None:
            return
        with destination_trouble(self.final):
            if head.size is not None:
                reserve_room(self._part, head.size, self.final, self._disk)
            self._held = check_pieces(self._journal, self._part, self._held, go_on)

    def begin(self, head: JournalHead) -> None:
        """Start afresh: forget what there was and reserve the room for what is to come.

        Args:
            head: What is going to be fetched. Where it says a size, nothing is written beyond it.

        Raises:
            NotEnoughSpaceError: The disk has not room for the file and a twentieth more. Nothing is left of the
                partial file, and it is shut.
            DestinationUnusableError: The system refused. The same.
        """
        self._held = Spans()
        try:
            with destination_trouble(self.final, needed=head.size or 0):
                self._journal.forget()
                part = self._part or self._hold(OwnedFile.make(self._names.part, self._disk))
                if head.size is None:
                    part.truncate(0)
                else:
                    # Room that is there already stays: given back, it would not be free at once everywhere.
                    reserve_room(part, head.size, self.final, self._disk)
                self._journal.begin(head)
        except BaseException:
            with suppress(NotEnoughSpaceError, DestinationUnusableError):
                self.discard()
            raise

    def write(self, offset: int, chunk: memoryview) -> None:
        """Write all of *chunk* and then, a piece at a time, that it is there.

        Args:
            offset: Where it begins.
            chunk: Bytes, contiguous; good for anything again when this returns. One record is written for each
                MiB or part of it, so give half a MiB or more where there is as much.

        Raises:
            PartialFileShutError: Nothing is taken any more.
            NotEnoughSpaceError: The disk is full; what was written before is kept.
            DestinationUnusableError: The system refused; what was written before is kept.
            ValueError: The chunk reaches beyond the size of the file, or `begin` was never called.
        """
        head = self._journal.head
        if head is None or (head.size is not None and offset + len(chunk) > head.size):
            raise ValueError(offset)
        with self._gate.passing(), destination_trouble(self.final, needed=len(chunk)):
            for start in range(0, len(chunk), LONGEST_PIECE):
                self._write_piece(offset + start, chunk[start : start + LONGEST_PIECE])

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill *buffer* from *offset*.

        Returns:
            How many bytes came; fewer than asked for only at the end of the file.

        Raises:
            PartialFileShutError: It is stopped, published or discarded.
            DestinationUnusableError: The system refused.
        """
        with self._gate.passing(), destination_trouble(self.final):
            return self._opened().read_into(buffer, offset)

    def shut(self) -> None:
        """Take no more bytes, from nobody: returns once no write is under way."""
        self._gate.shut()

    def publish(
        self, final: Path, *, size: int, overwrite: bool = False, sync_folder: bool = True
    ) -> None:
        """Give the file its final name, durable and readable, and let go of it.

        The caller has compared size and digest. Nothing of the partial file is left.

        Args:
            final: Where it shall be, in the folder where it is; usually the name that it was opened with.
            size: Its bytes; what lies beyond is cut off.
            overwrite: Whether a file that stands there is replaced. A link is never followed.
            sync_folder: Whether to wait until the name survives a power cut. A caller that publishes many files
                says False and flushes their folder once.

        Raises:
            DestinationExistsError: Something stands there. It is kept, and so is the partial file.
            NotEnoughSpaceError: The disk is full; the partial file is kept.
            DestinationUnusableError: The system refused, or somebody moved the partial file away.
            ValueError: Bytes are missing.
        """
        part = self._part
        if part is None or not self._held.contains(0, size):
            raise ValueError(size)
        self.shut()
        with destination_trouble(final):
            if not part.has_its_name:
                reason = "somebody moved the partial file away"
                raise DestinationUnusableError(path=str(part.path), reason=reason)
            if part.status.st_size != size:
                part.truncate(size)
            make_durable(part.descriptor, self._disk)
            with suppress(OSError):
                # Tells whoever comes after a kill between the next two steps that the file there is this one.
                self._journal.append(Piece(part.status.st_ino, 0, 0))
            give_final_name(
                part.path, final, self._disk, overwrite=overwrite, sync_folder=sync_folder
            )
        with suppress(OSError):
            # An orphaned journal is removed by whoever comes next; the file is where it should be.
            self._owned.remove()
        self._release()

    def discard(self, gone: Callable[[], object] = lambda: None) -> None:
        """Remove what came, and let go. Without effect after `publish` or `close`.

        Args:
            gone: Called when nothing is seen of it; a write under way and freed room take longer.

        Raises:
            DestinationUnusableError: The system refused; what is left, `find_partials` finds.
        """
        if self._is_closed:
            gone()
            return
        self._gate.bar()
        is_nothing_else = False
        try:
            with destination_trouble(self.final):
                is_nothing_else = self._remove_names()
        finally:
            gone()
            self.shut()
            if self._part and is_nothing_else:
                with suppress(OSError):
                    # Some systems free the room of a removed file much later.
                    self._part.truncate(0)
            self._release()

    def _remove_names(self) -> bool:
        """Take both names away; say whether the bytes have no other."""
        with suppress(OSError):
            # Killed from here on, it leaves nothing that somebody would go on with.
            self._journal.forget()
        if self._part is None:
            self._owned.remove()
            return False
        # The journal last: it is what says whose the other is.
        is_nothing_else = self._part.has_only_its_name
        self._part.remove()
        self._owned.remove()
        return is_nothing_else

    def close(self) -> None:
        """Let go, and keep what came for another time. Where nothing was begun, nothing is left."""
        if self._journal.head is None:
            self.discard()
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _hold(self, part: OwnedFile) -> OwnedFile:
        self._part = part
        self._behind = WriteBehind(part.descriptor)
        return part

    def _opened(self) -> OwnedFile:
        if self._part is None:
            raise PartialFileShutError
        return self._part

    def _write_piece(self, offset: int, content: memoryview) -> None:
        self._opened().write(content, offset)
        # After its bytes: a record that can be read was preceded by them.
        self._journal.append(Piece(offset, len(content), piece_checksum(content)))
        with self._lock:
            self._held = self._held.add(offset, offset + len(content))
        self._behind.wrote(offset, offset + len(content))

    def _take_part(self) -> None:
        """Open the bytes that an earlier process left, or see what became of them."""
        marks = {piece.offset for _, piece in self._journal.pieces() if not piece.length}
        part = OwnedFile.take(self._names.part, self._disk)
        if part and part.status.st_nlink == 1:
            self._hold(part)
        elif part:
            # It has another name too, its final one or somebody's: writing would change that file.
            marks.add(part.status.st_ino)
            try:
                part.remove()
            finally:
                part.close()
        with suppress(FileNotFoundError):
            self.was_published = not self._part and self.final.lstat().st_ino in marks
        if self._part is None and self._journal.head is not None:
            self._journal.forget()

    def _release(self) -> None:
        if not self._is_closed:
            self.shut()
            self._is_closed = True
            if self._part:
                self._part.close()
            self._owned.close()
