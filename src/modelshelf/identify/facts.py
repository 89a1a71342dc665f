"""Everything that rules may look at, in the form that they look at it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from modelshelf.identify.adapter import Adapter, AdapterNaming, Target, find_adapter
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
