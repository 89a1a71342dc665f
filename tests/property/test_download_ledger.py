"""A ledger says of a byte that it is there when, and only when, it is."""

from __future__ import annotations

import random
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.disk import LocalDisk
from modelshelf.download.journal import JournalHead
from modelshelf.download.partial_file import PartialFile, find_partials
from modelshelf.download.partial_names import PartialNames
from modelshelf.download.spans import Spans

pytestmark = pytest.mark.property

RANGES = st.tuples(st.integers(0, 40), st.integers(0, 40))
STEPS = st.lists(st.tuples(st.booleans(), RANGES), max_size=20)


class TestSpans:
    """A set of ranges behaves as the set of its bytes."""

    @given(STEPS, RANGES)
    def test_it_equals_a_plain_set(
        self, steps: list[tuple[bool, tuple[int, int]]], asked: tuple[int, int]
    ) -> None:
        """After any additions and removals, whatever is asked."""
        spans, plain = Spans(), set[int]()
        for adding, (start, end) in steps:
            changed = spans.add(start, end) if adding else spans.remove(start, end)
            again = changed.add(start, end) if adding else changed.remove(start, end)
            plain = plain | set(range(start, end)) if adding else plain - set(range(start, end))
            assert changed == again
            spans = changed
        ranges = list(spans)
        assert {byte for span in ranges for byte in range(*span)} == plain
        assert all(one.end < other.start for one, other in pairwise(ranges))
        assert spans == Spans(ranges)
        assert (spans.total, spans.end) == (len(plain), max(plain, default=-1) + 1)
        assert spans.prefix == next(byte for byte in range(42) if byte not in plain)
        assert spans.contains(*asked) == (set(range(*asked)) <= plain)
        missing = {byte for span in spans.missing(asked[1], asked[0]) for byte in range(*span)}
        assert missing == set(range(*asked)) - plain


KEY = "0123456789abcdef"
PAGE = 4096
CONTENT = random.Random(5).randbytes(6 * PAGE + 100)  # noqa: S311 - any bytes will do
SIZE = len(CONTENT)
PIECES = [(0, 2 * PAGE), (2 * PAGE, 3 * PAGE), (5 * PAGE, SIZE), (3 * PAGE, 4 * PAGE)]


def fetched(folder: Path, pieces: list[tuple[int, int]]) -> PartialNames:
    """Leave a partial file with these pieces in a folder."""
    with PartialFile.open(folder / "vae", KEY, LocalDisk()) as partial:
        partial.begin(JournalHead("https://example.org/vae", KEY, "vae", SIZE))
        for start, end in pieces:
            partial.write(start, memoryview(CONTENT)[start:end])
    (names,) = find_partials(folder)
    return names


def held(names: PartialNames) -> Spans:
    """See what the next process makes of it, and that it can always go on."""
    with PartialFile.open(names.final, KEY, LocalDisk()) as partial:
        partial.check()
        found = partial.held
        if partial.head is None:
            partial.begin(JournalHead("https://example.org/vae", KEY, "vae", SIZE))
        for start, end in partial.held.missing(SIZE):
            partial.write(start, memoryview(CONTENT)[start:end])
        partial.publish(names.final, size=SIZE)
    assert names.final.read_bytes() == CONTENT
    assert list(names.final.parent.iterdir()) == [names.final]
    names.final.unlink()
    return found


class TestJournal:
    """A record counts when it is whole, and a torn one never says anything else than the truth."""

    def test_torn_at_every_byte_it_knows_what_is_before(self) -> None:
        """Every cut, from an empty journal to the last byte."""
        with tempfile.TemporaryDirectory() as name:
            names = fetched(Path(name), PIECES)
            journal, part = names.journal.read_bytes(), names.part.read_bytes()
            first = len(journal) - 24 * len(PIECES)
            for cut in range(len(journal) + 1):
                names.journal.write_bytes(journal[:cut])
                names.part.write_bytes(part)
                assert held(names) == Spans(PIECES[: max(0, cut - first) // 24])

    @given(st.data())
    def test_damaged_anywhere_it_never_says_what_is_not_so(self, data: st.DataObject) -> None:
        """Bytes changed, zeroed or cut: only pieces that were written are held."""
        with tempfile.TemporaryDirectory() as name:
            names = fetched(Path(name), PIECES)
            journal = bytearray(names.journal.read_bytes())
            positions = st.integers(0, len(journal) - 1)
            for at in data.draw(st.lists(positions, min_size=1, max_size=3)):
                length = data.draw(st.integers(1, 30))
                here = journal[at : at + length]
                kind = data.draw(st.sampled_from(["zeroed", "changed", "cut"]))
                if kind == "zeroed":
                    journal[at : at + length] = bytes(len(here))
                elif kind == "changed":
                    journal[at : at + length] = data.draw(
                        st.binary(min_size=len(here), max_size=len(here))
                    )
                else:
                    del journal[at:]
            names.journal.write_bytes(journal)
            assert all(Spans(PIECES).contains(*span) for span in held(names))


class TestPieces:
    """What a power cut does to a piece is noticed: exactly the sound ones are held."""

    @given(st.data())
    def test_exactly_the_sound_pieces_are_held(self, data: st.DataObject) -> None:
        """Pages zeroed, bits flipped, the end cut or more appended, in any number of pieces."""
        bounds = sorted({0, SIZE, *data.draw(st.lists(st.integers(1, SIZE - 1), max_size=8))})
        pieces = data.draw(st.permutations(list(pairwise(bounds))))
        pieces = pieces[: data.draw(st.integers(0, len(pieces)))]
        with tempfile.TemporaryDirectory() as name:
            names = fetched(Path(name), pieces)
            part = bytearray(names.part.read_bytes())
            for page in data.draw(st.sets(st.integers(0, SIZE // PAGE), max_size=4)):
                end = min((page + 1) * PAGE, SIZE)
                part[page * PAGE : end] = bytes(end - page * PAGE)
            for bit in data.draw(st.lists(st.integers(0, SIZE * 8 - 1), max_size=4)):
                part[bit // 8] ^= 1 << bit % 8
            part = part[: data.draw(st.integers(0, SIZE) | st.just(SIZE))]
            part += data.draw(st.binary(max_size=20)) if len(part) == SIZE else b""
            names.part.write_bytes(part)
            sound = [(one, end) for one, end in pieces if part[one:end] == CONTENT[one:end]]
            assert held(names) == Spans(sound)
