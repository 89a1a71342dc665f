from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.download.journal import Journal, JournalHead, Piece
from modelshelf.download.owned_file import OwnedFile
from modelshelf.schema.digest import Digest
from modelshelf.schema.transfer import ExpectedContent

HEAD = JournalHead(
    origin="https://example.org/acme/vae.safetensors",
    key="0123456789abcdef",
    name="vae.safetensors",
    size=100,
    validator='"etag"',
    last_modified="Sun, 22 Nov 2026 10:00:00 GMT",
    expected=ExpectedContent(
        size=100,
        sha256=Digest.parse("sha256:" + "1" * 64),
        blake3=Digest.parse("blake3:" + "2" * 64),
        git_sha1="3" * 40,
    ),
)
PIECES = [Piece(0, 10, 2**64 - 1), Piece(90, 10, 0), Piece(10, 2**32 - 1, 7)]


def opened(path: Path) -> Journal:
    return Journal(OwnedFile.take_or_make(path, LocalDisk()))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a journal with three records lies."""
    path = tmp_path / "journal"
    file = OwnedFile.take_or_make(path, LocalDisk())
    journal = Journal(file)
    journal.begin(HEAD)
    for piece in PIECES:
        journal.append(piece)
    file.close()
    return path


def pieces(path: Path) -> list[Piece]:
    file = OwnedFile.take_or_make(path, LocalDisk())
    found = [piece for _, piece in Journal(file).pieces()]
    file.close()
    return found


def test_what_was_written_is_read(path: Path) -> None:
    """Every field of the head, and every record in its order."""
    journal = opened(path)
    assert journal.head == HEAD
    assert [piece for _, piece in journal.pieces()] == PIECES


def test_a_head_may_know_nothing() -> None:
    """A host need not tell anything of its file."""
    head = JournalHead(origin="http://example.org/", key="0" * 16, name="a")
    assert JournalHead.parse(head.to_bytes()) == head


@pytest.mark.parametrize(
    "origin",
    [
        "https://user:secret@example.org/a",
        "https://token@example.org/a",
        "https://example.org/a?token=secret",
        "https://example.org/a#secret",
    ],
)
def test_a_secret_does_not_get_into_a_head(origin: str) -> None:
    """An origin with user information, query or fragment is refused."""
    with pytest.raises(ValueError, match="without user information"):
        JournalHead(origin=origin, key="0" * 16, name="a")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"origin": 1}',
        b'{"size": -1}',
        b'{"size": "1"}',
        b'{"sha256": "sha256:1"}',
        b'{"origin": "https://a@b/"}',
    ],
)
def test_what_is_no_head_is_refused(content: bytes) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(ValueError, match=r".*"):
        JournalHead.parse(content)


def test_a_new_journal_has_no_head(tmp_path: Path) -> None:
    """And no records."""
    journal = opened(tmp_path / "journal")
    assert (journal.head, list(journal.pieces())) == (None, [])


def test_a_new_beginning_forgets_every_record(path: Path) -> None:
    """Even one that a power cut brings back behind the new head."""
    old = path.read_bytes()
    file = OwnedFile.take_or_make(path, LocalDisk())
    journal = Journal(file)
    journal.begin(HEAD)
    file.close()
    assert pieces(path) == []
    path.write_bytes(path.read_bytes() + old[len(path.read_bytes()) :])
    assert pieces(path) == []


def test_a_torn_record_is_passed_over_and_not_continued(path: Path) -> None:
    """What is appended after it can be read."""
    path.write_bytes(path.read_bytes()[:-5])
    file = OwnedFile.take_or_make(path, LocalDisk())
    Journal(file).append(Piece(50, 1, 1))
    file.close()
    assert pieces(path) == [*PIECES[:2], Piece(50, 1, 1)]


def test_a_record_in_a_hole_is_passed_over(path: Path) -> None:
    """The others count, before and after."""
    file = OwnedFile.take_or_make(path, LocalDisk())
    journal = Journal(file)
    (index, _), *_ = journal.pieces()
    journal.erase(index)
    file.close()
    assert pieces(path) == PIECES[1:]


def test_thousands_of_records_are_read(path: Path) -> None:
    """More than are read at once."""
    file = OwnedFile.take_or_make(path, LocalDisk())
    journal = Journal(file)
    more = [Piece(number, 1, number) for number in range(9000)]
    for piece in more:
        journal.append(piece)
    file.close()
    assert pieces(path) == [*PIECES, *more]


def test_a_head_that_claims_to_be_huge_is_none(path: Path) -> None:
    """It is not even read."""
    content = bytearray(path.read_bytes())
    content[8:12] = b"\xff" * 4
    path.write_bytes(content)
    assert opened(path).head is None


def test_a_head_of_brackets_is_none(path: Path) -> None:
    """A checksum that is right makes it no better."""
    content = b"[" * 200_000
    file = OwnedFile.take_or_make(path, LocalDisk())

    class Brackets(JournalHead):
        def to_bytes(self) -> bytes:
            return content

    Journal(file).begin(Brackets(origin="", key="", name=""))
    file.close()
    assert opened(path).head is None
