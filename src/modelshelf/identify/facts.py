"""Everything that rules may look at, in the form that they look at it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from copy import copy
from functools import cached_property
from typing import Any

from modelshelf.identify.adapter import Adapter, find_adapter
from modelshelf.identify.adapter_names import AdapterNaming
from modelshelf.identify.adapter_target import Target
from modelshelf.identify.block_lists import BlockLists, block_lists
from modelshelf.identify.claims import BasesSaid
from modelshelf.identify.layout import Group, Layout
from modelshelf.schema.tensor import Container, TensorIndex

__all__ = ["Facts"]


class Facts:
    """Everything that rules may look at: tensors by part, adapted modules, configuration."""

    def __init__(
        self,
        index: TensorIndex | None = None,
        settings: Mapping[str, Any] | None = None,
        config_name: str = "",
        said: BasesSaid = frozenset(),
    ) -> None:
        self.layout = Layout(index or TensorIndex(tensors={}))
        self.settings = settings or {}
        self.config_name = config_name
        self.said = said
        """What others say of the base, beside the file."""
        self.is_lenient = False
        """True where a few lost tensors are overlooked."""
        self.is_measured = False
        """True where a shape that nothing tells is no shape that somebody asks for."""

    def leniently(self) -> Facts:
        """Return the same facts, to be looked at with lenience."""
        facts = copy(self)
        facts.is_lenient = True
        return facts

    def measured(self) -> Facts:
        """Return the same facts, to be looked at for what they prove and not for what they leave open."""
        return self._measuring(is_measured=True)

    def unmeasured(self) -> Facts:
        """Return the same facts, to be looked at as at first: shapes that nothing tells may be any."""
        return self._measuring(is_measured=False)

    def _measuring(self, *, is_measured: bool) -> Facts:
        if self.is_measured is is_measured or not self.layout.shapes.may_hide:
            return self
        facts = copy(self)
        facts.is_measured = is_measured
        return facts

    def modules_like(self, folded: str) -> int:
        """Say how many modules have, or had, the tensor *folded*.

        As many as the most frequent tensor of such modules counts, or as the highest number in a
        plain list says.
        """
        group = self.groups.get(folded)
        numbered = group.length() if group is not None and folded.count("#") == 1 else 0
        return max(self._modules.get(folded.rpartition("#.")[0], 0), numbered)

    @cached_property
    def lone_tensor(self) -> tuple[str, str] | None:
        """The one tensor of a file that has no other, as its name without wrappers and in the file."""
        folded = self.layout.folded
        if len(folded) != 1 or len(self.groups) != 1:
            return None
        (names,) = folded.values()
        return (next(iter(self.groups)), names[0]) if len(names) == 1 else None

    @cached_property
    def ports(self) -> Mapping[str, tuple[str, ...]]:
        """Inputs and outputs of an ONNX graph as `input:NAME` → sides; empty for anything else."""
        index = self.layout.index
        if index.container is not Container.ONNX:
            return {}
        return {
            name: tuple(sides.strip("[]").split(", "))
            for name, sides in index.metadata.items()
            if name.startswith(("input:", "output:"))
        }

    @cached_property
    def _modules(self) -> Mapping[str, int]:
        counts: dict[str, int] = {}
        for folded, group in self.groups.items():
            head, number, _ = folded.rpartition("#.")
            if number:
                counts[head] = max(counts.get(head, 0), len(group.names))
        return counts

    @cached_property
    def groups(self) -> Mapping[str, Group]:
        """Tensors of the part that speaks for the file, by folded name without wrappers."""
        return self.layout.groups(self.layout.leading)

    @cached_property
    def block_lists(self) -> BlockLists:
        """In which blocks of each list the modules of *groups* stand."""
        return block_lists(self.groups)

    def has_module(self, path: str) -> bool:
        """Say whether tensors of *groups* stand in the module of this folded path, at any depth."""
        start = f"{path}."
        place = bisect_left(self._names_in_order, start)
        return any(name.startswith(start) for name in self._names_in_order[place : place + 1])

    @cached_property
    def _names_in_order(self) -> list[str]:
        # And no set of all modules: of names that are deep there may be a million.
        return sorted(self.groups)

    @cached_property
    def adapter(self) -> Adapter | None:
        """What an adapter adapts, and how; None for anything else."""
        return find_adapter(self.layout)

    @property
    def targets(self) -> Mapping[str, Target]:
        """Modules that an adapter adapts; empty for anything else."""
        return self.adapter.targets if self.adapter else {}

    @cached_property
    def target_text(self) -> str:
        """The paths of *targets*, a line for each: one search asks them all."""
        return "\n".join(self.targets)

    @property
    def naming(self) -> AdapterNaming | None:
        """Whose names the adapter follows; None for anything else."""
        return self.adapter.naming if self.adapter else None
