"""Everything that rules may look at, in the form that they look at it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from modelshelf.identify.adapter import AdapterNaming, Target, find_targets, naming_of
from modelshelf.identify.layout import Group, Layout
from modelshelf.schema.tensor import TensorIndex

__all__ = ["Facts"]


class Facts:
    """Everything that rules may look at: tensors by part, adapted modules, configuration."""

    def __init__(
        self,
        index: TensorIndex | None = None,
        settings: Mapping[str, Any] | None = None,
        config_name: str = "",
    ) -> None:
        self.layout = Layout(index or TensorIndex(tensors={}))
        self.settings = settings or {}
        self.config_name = config_name

    @cached_property
    def groups(self) -> Mapping[str, Group]:
        """Tensors of the part that speaks for the file, by folded name without wrappers."""
        return self.layout.groups(self.layout.leading)

    @cached_property
    def targets(self) -> Mapping[str, Target]:
        """Modules that an adapter adapts, in order of text; empty for anything else."""
        return dict(sorted(find_targets(self.layout).items()))

    @cached_property
    def target_text(self) -> str:
        """The paths of *targets*, a line for each: one search asks them all."""
        return "\n".join(self.targets)

    @cached_property
    def naming(self) -> AdapterNaming:
        """Whose names the adapter follows."""
        return naming_of(self.layout)
