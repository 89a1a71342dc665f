"""Reading the lines of one record in a person's YAML file, with the place of every mistake.

Nothing is made of the file but text, numbers, lists and mappings: tags are refused, and so is whatever
refers to another place, with which a few lines could say more than fits into memory.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from modelshelf.records.yaml_text import Plain

__all__ = ["Fields", "Mistake", "RecordText", "compose_record", "read_record", "value_of"]

Fields: TypeAlias = "dict[str, Plain]"
"""A record as the file says it, by the names that stand there."""

_TAG = "tag:yaml.org,2002:"
_NO_ALIAS = "`*` refers to what stands elsewhere, expected the value itself"
_FIELD = re.compile(r"""([ \t]+)["']?(\w{1,40})["']?[ \t]*:""")
_DEEPEST = 30
"""Levels within a record; its settings may have twenty."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something in the file that cannot be meant."""

    line: int
    """Where, counted from 1."""
    field: str | None
    """Which field of the record; None where it is the record or the file itself."""
    problem: str
    """Expected and got."""
    is_fatal: bool = False
    """Whether the file is no YAML any more, rather than one record wrong."""

    def __str__(self) -> str:
        where = f"line {self.line}, field `{self.field}`" if self.field else f"line {self.line}"
        return f"{where}: {self.problem}"


@dataclass(frozen=True, slots=True)
class RecordText:
    """What the lines of one record say."""

    key: str
    """The record's key; empty where nothing could be read."""
    fields: Fields
    """What its fields hold; those with mistakes are missing."""
    lines: Mapping[str, int]
    """The line of each field, counted from 0 at the record's own."""
    mistakes: tuple[Mistake, ...]
    """What is wrong, its lines counted from 1 at the record's own."""


class _MistakeError(Exception):
    def __init__(self, node: Node, problem: str) -> None:
        self.line: int = node.start_mark.line + 1
        super().__init__(problem)


def read_record(text: str) -> RecordText:
    """Read the lines of one record: its key at the left edge, and its fields beneath."""
    try:
        root = compose_record(text)
    except YAMLError as error:
        return _broken(text, *_said(error, text))
    except RecursionError:
        return _broken(text, 1, "expected a record, got too many brackets within one another")
    pairs = root.value if isinstance(root, MappingNode) else []
    if len(pairs) != 1 or not isinstance(pairs[0][0], ScalarNode):
        return _broken(text, 1, "expected a key that is one word, and its fields beneath")
    ((key, value),) = pairs
    if isinstance(value, MappingNode):
        return _read_fields(key.value, value)
    got = "nothing" if _is_empty(value) else f"a {value.id}"
    problem = f"expected fields such as `name: …` beneath `{key.value}`, got {got}"
    return RecordText(key.value, {}, {}, (Mistake(1, None, problem),))


def _said(error: YAMLError, text: str) -> tuple[int, str]:
    """Return the line and the problem that ruamel found."""
    if not isinstance(error, MarkedYAMLError):
        place = error.position if isinstance(error, ReaderError) else 0
        return text.count("\n", 0, place) + 1, str(error).splitlines()[0]
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context)
    if "unexpected end" in problem and error.context_mark:
        # Where it begins is what a person looks for, not where the record ends.
        mark, problem = error.context_mark, f"{error.context}, {problem}"
    if "undefined alias" in problem:
        problem = _NO_ALIAS
    return (mark.line + 1 if mark else 1), problem


def _read_fields(key: str, mapping: MappingNode) -> RecordText:
    fields: Fields = {}
    lines: dict[str, int] = {}
    mistakes: list[Mistake] = []
    seen: set[int] = set()
    for name_node, value_node in mapping.value:
        line = name_node.start_mark.line
        if not isinstance(name_node, ScalarNode):
            mistakes.append(
                Mistake(line + 1, None, "expected the name of a field that is one word")
            )
            continue
        name = name_node.value
        if name in lines:
            first = lines[name] - line
            mistakes.append(
                Mistake(line + 1, name, f"the field is there twice, first {-first} lines above")
            )
            continue
        lines[name] = line
        try:
            fields[name] = _value(value_node, seen)
        except _MistakeError as error:
            # What an alias refers to stands above.
            mistakes.append(Mistake(max(error.line, line + 1), name, str(error)))
    return RecordText(key, fields, lines, tuple(mistakes))


def compose_record(text: str) -> Node | None:
    """Return ruamel's tree of the lines of one record, with the place of everything in it."""
    node: Node | None = YAML(typ="safe", pure=True).compose(io.StringIO(text))
    return node


def _broken(text: str, line: int, problem: str) -> RecordText:
    mistake = Mistake(line, _field_at(text, line), problem, is_fatal=True)
    return RecordText("", {}, {}, (mistake,))


def _field_at(text: str, line: int) -> str | None:
    """Return the field on whose lines *line* is, of a record that is no YAML; None for its key's own."""
    field: str | None = None
    indent = len(text)
    for each in text.split("\n")[1:line]:
        if each[:1].strip() and each[0] != "#":
            return None
        name = _FIELD.match(each)
        # What stands further to the right is within the field.
        if name and len(name[1]) <= indent:
            indent, field = len(name[1]), name[2]
    return field


def value_of(node: Node) -> Plain:
    """Return what a node of a record without mistakes holds."""
    return _value(node, set())


def _value(node: Node, seen: set[int], depth: int = _DEEPEST) -> Plain:
    """Return what *node* holds.

    Raises:
        _MistakeError: It has no meaning in a record, or was met before: a few lines that refer to one
            another may say more than fits into memory.
    """
    if id(node) in seen:
        raise _MistakeError(node, _NO_ALIAS)
    seen.add(id(node))
    if depth < 0:
        raise _MistakeError(node, f"expected at most {_DEEPEST} levels, got more")
    if isinstance(node, ScalarNode):
        return _scalar(node)
    if isinstance(node, SequenceNode) and node.tag == f"{_TAG}seq":
        return [_value(each, seen, depth - 1) for each in node.value]
    if isinstance(node, MappingNode) and node.tag == f"{_TAG}map":
        return _mapping(node, seen, depth)
    raise _MistakeError(node, f"expected a plain value, got `{node.tag}`")


def _mapping(node: MappingNode, seen: set[int], depth: int) -> Plain:
    mapping: dict[str, Plain] = {}
    for name, value in node.value:
        if not isinstance(name, ScalarNode):
            raise _MistakeError(name, "expected a name that is one word")
        if name.value in mapping:
            raise _MistakeError(name, f"`{name.value}` is there twice")
        mapping[name.value] = _value(value, seen, depth - 1)
    return mapping


def _scalar(node: ScalarNode) -> Plain:
    text: str = node.value
    kind = str(node.tag).removeprefix(_TAG)
    number = text.replace("_", "")
    try:
        match kind:
            # A date is what a person wrote; no field of a record is one.
            case "str" | "timestamp" | "value" | "merge":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(number, 0) if re.match(r"[-+]?0[xob]", number) else int(number)
            case "float":
                return float(re.sub(r"\.(inf|nan)$", r"\1", number.lower()))
            case _:
                problem = f"expected a plain value, got `{node.tag}`"
    except ValueError:
        problem = f"expected a number, got `{text:.40}`; put it in quotes if it is text"
    raise _MistakeError(node, problem)


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == f"{_TAG}null"
