"""Which families are worth asking: those whose one necessary name is there at all.

Hundreds of families would each be asked about every file, and nearly all would shake their heads at
the first name. So each family is filed under one thing without which it cannot agree, and a file is
asked for those things instead. What this leaves out would have said no: a property test compares the
answers with those of all families.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

from modelshelf.identify.adapter_condition import Adapts, Named, longest_literal
from modelshelf.identify.condition import Both, Condition, Setting, Unset
from modelshelf.identify.facts import Facts
from modelshelf.identify.folding import fold
from modelshelf.identify.host import Fits, Host
from modelshelf.identify.tensor_condition import OneTensor, Some, Tensor

__all__ = ["Shortlist"]


_ID = attrgetter("id")
_ANY_TARGET = ":"
"""Stands in the path of every module that an adapter changes."""


class _Asked(Protocol):
    """What is filed here: a family, as far as this module knows it."""

    @property
    def id(self) -> str: ...

    @property
    def conditions(self) -> tuple[Condition, ...]: ...


_Family = TypeVar("_Family", bound=_Asked)


@dataclass(frozen=True, slots=True)
class _Needs:
    """What a family cannot do without; several may be given, the rarest files it."""

    tensors: tuple[str, ...] = ()
    """Folded names without wrappers."""
    words: tuple[str, ...] = ()
    """Pieces of the paths of adapted modules."""
    hosts: tuple[Host, ...] = ()
    """Denoisers that an adapter must fit."""
    classes: tuple[str, ...] = ()
    """Classes, one of which the configuration must name."""
    configuration: bool = False
    """There must be one."""
    lone_tensor: bool = False
    """There must be no second tensor."""


class Shortlist(Generic[_Family]):
    """The families filed under what each needs."""

    def __init__(self, families: Iterable[_Family]) -> None:
        needs = [(family, _needs_of(family)) for family in families]
        rarity = Counter(name for _, one in needs for name in one.tensors)
        self._by_tensor: dict[str, list[_Family]] = {}
        self._by_word: dict[str, list[_Family]] = {}
        self._by_host: list[tuple[Host, _Family]] = []
        self._by_class: dict[str, list[_Family]] = {}
        self._by_configuration: list[_Family] = []
        self._by_lone_tensor: list[_Family] = []
        self._always: list[_Family] = []
        for family, one in needs:
            if one.tensors:
                rarest = min(one.tensors, key=lambda name: (rarity[name], name))
                self._by_tensor.setdefault(rarest, []).append(family)
            elif one.hosts:
                self._by_host.append((one.hosts[0], family))
            elif one.words:
                self._by_word.setdefault(max(one.words, key=len), []).append(family)
            elif one.classes:
                for name in one.classes:
                    self._by_class.setdefault(name, []).append(family)
            elif one.configuration:
                self._by_configuration.append(family)
            elif one.lone_tensor:
                self._by_lone_tensor.append(family)
            else:
                self._always.append(family)

    def of(self, facts: Facts) -> list[_Family]:
        """Return every family that may agree, sorted by id, and few others."""
        found = list(self._always)
        for name in facts.groups.keys() & self._by_tensor.keys():
            found += self._by_tensor[name]
        if paths := facts.target_text:
            for word, families in self._by_word.items():
                if word in paths:
                    found += families
        adapter = facts.adapter
        if adapter is not None and adapter.denoiser:
            first = adapter.denoiser[0].path
            fitting = [own for start, own in self._by_beginning.items() if first.startswith(start)]
            # By id, as a path may begin with several of a host's beginnings.
            found += {one.id: one for families in fitting for one in families}.values()
        if facts.settings:
            found += self._by_configuration
            found += self._by_class.get(facts.settings.get("class", ""), ())
        if facts.lone_tensor is not None:
            found += self._by_lone_tensor
        return sorted(found, key=_ID)

    @cached_property
    def _by_beginning(self) -> Mapping[str, list[_Family]]:
        """Families by what the paths of their hosts begin with; read when the first adapter comes."""
        found: dict[str, list[_Family]] = {}
        for host, family in self._by_host:
            for beginning in host.beginnings:
                found.setdefault(beginning, []).append(family)
        return found


def _needs_of(family: _Asked) -> _Needs:
    tensors: list[str] = []
    words: list[str] = []
    hosts: list[Host] = []
    classes: tuple[str, ...] = ()
    configuration = lone = False
    for condition in _parts(family.conditions):
        if isinstance(condition, Tensor | Some):
            tensors += fold([condition.name])
        elif isinstance(condition, Adapts):
            words.append(longest_literal(condition.module))
        elif isinstance(condition, Named):
            words.append(_ANY_TARGET)
        elif isinstance(condition, Fits):
            hosts.append(condition.host)
        elif isinstance(condition, Setting | Unset):
            configuration = True
            classes = classes or _classes_of(condition)
        elif isinstance(condition, OneTensor):
            lone = True
    return _Needs(tuple(tensors), tuple(words), tuple(hosts), classes, configuration, lone)


def _parts(conditions: Iterable[Condition]) -> Iterator[Condition]:
    for condition in conditions:
        if isinstance(condition, Both):
            yield from _parts((condition.first, condition.second))
        else:
            yield condition


def _classes_of(condition: Setting | Unset) -> tuple[str, ...]:
    if not isinstance(condition, Setting) or condition.name != "class":
        return ()
    names = tuple(value for value in condition.values if isinstance(value, str))
    is_literal = len(names) == len(condition.values) and not set("*?[") & set("".join(names))
    return tuple(dict.fromkeys(names)) if is_literal else ()
