"""From a pickle and its storages to the index of a checkpoint: the same for all layouts of torch."""

from __future__ import annotations

from collections.abc import Iterable

from modelshelf.formats.pickle_reader import Pickle
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.torch_payload import Payload
from modelshelf.formats.torch_tensor import KNOWN_NAMES, Locate, TensorReader
from modelshelf.schema.tensor import Container, TensorIndex

__all__ = ["build_index", "foreign_names"]

_HARMLESS = frozenset(
    {
        "_codecs.encode",
        "argparse.Namespace",
        "collections.Counter",
        "collections.OrderedDict",
        "collections.defaultdict",
        "collections.deque",
        "copy_reg._reconstructor",
        "copyreg._reconstructor",
        "datetime.datetime",
        "datetime.timedelta",
        "torch.Size",
        "torch.Tensor",
        "torch.device",
        "torch.nn.parameter.Parameter",
        "torch.nn.modules.container.ParameterDict",
    }
    | {
        f"{module}.{name}"
        for module in ("builtins", "__builtin__")
        for name in (
            "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list",
            "long", "object", "range", "set", "slice", "str", "tuple", "unicode", "xrange",
        )
    }
    | {
        f"numpy{module}"
        for module in (
            ".dtype", ".ndarray", ".core.multiarray.scalar", ".core.multiarray._reconstruct",
            "._core.multiarray.scalar", "._core.multiarray._reconstruct",
        )
    }
)  # fmt: skip
"""What honest checkpoints name beside tensors. Like all else it is not imported; it is not news either."""
_MOST_FINDINGS = 20
_LONGEST = 100


def build_index(
    pickle: Pickle, locate: Locate, budget: ReadingBudget, findings: Iterable[str] = ()
) -> TensorIndex:
    """Return the index of what *pickle* holds.

    Args:
        pickle: The checkpoint's object.
        locate: Where the storage of a key lies.
        budget: What may still be read.
        findings: What the caller found; may still grow while tensors are located.

    Raises:
        CheckpointFault: A tensor breaks a rule, or could only be read by running something.
    """
    payload = Payload(TensorReader(locate), budget)
    payload.collect(pickle.value)
    found = {*findings, *payload.findings, *foreign_names(pickle.names)}
    return TensorIndex(
        tensors=payload.tensors,
        metadata=payload.metadata,
        container=Container.PICKLE,
        findings=tuple(sorted(found)),
    )


def foreign_names(names: Iterable[str]) -> list[str]:
    """Say what a pickle names that checkpoints have no need of."""
    foreign = sorted(set(names) - KNOWN_NAMES - _HARMLESS)
    found = [
        f"it names `{name[:_LONGEST]}`, which was not imported and not run"
        for name in foreign[:_MOST_FINDINGS]
    ]
    if len(foreign) > _MOST_FINDINGS:
        found.append(f"it names {len(foreign) - _MOST_FINDINGS} things more that were not imported")
    return found
