"""Changing fields of one record in a person's YAML file, and nothing beside them.

Only the lines of what changes are written anew, so that comments, quotes, order, blank lines and
indentation around them stay byte for byte. A record in brackets is changed between its commas. What comes
out is read again before it is used; a record that is written in yet another way goes through ruamel's
round trip as a whole.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple, TypeGuard

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from modelshelf.records.yaml_record import Fields, compose_record, read_record, value_of
from modelshelf.records.yaml_text import Plain, in_brackets, inline, key_text, lines_of, quoted

__all__ = ["edit_record"]

_NO_FOLDING = 1_000_000_000
_ALONE = (0, 0)


class _Change(NamedTuple):
    """Some lines, and what stands there afterwards."""

    first: int
    after: int
    rank: tuple[int, int]
    """Of several that are put in at one place, the deepest stands first: the others stand below its parent."""
    lines: list[str]


def edit_record(text: str, wanted: Fields, order: Sequence[str]) -> str:
    r"""Return the lines of a record with other values, everything else as it was.

    Args:
        text: Lines of a record without mistakes, as the file has them, with their ends.
        wanted: Every field that it shall have, by the names that stand there, and what it shall hold.
        order: Names of fields in the order in which new ones find their place.

    Returns:
        Lines that `read_record` reads as *wanted*.

    Example:
        >>> text = "ink:\n  name: Ink   # mine\n  path: 'a'\n"
        >>> wanted = {"name": "Ink 2", "path": "a", "size": 5}
        >>> print(edit_record(text, wanted, ["name", "path", "size"]).rstrip())
        ink:
          name: Ink 2   # mine
          path: 'a'
          size: 5
    """
    for edit in (_by_lines, _in_brackets, _by_round_trip):
        edited = edit(text, wanted, order)
        if read_record(edited).fields == wanted:
            return edited
    end = _line_end(text)
    return "".join(line + end for line in lines_of(read_record(text).key, wanted))


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _by_lines(text: str, wanted: Fields, order: Sequence[str]) -> str:
    root = compose_record(text)
    assert isinstance(root, MappingNode)  # noqa: S101 - as `read_record` found
    mapping = root.value[0][1]
    if not _has_lines(mapping):
        return ""
    # What follows a carriage return belongs to the line; columns are counted from the left.
    lines = text.removesuffix("\n").split("\n")
    ending = _line_end(text).removesuffix("\n")
    for change in sorted(_changes(lines, mapping, wanted, order), reverse=True):
        lines[change.first : change.after] = [
            line.removesuffix("\r") + ending for line in change.lines
        ]
    return "".join(line + "\n" for line in lines)


def _in_brackets(text: str, wanted: Fields, order: Sequence[str]) -> str:
    """Return a record that is written as `key: {field: value, …}`, changed between the commas."""
    del order
    root = compose_record(text)
    assert isinstance(root, MappingNode)  # noqa: S101 - as `read_record` found
    mapping = root.value[0][1]
    if not mapping.flow_style or not mapping.value:
        return ""
    pairs = [
        (name.value, name.start_mark.index, value.start_mark.index, value.end_mark.index)
        for name, value in mapping.value
    ]
    now = {name.value: value_of(value) for name, value in mapping.value}
    new = [name for name in wanted if name not in now]
    added = "".join(f", {key_text(each)}: {in_brackets(wanted[each])}" for each in new)
    text = text[: pairs[-1][3]] + added + text[pairs[-1][3] :]
    for at, (name, start, begin, end) in reversed(list(enumerate(pairs))):
        if name not in wanted:
            # The comma before the last goes with it, else the comma behind.
            first, after = (start, pairs[at + 1][1]) if at + 1 < len(pairs) else (pairs[-2][3], end)
            text = text[:first] + text[after:]
        elif now[name] != wanted[name]:
            text = text[:begin] + in_brackets(wanted[name]) + text[end:]
    return text


def _by_round_trip(text: str, wanted: Fields, order: Sequence[str]) -> str:
    del order
    now = read_record(text).fields
    if "<<" in now:
        # ruamel would merge what stands beneath it into the record.
        return ""
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = _NO_FOLDING
    yaml.indent(mapping=2, sequence=4, offset=2)
    root = yaml.load(text)
    (record,) = root.values()
    for name in [each for each in record if str(each) not in wanted]:
        del record[name]
    for name, value in wanted.items():
        if name not in now or now[name] != value:
            record[name] = value
    written = io.StringIO(newline="")
    yaml.dump(root, written)
    return written.getvalue().replace("\n", _line_end(text))


def _has_lines(node: Node) -> TypeGuard[MappingNode]:
    """Say whether each entry of *node* begins on a line of its own."""
    return (
        isinstance(node, MappingNode)
        and not node.flow_style
        and all(isinstance(name, ScalarNode) for name, _ in node.value)
        and len({name.start_mark.line for name, _ in node.value}) == len(node.value)
    )


def _changes(
    lines: Sequence[str],
    mapping: MappingNode,
    wanted: Mapping[str, Plain],
    order: Sequence[str],
) -> Iterator[_Change]:
    """Yield what has to change among *lines* so that *mapping* holds *wanted*."""
    ends: dict[str, int] = {}
    for name, node in mapping.value:
        first, after = name.start_mark.line, _line_after(name, node, lines)
        ends[name.value] = after
        if name.value not in wanted:
            yield _Change(first, after, _ALONE, [])
        elif value_of(node) != wanted[name.value]:
            yield from _entry_changes(lines, name, node, wanted[name.value])
    indent = " " * mapping.value[0][0].start_mark.column
    new = [each for each in order if each in wanted and each not in ends]
    new += [each for each in wanted if each not in ends and each not in order]
    for number, name in enumerate(new):
        at = _place(name, ends, order, mapping.value[0][0].start_mark.line)
        yield _Change(at, at, (-len(indent), number), lines_of(name, wanted[name], indent))


def _place(name: str, ends: Mapping[str, int], order: Sequence[str], start: int) -> int:
    """Return the line that a new entry goes before: below the nearest one that comes before it."""
    if name not in order:
        return max(ends.values())
    before = reversed(order[: order.index(name)])
    return next((ends[each] for each in before if each in ends), start)


def _entry_changes(
    lines: Sequence[str], name: ScalarNode, node: Node, wanted: Plain
) -> Iterator[_Change]:
    first, after = name.start_mark.line, _line_after(name, node, lines)
    begin, end = node.start_mark, node.end_mark
    style = node.style if isinstance(node, ScalarNode) else None
    line = lines[first]
    # Written as `? name`, a key may have neither colon nor value.
    is_told = not _is_empty(node) or ":" in line[name.end_mark.column :]
    on_one_line = after == first + 1 and style not in ("|", ">") and is_told
    if on_one_line and not _wants_lines(wanted, node):
        if _is_empty(node):
            left = right = line.index(":", name.end_mark.column) + 1
        else:
            left, right = begin.column, end.column
        gap = "" if line[:left].endswith(" ") else " "
        text = quoted(wanted, style) if isinstance(wanted, str) and style else inline(wanted)
        yield _Change(first, after, _ALONE, [line[:left] + gap + text + line[right:]])
    elif isinstance(wanted, dict) and wanted and begin.line > first and _has_lines(node):
        yield from _changes(lines, node, wanted, ())
    elif isinstance(wanted, list) and wanted and begin.line > first and _has_items(node):
        yield from _item_changes(lines, node, wanted)
    else:
        written = lines_of(name.value, wanted, " " * name.start_mark.column)
        comment = re.search(r"(?<=:)\s+#.*$", line)
        if comment and begin.line > first:
            written[0] += comment.group()
        yield _Change(first, after, _ALONE, written)


def _wants_lines(wanted: Plain, node: Node) -> bool:
    """Say whether a value that stands on one line now shall have several from now on."""
    if isinstance(wanted, list | dict) and wanted:
        return not isinstance(node, CollectionNode)
    return isinstance(wanted, str) and len(lines_of("x", wanted)) > 1


def _has_items(node: Node) -> TypeGuard[SequenceNode]:
    return (
        isinstance(node, SequenceNode)
        and not node.flow_style
        and not any(_is_empty(each) for each in node.value)
        and len({each.start_mark.line for each in node.value}) == len(node.value)
    )


def _item_changes(
    lines: Sequence[str], node: SequenceNode, wanted: Sequence[Plain]
) -> Iterator[_Change]:
    old = [inline(value_of(each)) for each in node.value]
    new = [inline(each) for each in wanted]
    starts = [each.start_mark.line for each in node.value]
    afters = [_line_after(each, each, lines) for each in node.value]
    indent = " " * node.start_mark.column
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            at = starts[0] if a == 0 else afters[a - 1]
            written = [f"{indent}- {each}" for each in new[c:d]]
            # What stands between two items, such as a comment, is no part of either.
            for item in range(a, b):
                yield _Change(starts[item], afters[item], _ALONE, [])
            yield _Change(at, at, (-len(indent), 0), written)


def _is_empty(node: Node) -> bool:
    """Say whether nothing stands there; ruamel then notes the place of what comes next."""
    return isinstance(node, ScalarNode) and node.style is None and not node.value


def _line_after(name: Node, node: Node, lines: Sequence[str]) -> int:
    """Return the line behind the last one that says something of *node*, which *name* begins."""
    if _is_empty(node):
        return int(name.end_mark.line) + 1
    if isinstance(node, MappingNode) and not node.flow_style and node.value:
        name, value = node.value[-1]
        return _line_after(name, value, lines)
    if isinstance(node, SequenceNode) and not node.flow_style and not _is_empty(node.value[-1]):
        return _line_after(node.value[-1], node.value[-1], lines)
    after = int(node.end_mark.line)
    is_block = isinstance(node, SequenceNode) and not node.flow_style
    if not is_block and not (isinstance(node, ScalarNode) and node.style in ("|", ">")):
        return after + 1
    # The end that is noted of these lies behind blank lines, and behind comments.
    after = min(after, len(lines))
    while not lines[after - 1].strip() or (is_block and lines[after - 1].lstrip().startswith("#")):
        after -= 1
    return after
