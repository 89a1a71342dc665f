"""A person's YAML file of records, cut into the lines of each, so that a change touches nothing else.

A record begins where a key stands at the left edge, and ends before the comments and blank lines that
stand above the next one. Each is read for itself, and one whose lines did not change is not read again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from modelshelf.records.yaml_plain import read_plain
from modelshelf.records.yaml_record import Fields, Mistake, RecordText, read_record
from modelshelf.records.yaml_text import LONGEST_KEY, key_text, lines_of

__all__ = ["METADATA", "Entry", "YamlDocument", "fits_a_key", "new_document", "parse_document"]

METADATA = "__metadata__"
"""The key beneath which the file says what it is."""

_BYTE_ORDER_MARK = "\ufeff"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_MARK = re.compile(r"(---|\.\.\.)(\s|$)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One record's piece of the file."""

    above: str
    """Blank lines and comments between it and what stands before it."""
    text: str
    """Its own lines, from the key to the last thing that is said of it."""
    record: RecordText
    """What they say."""


@dataclass(frozen=True)
class YamlDocument:
    """The pieces of a file in order; joined they are the file, character for character."""

    head: str
    """What stands before the first key: comments, a `---`."""
    entries: Mapping[str, Entry]
    """By key, in the order of the file, `__metadata__` among them."""
    tail: str
    """Comments and blank lines at the end."""
    mistakes: tuple[Mistake, ...] = field(default=())
    """Why it is no YAML mapping of records; empty where it is one. What is wrong in one record alone stands
    in that record's entry."""

    def text(self) -> str:
        """Return the whole file."""
        pieces = (piece for each in self.entries.values() for piece in (each.above, each.text))
        return "".join((self.head, *pieces, self.tail))

    def line_of(self, key: str) -> int:
        """Return the number of the line that *key* stands on, counted from 1."""
        line = 1 + self.head.count("\n")
        for name, entry in self.entries.items():
            line += entry.above.count("\n")
            if name == key:
                break
            line += entry.text.count("\n")
        return line

    def with_text(self, key: str, text: str, record: RecordText) -> YamlDocument:
        """Return the file with other lines for the record *key*, which it has."""
        entry = replace(self.entries[key], text=text, record=record)
        return replace(self, entries={**self.entries, key: entry})

    def with_records(self, records: Mapping[str, Fields]) -> YamlDocument:
        """Return the file with new records at its end, a blank line above each."""
        end = "\r\n" if "\r\n" in self.text() else "\n"
        entries = dict(self.entries)
        above, tail = self.tail, ""
        if entries and not above:
            last, entry = entries.popitem()
            closed = entry.text if entry.text.endswith("\n") else entry.text + end
            entries[last] = replace(entry, text=closed)
        elif above and not above.endswith("\n"):
            above += end
        for key, fields in records.items():
            lines = lines_of(key, fields)
            text = "".join(line + end for line in lines)
            above += "" if _ends_blank(above) or not (entries or above) else end
            entries[key] = Entry(above, text, RecordText(key, fields, {}, ()))
            above = ""
        return replace(self, entries=entries, tail=tail)

    def without(self, key: str) -> YamlDocument:
        """Return the file without a record.

        A comment right above it goes with it; one that a blank line parts from it, or that stands at the
        head of the file, stays.
        """
        keys = list(self.entries)
        at = keys.index(key)
        entries = dict(self.entries)
        gone = entries.pop(key)
        kept = _unattached(gone.above)
        if at + 1 < len(keys):
            after = entries[keys[at + 1]]
            entries[keys[at + 1]] = replace(after, above=_joined(kept, after.above))
            return replace(self, entries=entries)
        return replace(self, entries=entries, tail=_joined(kept, self.tail))


def _unattached(above: str) -> str:
    """Return *above* without the comment lines that a record's key follows at once."""
    lines = _LINE.findall(above)
    while lines and lines[-1].strip():
        lines.pop()
    return "".join(lines)


def _joined(kept: str, below: str) -> str:
    # Each of the two records had a blank line above it; one is enough.
    if _ends_blank(kept) and below[:1] in ("\n", "\r"):
        return kept + below.partition("\n")[2]
    return kept + below


def _ends_blank(above: str) -> bool:
    lines = _LINE.findall(above)
    return bool(lines) and not lines[-1].strip()


def new_document(version: str) -> YamlDocument:
    """Return a file that holds no record yet."""
    return parse_document(f"{METADATA}:\n  version: '{version}'\n")


def fits_a_key(key: str) -> bool:
    """Say whether *key* can stand at the left edge of a file."""
    return key != METADATA and len(key_text(key)) <= LONGEST_KEY


def parse_document(text: str, earlier: Mapping[str, Entry] | None = None) -> YamlDocument:
    r"""Cut *text* into its records and read those that *earlier* does not have already.

    Nothing is refused here: what is wrong stands in the result.

    Example:
        >>> document = parse_document("# mine\n__metadata__: {version: '3.2'}\n\nink:\n  name: Ink\n")
        >>> list(document.entries), document.entries["ink"].record.fields, document.line_of("ink")
        (['__metadata__', 'ink'], {'name': 'Ink'}, 4)
    """
    known = {each.text: each.record for each in (earlier or {}).values()}
    mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
    pieces = _cut(text.removeprefix(mark))
    entries: dict[str, Entry] = {}
    mistakes = list(pieces.mistakes)
    first_lines: dict[str, int] = {}
    for above, lines, line in pieces.records:
        record = known.get(lines) or read_plain(lines) or read_record(lines)
        fatal = [each for each in record.mistakes if each.is_fatal]
        mistakes += [replace(each, line=line + each.line - 1) for each in fatal]
        if record.key in first_lines and not fatal:
            problem = (
                f"the key `{record.key}` is there twice, first on line {first_lines[record.key]}"
            )
            mistakes.append(Mistake(line, None, problem, is_fatal=True))
        if not fatal:
            first_lines.setdefault(record.key, line)
            entries.setdefault(record.key, Entry(above, lines, record))
    mistakes.sort(key=lambda each: each.line)
    return YamlDocument(mark + pieces.head, entries, pieces.tail, tuple(mistakes))


@dataclass(slots=True)
class _Pieces:
    head: str
    records: list[tuple[str, str, int]]
    tail: str
    mistakes: list[Mistake]


def _cut(text: str) -> _Pieces:
    """Cut at the left edge; what a line says beyond its first column is not looked at."""
    head: list[str] = []
    records: list[tuple[str, list[str], int]] = []
    mistakes: list[Mistake] = []
    gap: list[str] = []
    for number, line in enumerate(_LINE.findall(text), start=1):
        first = line[:1]
        if not line.strip() or first == "#":
            gap.append(line)
        elif not records and (_MARK.match(line) or first == "%" or line.lstrip()[0] == "#"):
            head += [*gap, line]
            gap = []
            if line.lstrip()[0] != "#" and _says_more(line):
                mistakes.append(_strange(number))
        elif _MARK.match(line):
            gap.append(line)
            problem = f"`{line[:3]}` ends the document here, expected one that holds every record"
            mistakes.append(Mistake(number, None, problem, is_fatal=True))
        elif first in " \t-" and records:
            records[-1][1].extend([*gap, line])
            gap = []
        elif first in " \t-{[":
            head += [*gap, line]
            gap = []
            mistakes.append(_strange(number))
        else:
            records.append(("".join(gap), [line], number))
            gap = []
    cut = [(above, "".join(lines), number) for above, lines, number in records]
    return _Pieces("".join(head), cut, "".join(gap), mistakes[:1])


def _says_more(line: str) -> bool:
    return not line.startswith("%") and bool(line[3:].strip()) and line[3:].lstrip()[0] != "#"


def _strange(number: int) -> Mistake:
    problem = "expected the key of a record at the left edge, such as `ink:`"
    return Mistake(number, None, problem, is_fatal=True)
