"""Pickle opcodes that make and fill containers: tuples, lists, dicts, sets.

Source: the descriptions in `pickletools` and the Python Enhancement Proposals 307 and 3154.
https://docs.python.org/3/library/pickletools.html
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from modelshelf.formats.pickle_machine import LARGE, Handler, Machine
from modelshelf.formats.pickle_values import Call, Table

__all__ = ["CONTAINER_OPCODES"]


def _empty_tuple(machine: Machine, at: int) -> int:
    machine.stack.append(())
    return at


def _tuple_1(machine: Machine, at: int) -> int:
    machine.stack[-1] = (machine.stack[-1],)
    machine.left -= LARGE
    return at


def _tuple_2(machine: Machine, at: int) -> int:
    last = machine.stack.pop()
    machine.stack[-1] = (machine.stack[-1], last)
    machine.left -= LARGE
    return at


def _tuple_3(machine: Machine, at: int) -> int:
    last = machine.stack.pop()
    middle = machine.stack.pop()
    machine.stack[-1] = (machine.stack[-1], middle, last)
    machine.left -= LARGE
    return at


def _tuple(machine: Machine, at: int) -> int:
    # As `unmark` does, in line: every tensor has several.
    values = machine.stack
    stack = machine.stack = machine.marked.pop()
    stack.append(tuple(values))
    machine.left -= LARGE + 8 * len(values)
    return at


def _empty_list(machine: Machine, at: int) -> int:
    machine.stack.append([])
    machine.left -= LARGE
    return at


def _list(machine: Machine, at: int) -> int:
    values = machine.unmark()
    machine.stack.append(values)
    return at


def _append(machine: Machine, at: int) -> int:
    value = machine.stack.pop()
    _elements(machine, at).append(value)
    machine.left -= 8
    return at


def _appends(machine: Machine, at: int) -> int:
    values = machine.unmark()
    _elements(machine, at).extend(values)
    machine.left -= 8 * len(values)
    return at


def _elements(machine: Machine, at: int) -> list[object]:
    target = machine.stack[-1]
    if isinstance(target, list):
        return target
    if not isinstance(target, Call):
        raise machine.problem(at, f"a {type(target).__name__} is no list to append to")
    if target.elements is None:
        target.elements = []
        machine.left -= LARGE
    return target.elements


def _empty_dict(machine: Machine, at: int) -> int:
    machine.stack.append(Table([]))
    machine.left -= 2 * LARGE
    return at


def _dict(machine: Machine, at: int) -> int:
    values = machine.unmark()
    if len(values) % 2:
        raise machine.problem(at, "a key without a value")
    machine.stack.append(Table(values))
    machine.left -= LARGE
    return at


def _set_item(machine: Machine, at: int) -> int:
    value = machine.stack.pop()
    key = machine.stack.pop()
    _pairs(machine, at).extend((key, value))
    machine.left -= 16
    return at


def _set_items(machine: Machine, at: int) -> int:
    values = machine.unmark()
    if len(values) % 2:
        raise machine.problem(at, "a key without a value")
    _pairs(machine, at).extend(values)
    machine.left -= 8 * len(values)
    return at


def _pairs(machine: Machine, at: int) -> list[object]:
    target = machine.stack[-1]
    if isinstance(target, Table):
        return target.pairs
    if not isinstance(target, Call):
        raise machine.problem(at, f"a {type(target).__name__} is no dict to set items on")
    if target.pairs is None:
        target.pairs = []
        machine.left -= LARGE
    return target.pairs


def _empty_set(machine: Machine, at: int) -> int:
    return _push_set(machine, at, "builtins.set", ())


def _frozen_set(machine: Machine, at: int) -> int:
    values = machine.unmark()
    return _push_set(machine, at, "builtins.frozenset", (values,))


def _push_set(machine: Machine, at: int, name: str, arguments: tuple[object, ...]) -> int:
    # Not a set of Python: nothing from a file is ever hashed.
    machine.stack.append(Call(machine.named(name), arguments))
    machine.left -= 2 * LARGE
    return at


CONTAINER_OPCODES: Mapping[bytes, Handler] = MappingProxyType(
    {
        b")": _empty_tuple,
        b"\x85": _tuple_1,
        b"\x86": _tuple_2,
        b"\x87": _tuple_3,
        b"t": _tuple,
        b"]": _empty_list,
        b"l": _list,
        b"a": _append,
        b"e": _appends,
        b"}": _empty_dict,
        b"d": _dict,
        b"s": _set_item,
        b"u": _set_items,
        b"\x8f": _empty_set,
        b"\x90": _appends,
        b"\x91": _frozen_set,
    }
)
"""What each of them does."""
