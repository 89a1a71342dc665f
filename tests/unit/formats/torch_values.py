"""Tensors, dicts and modules as the machine that reads pickles leaves them."""

from __future__ import annotations

from modelshelf.formats.pickle_values import Call, Named, Stored, Table

__all__ = ["called", "module", "rebuilt", "stored", "table", "tensor"]


def stored(
    key: object = "w", count: object = 6, kind: object = "torch.FloatStorage", *view: object
) -> Stored:
    """A storage; text as *kind* is the name of a class."""
    return Stored(
        ("storage", Named(kind) if isinstance(kind, str) else kind, key, "cpu", count, *view)
    )


def rebuilt(function: str, *arguments: object) -> Call:
    """What a function of `torch._utils` would make."""
    return Call(Named(f"torch._utils.{function}"), arguments)


def tensor(shape: object = (2, 3), strides: object = (3, 1), offset: object = 0) -> Call:
    """A tensor in the storage `w`."""
    return rebuilt("_rebuild_tensor_v2", stored(), offset, shape, strides, 0, None)


def table(*pairs: object) -> Table:
    """A dict of keys and values in turn."""
    return Table(list(pairs))


def called(name: str, *arguments: object, pairs: list[object] | None = None) -> Call:
    """An object of another kind, with what was set on it."""
    call = Call(Named(name), arguments)
    call.pairs = pairs
    return call


def module(*fields: object) -> Call:
    """A pickled module, with the fields of its state in turn."""
    call = Call(Named("nets.Net"), ())
    call.state = Table(list(fields))
    return call
