"""What a checkpoint holds, laid flat: tensors by dotted names, and the few words beside them.

Trainers nest: `{"state_dict": {…}, "epoch": 3, "optimizer_states": […]}`. Known wrappers are taken off
where they hold the tensors, and the metadata say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelshelf.formats.pickle_values import Call, CheckpointFault, Named, Stored, Table
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.torch_tensor import TensorReader, is_tensor, not_run
from modelshelf.schema.tensor import TensorEntry

__all__ = ["Payload"]

_WRAPPERS = ("params_ema", "params-ema", "params", "state_dict", "model_state_dict")
"""Hold the model and nothing else, whatever lies beside them; the first one present counts."""
_LOOSE_WRAPPERS = ("module", "model", "net", "network", "generator", "net_g", "netG", "weights")
"""Hold the model where all beside them is left over from training."""
_TRAINING = re.compile(
    r"optim|sched|^ema|_ema|callbacks|loops|rng|scaler|^amp$|sampler|hparams|hyper|^loss|^lr"
)
_MOST_WRAPPERS = 4
_MODULE_FIELDS = ("_parameters", "_buffers", "_modules")
_OF_CONTAINER = object()
"""Stands for the key of what keeps the name of its container: no file can say it."""

_INNER: frozenset[type] = frozenset({Call, Table, Stored, list, tuple})
_KEYS = (str, int)
"""What names a member."""
_WORDS: frozenset[type] = frozenset({str, int, float, bool})

_MOST_WORK = 5_000_000
_EFFORT = 32
"""What one more container costs, counted in values that are only looked at."""
_COST = 3
"""Values that are looked at in one step, as a power of two."""
_TENSOR_COST = 12
_MOST_TENSORS = 50_000
_DEEPEST = 64
_LONGEST_NAME = 1_000
_MOST_LETTERS = 8_000_000
"""Of all names together."""
_LONGEST_WORD = 1_000
_MOST_WORDS = 64


class Payload:
    """Collects the tensors and words of one checkpoint.

    Args:
        reader: Checks each tensor.
        budget: What may still be read.
    """

    def __init__(self, reader: TensorReader, budget: ReadingBudget) -> None:
        self.tensors: dict[str, TensorEntry] = {}
        """Name → entry, in the order of the file."""
        self.metadata: dict[str, str] = {}
        """Words and numbers at the top; what was taken off as `unwrapped`, left out as `beside`."""
        self.findings: set[str] = set()
        """What a person should know."""
        self._reader, self._budget = reader, budget
        self._work = self._letters = 0

    def collect(self, value: object) -> None:
        """Lay *value*, a whole checkpoint, flat.

        A bare tensor is called `tensor`, the members of a list `#0`, `#1`, ….

        Raises:
            CheckpointFault: A tensor breaks a rule or depends on what is not run, or there is
                more of something than any checkpoint has.
        """
        wrappers, beside = [], list[str]()
        for _ in range(_MOST_WRAPPERS):
            self._keep_words(value)
            found = self._unwrap(value)
            if found is None:
                break
            wrapper, value, left_out = found
            wrappers.append(wrapper)
            beside.extend(left_out)
        self._flatten(value)
        if wrappers:
            self.metadata["unwrapped"] = ".".join(wrappers)
        if beside:
            self.metadata["beside"] = ", ".join(beside)[:_LONGEST_WORD]

    def _keep_words(self, value: object) -> None:
        """Keep the plain words and numbers at this level: name, step, version."""
        for key, word in _paired(value, _WORDS) if isinstance(value, Table | Call) else ():
            if len(self.metadata) >= _MOST_WORDS:
                break
            if isinstance(key, str) and len(key) <= _LONGEST_WORD:
                self.metadata.setdefault(key, str(word)[:_LONGEST_WORD])

    def _unwrap(self, value: object) -> tuple[str, object, list[str]] | None:
        """Return the wrapper in *value*, what it holds, and which others with tensors are left out."""
        if not isinstance(value, Table | Call):
            return None
        holding = {
            key: inner
            for key, inner in self._counted(value)
            if isinstance(key, str) and (is_tensor(inner) or self._holds_tensors(inner))
        }
        for wrapper in _WRAPPERS + _LOOSE_WRAPPERS:
            inner = holding.get(wrapper)
            if inner is None or is_tensor(inner):
                continue
            others = [key for key in holding if key != wrapper]
            if wrapper in _WRAPPERS or all(
                _TRAINING.search(other) or other in _LOOSE_WRAPPERS for other in others
            ):
                return wrapper, inner, others
        return None

    def _holds_tensors(self, value: object, depth: int = 4) -> bool:
        return any(
            is_tensor(inner) or (depth > 0 and self._holds_tensors(inner, depth - 1))
            for _, inner in self._counted(value)
        )

    def _flatten(self, value: object) -> None:
        if is_tensor(value):
            self._add("tensor", value)
            return
        _refuse_dependents("tensor", value)
        # Iterators and not a recursion, so that depth costs no stack and breadth no memory.
        to_do = [self._named_members("", value)]
        while to_do:
            found = next(to_do[-1], None)
            if found is None:
                to_do.pop()
                continue
            name, member = found
            if is_tensor(member):
                self._add(name, member)
            elif len(to_do) > _DEEPEST:
                raise CheckpointFault(
                    problem=f"it is nested deeper than {_DEEPEST} levels, or holds itself"
                )
            else:
                to_do.append(self._named_members(name, member))

    def _named_members(self, name: str, value: object) -> Iterator[tuple[str, object]]:
        for key, member in self._counted(value):
            if isinstance(member, Stored):
                self.findings.add("it holds storages that no tensor names; they are left out")
            elif key is _OF_CONTAINER:
                yield name, member
            elif isinstance(key, _KEYS) and len(name) < _LONGEST_NAME > len(str(key)):
                full = f"{name}.{key}" if name else str(key)
                _refuse_dependents(full, member)
                yield full, member
            elif is_tensor(member) or self._holds_tensors(member):
                self.findings.add("a tensor under a key that is no name was left out")

    def _add(self, name: str, value: object) -> None:
        if name in self.tensors:
            raise CheckpointFault(problem=f"`{name}` is there twice")
        self._letters += len(name)
        if len(self.tensors) >= _MOST_TENSORS:
            raise CheckpointFault(problem=f"it has more than {_MOST_TENSORS} tensors")
        if self._letters > _MOST_LETTERS:
            raise CheckpointFault(problem=f"its names have more than {_MOST_LETTERS} letters")
        self._budget.spend(_TENSOR_COST)
        self.tensors[name] = self._reader.entry(name, value)

    def _counted(self, value: object) -> Iterator[tuple[object, object]]:
        """List what *value* holds, and give up on a payload that has no end of it."""
        work = _EFFORT + _breadth(value)
        self._budget.spend(work >> _COST)
        self._work += work
        if self._work > _MOST_WORK:
            raise CheckpointFault(problem="it holds more values than any checkpoint does")
        return _members(value)


def _refuse_dependents(name: str, value: object) -> None:
    """Give up where a tensor is handed to something that would have to be run to see what it makes."""
    if not isinstance(value, Call) or not isinstance(value.arguments, tuple) or is_tensor(value):
        return
    if any(is_tensor(one) or isinstance(one, Stored) for one in value.arguments):
        raise not_run(name, value)


def _breadth(value: object) -> int:
    match value:
        case Table():
            return len(value.pairs)
        case list() | tuple():
            return len(value)
        case Call():
            return len(value.pairs or ()) + len(value.elements or ())
        case _:
            return 0


def _members(value: object) -> Iterator[tuple[object, object]]:
    """List key and value of what a container holds, plain values left out.

    Of a pickled module it is what its state says, under `_OF_CONTAINER`.
    """
    match value:
        case Table():
            yield from _paired(value, _INNER)
        case list() | tuple():
            yield from _numbered(value)
        case Call():
            yield from _paired(value, _INNER)
            yield from _numbered(value.elements or ())
            yield from _given(value)
            if isinstance(value.state, Table):
                fields = _paired(value.state, _INNER)
                yield from (
                    (_OF_CONTAINER, field) for key, field in fields if key in _MODULE_FIELDS
                )
        case _:
            return


def _paired(value: Table | Call, kinds: frozenset[type]) -> Iterator[tuple[object, object]]:
    pairs = value.pairs or []
    both = zip(pairs[::2], pairs[1::2], strict=True)
    return ((key, member) for key, member in both if type(member) in kinds)


def _numbered(values: list[object] | tuple[object, ...]) -> Iterator[tuple[object, object]]:
    return ((f"#{place}", one) for place, one in enumerate(values) if type(one) in _INNER)


def _given(call: Call) -> Iterator[tuple[object, object]]:
    """List the pairs that a dict was made from, as Python 2 wrote them: `OrderedDict([[key, value]])`."""
    match call:
        case Call(function=Named(name="collections.OrderedDict"), arguments=([*pairs],)):
            for pair in pairs:
                if isinstance(pair, list | tuple) and len(pair) == len(("key", "value")):
                    yield pair[0], pair[1]
        case _:
            return
