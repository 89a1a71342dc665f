"""Pickle opcodes that push a plain value: truth, numbers, text, bytes.

Source: the descriptions in `pickletools` and the Python Enhancement Proposals 307 and 3154.
https://docs.python.org/3/library/pickletools.html
"""

from __future__ import annotations

from codecs import raw_unicode_escape_decode
from collections.abc import Mapping
from struct import Struct
from types import MappingProxyType

from modelshelf.formats.pickle_machine import LARGE, LONGEST_TEXT, Handler, Machine
from modelshelf.formats.pickle_values import Elided

__all__ = ["PLAIN_OPCODES", "whole_number"]

_U16 = Struct("<H").unpack_from
_I32 = Struct("<i").unpack_from
_U32 = Struct("<I").unpack_from
_U64 = Struct("<Q").unpack_from
_DOUBLE = Struct(">d").unpack_from
_LONGEST_DIGITS = 40
_SHORT = 256
_REPLACED = "\N{REPLACEMENT CHARACTER}"


# ---------------------------------------------------------------- plain values


def _none(machine: Machine, at: int) -> int:
    machine.stack.append(None)
    return at


def _true(machine: Machine, at: int) -> int:
    machine.stack.append(True)
    return at


def _false(machine: Machine, at: int) -> int:
    machine.stack.append(False)
    return at


def _int_1(machine: Machine, at: int) -> int:
    machine.stack.append(machine.raw[at])
    return at + 1


def _int_2(machine: Machine, at: int) -> int:
    machine.stack.append(_U16(machine.raw, at)[0])
    return at + 2


def _int_4(machine: Machine, at: int) -> int:
    machine.stack.append(_I32(machine.raw, at)[0])
    return at + 4


def _long_1(machine: Machine, at: int) -> int:
    return machine.push_number(at + 1, machine.raw[at])


def _long_4(machine: Machine, at: int) -> int:
    return machine.push_number(at + 4, _I32(machine.raw, at)[0])


def _double(machine: Machine, at: int) -> int:
    machine.stack.append(_DOUBLE(machine.raw, at)[0])
    return at + 8


def _int_line(machine: Machine, at: int) -> int:
    digits, end = machine.line(at)
    # Protocol 0 writes the truth values as numbers with a leading zero.
    truth = {"00": False, "01": True}.get(digits)
    machine.stack.append(whole_number(machine, at, digits) if truth is None else truth)
    return end


def _long_line(machine: Machine, at: int) -> int:
    digits, end = machine.line(at)
    machine.stack.append(whole_number(machine, at, digits.removesuffix("L")))
    return end


def _float_line(machine: Machine, at: int) -> int:
    digits, end = machine.line(at)
    try:
        machine.stack.append(float(digits))
    except ValueError as error:
        raise machine.problem(at, f"{digits[:_LONGEST_DIGITS]!r} is no number") from error
    return end


def whole_number(machine: Machine, at: int, digits: str) -> int:
    """Return the number that a line of *digits* stands for.

    Raises:
        CheckpointFault: It is none, or has more digits than any that is saved.
    """
    try:
        # Cut, because the time to read a number grows with the square of its digits.
        return int(digits if len(digits) <= _LONGEST_DIGITS else "")
    except ValueError as error:
        shown = digits[:_LONGEST_DIGITS]
        raise machine.problem(at, f"{shown!r} is no whole number that anybody saves") from error


# ---------------------------------------------------------------- text and bytes


def _text_4(machine: Machine, at: int) -> int:
    raw = machine.raw
    end: int = at + 4 + _U32(raw, at)[0]
    # The usual case in line: short, and whole in the window.
    if end > len(raw) or end > at + _SHORT:
        return machine.push_text(at + 4, end - at - 4)
    text = raw[at + 4 : end].decode("utf-8")
    machine.stack.append(text)
    machine.left -= LARGE + (len(text) if text.isascii() else 4 * len(text))
    return end


def _text_1(machine: Machine, at: int) -> int:
    return machine.push_text(at + 1, machine.raw[at])


def _text_8(machine: Machine, at: int) -> int:
    return machine.push_text(at + 8, _U64(machine.raw, at)[0])


def _old_text_1(machine: Machine, at: int) -> int:
    return _old_text(machine, at + 1, machine.raw[at])


def _old_text_4(machine: Machine, at: int) -> int:
    length = _I32(machine.raw, at)[0]
    if length < 0:
        raise machine.problem(at, f"text has the length {length}")
    return _old_text(machine, at + 4, length)


def _old_text(machine: Machine, at: int, length: int) -> int:
    """Push text of Python 2, whose strings are bytes: UTF-8 where they are, or else bytes."""
    if length > LONGEST_TEXT:
        return machine.push_elided(at, length)
    raw, end = machine.take(at, length)
    # Not by the error that strict decoding raises: a pickle may hold a million such strings.
    text = raw.decode("utf-8", errors="replace")
    is_text = _REPLACED not in text or text.encode() == raw
    machine.stack.append(text if is_text else Elided(length))
    # A value of ours takes longer to make than text, and a pickle of old arrays has one for each.
    machine.left -= (LARGE if is_text else 3 * LARGE) + 4 * length
    machine.check_memory()
    return end


def _text_line(machine: Machine, at: int) -> int:
    raw, end = machine.raw_line(at)
    # By its function: by its name it would be looked up, and a module loaded for it.
    text, _ = raw_unicode_escape_decode(raw)
    # An escape can be half a surrogate pair, which is no text to anybody else.
    text.encode("utf-8")
    machine.stack.append(text)
    machine.left -= LARGE + 4 * len(text)
    return end


def _quoted_line(machine: Machine, at: int) -> int:
    text, end = machine.line(at)
    quote = text[:1]
    if quote not in {"'", '"'} or text[-1] != quote or len(text) == 1:
        raise machine.problem(at, "text without its quotes")
    # Nobody needs text of Python 2 with escapes in it: tensors' names have none.
    machine.stack.append(Elided(len(text)) if "\\" in text else text[1:-1])
    machine.left -= LARGE + 4 * len(text)
    return end


def _bytes_1(machine: Machine, at: int) -> int:
    return machine.push_elided(at + 1, machine.raw[at])


def _bytes_4(machine: Machine, at: int) -> int:
    return machine.push_elided(at + 4, _U32(machine.raw, at)[0])


def _bytes_8(machine: Machine, at: int) -> int:
    return machine.push_elided(at + 8, _U64(machine.raw, at)[0])


PLAIN_OPCODES: Mapping[bytes, Handler] = MappingProxyType(
    {
        b"N": _none,
        b"\x88": _true,
        b"\x89": _false,
        b"K": _int_1,
        b"M": _int_2,
        b"J": _int_4,
        b"\x8a": _long_1,
        b"\x8b": _long_4,
        b"G": _double,
        b"I": _int_line,
        b"L": _long_line,
        b"F": _float_line,
        b"\x8c": _text_1,
        b"X": _text_4,
        b"\x8d": _text_8,
        b"U": _old_text_1,
        b"T": _old_text_4,
        b"S": _quoted_line,
        b"V": _text_line,
        b"C": _bytes_1,
        b"B": _bytes_4,
        b"\x8e": _bytes_8,
        b"\x96": _bytes_8,
    }
)
"""What each of them does; the last two are bytes and a bytearray, both stepped over."""
