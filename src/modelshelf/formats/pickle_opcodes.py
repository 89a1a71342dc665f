"""What each pickle opcode does to the machine: all of protocols 0 to 5, and none runs anything.

Source: the descriptions in `pickletools` and the Python Enhancement Proposals 307, 3154 and 574.
https://docs.python.org/3/library/pickletools.html
"""

from __future__ import annotations

from struct import Struct

from modelshelf.formats.pickle_containers import CONTAINER_OPCODES
from modelshelf.formats.pickle_machine import LARGE, Handler, Machine, StoppedError
from modelshelf.formats.pickle_plain import PLAIN_OPCODES, whole_number
from modelshelf.formats.pickle_values import Call, Named

__all__ = ["HANDLERS"]

_U16 = Struct("<H").unpack_from
_I32 = Struct("<i").unpack_from
_U32 = Struct("<I").unpack_from
_U64 = Struct("<Q").unpack_from
_NEWEST = 5
_USUAL_MEMO = 0xFFFF
_USUAL_DEPTH = 64
"""Up to here no index and no mark breaks a bound."""
_LONGEST_FRAME = 64 << 20


# ---------------------------------------------------------------- names and calls


def _global(machine: Machine, at: int) -> int:
    module, at = machine.line(at)
    name, at = machine.line(at)
    machine.stack.append(machine.named(f"{module}.{name}"))
    return at


def _stack_global(machine: Machine, at: int) -> int:
    name = machine.stack.pop()
    module = machine.stack[-1]
    if not isinstance(name, str) or not isinstance(module, str):
        raise machine.problem(at, "a name that is no text")
    machine.stack[-1] = machine.named(f"{module}.{name}")
    return at


def _extension_1(machine: Machine, at: int) -> int:
    machine.stack.append(machine.named(f"copyreg extension {machine.raw[at]}"))
    return at + 1


def _extension_2(machine: Machine, at: int) -> int:
    machine.stack.append(machine.named(f"copyreg extension {_U16(machine.raw, at)[0]}"))
    return at + 2


def _extension_4(machine: Machine, at: int) -> int:
    machine.stack.append(machine.named(f"copyreg extension {_I32(machine.raw, at)[0]}"))
    return at + 4


def _push_call(machine: Machine, at: int, function: object, arguments: object) -> int:
    machine.stack.append(Call(function, arguments))
    machine.left -= 2 * LARGE
    return at


def _reduce(machine: Machine, at: int) -> int:
    arguments = machine.stack.pop()
    machine.stack[-1] = Call(machine.stack[-1], arguments)
    machine.left -= 2 * LARGE
    return at


def _new_with_keywords(machine: Machine, at: int) -> int:
    machine.stack.pop()
    return _reduce(machine, at)


def _instance_line(machine: Machine, at: int) -> int:
    module, at = machine.line(at)
    name, at = machine.line(at)
    arguments = tuple(machine.unmark())
    return _push_call(machine, at, machine.named(f"{module}.{name}"), arguments)


def _object(machine: Machine, at: int) -> int:
    function, *arguments = machine.unmark() or [None]
    return _push_call(machine, at, function, tuple(arguments))


def _build(machine: Machine, at: int) -> int:
    state = machine.stack.pop()
    target = machine.stack[-1]
    if isinstance(target, Call):
        target.state = state
    elif not isinstance(target, Named):
        raise machine.problem(at, f"a {type(target).__name__} cannot be filled")
    return at


def _stored(machine: Machine, at: int) -> int:
    machine.stack[-1] = machine.resolve(machine.stack[-1])
    machine.left -= LARGE
    return at


def _stored_line(machine: Machine, at: int) -> int:
    text, at = machine.line(at)
    machine.stack.append(machine.resolve(text))
    machine.left -= LARGE
    return at


# ---------------------------------------------------------------- stack and memo


def _mark(machine: Machine, at: int) -> int:
    marked = machine.marked
    if len(marked) > _USUAL_DEPTH:
        machine.mark()
    else:
        marked.append(machine.stack)
        machine.stack = []
    return at


def _pop(machine: Machine, at: int) -> int:
    # With nothing above it, the mark itself goes.
    machine.stack.pop() if machine.stack else machine.unmark()
    return at


def _pop_mark(machine: Machine, at: int) -> int:
    machine.unmark()
    return at


def _duplicate(machine: Machine, at: int) -> int:
    machine.stack.append(machine.stack[-1])
    return at


# Half of all opcodes are among these: in line, and without a further call where nothing is wrong.


def _get_1(machine: Machine, at: int) -> int:
    index, memo = machine.raw[at], machine.memo
    if index not in memo:
        machine.recall(index, at)
    machine.stack.append(memo[index])
    return at + 1


def _get_4(machine: Machine, at: int) -> int:
    index, memo = _U32(machine.raw, at)[0], machine.memo
    if index not in memo:
        machine.recall(index, at)
    machine.stack.append(memo[index])
    return at + 4


def _get_line(machine: Machine, at: int) -> int:
    digits, end = machine.line(at)
    machine.recall(whole_number(machine, at, digits), at)
    return end


def _put_1(machine: Machine, at: int) -> int:
    machine.memo[machine.raw[at]] = machine.stack[-1]
    return at + 1


def _put_4(machine: Machine, at: int) -> int:
    index = _U32(machine.raw, at)[0]
    if index > _USUAL_MEMO:
        machine.keep(index, at)
    else:
        machine.memo[index] = machine.stack[-1]
        machine.left -= LARGE
    return at + 4


def _put_line(machine: Machine, at: int) -> int:
    digits, end = machine.line(at)
    machine.keep(whole_number(machine, at, digits), at)
    return end


def _memoize(machine: Machine, at: int) -> int:
    machine.keep(len(machine.memo), at)
    return at


# ---------------------------------------------------------------- the stream


def _protocol(machine: Machine, at: int) -> int:
    version = machine.raw[at]
    if version > _NEWEST:
        raise machine.problem(at, f"protocol {version} is newer than {_NEWEST}")
    return at + 1


def _frame(machine: Machine, at: int) -> int:
    # How a writer cuts its output into frames is no concern of who reads opcode by opcode.
    length = _U64(machine.raw, at)[0]
    if length > _LONGEST_FRAME:
        raise machine.problem(at, f"a frame of {length} bytes is longer than any pickle")
    return at + 8


def _stop(machine: Machine, at: int) -> int:
    if len(machine.stack) != 1 or machine.marked:
        raise machine.problem(at, "it stops with more or less than one value")
    raise StoppedError


def _buffer(machine: Machine, at: int) -> int:
    raise machine.problem(at, "it wants a buffer from outside, and there is none")


def _unknown(machine: Machine, at: int) -> int:
    raise machine.problem(at - 1, f"{machine.raw[at - 1]:#04x} is no opcode")


_OPCODES: dict[bytes, Handler] = (
    dict(PLAIN_OPCODES)
    | dict(CONTAINER_OPCODES)
    | {
        b"c": _global,
        b"\x93": _stack_global,
        b"\x82": _extension_1,
        b"\x83": _extension_2,
        b"\x84": _extension_4,
        b"R": _reduce,
        b"\x81": _reduce,
        b"\x92": _new_with_keywords,
        b"i": _instance_line,
        b"o": _object,
        b"b": _build,
        b"Q": _stored,
        b"P": _stored_line,
        b"(": _mark,
        b"0": _pop,
        b"1": _pop_mark,
        b"2": _duplicate,
        b"h": _get_1,
        b"j": _get_4,
        b"g": _get_line,
        b"q": _put_1,
        b"r": _put_4,
        b"p": _put_line,
        b"\x94": _memoize,
        b"\x80": _protocol,
        b"\x95": _frame,
        b".": _stop,
        b"\x97": _buffer,
        b"\x98": _buffer,
    }
)

HANDLERS: tuple[Handler, ...] = tuple(_OPCODES.get(bytes([code]), _unknown) for code in range(256))
"""What to do, by opcode."""
