"""The records of models by key, wherever they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeAlias

from modelshelf.schema.config import AnyModelConfig
from modelshelf.schema.selector import Everything, Order, Selector

__all__ = ["ConfigChange", "ConfigsToAdd", "ModelRecords"]

ConfigChange: TypeAlias = AnyModelConfig | Mapping[str, Any]
"""A whole record, or some of its fields."""
ConfigsToAdd: TypeAlias = Mapping[str, ConfigChange] | Iterable[tuple[str, ConfigChange]]
"""Keys and the records to add under them."""


class ModelRecords(Protocol):
    """What of MM2's `ModelRecordService` each store does by itself; the rest is made of it.

    Every method is one transaction: it sees one moment, and a failed one leaves the records as they were.
    `records.record_service.ModelRecordServiceBase` says more of each.
    """

    def close(self) -> None:
        """Let go of the records."""
        ...

    def get_model(self, key: str) -> AnyModelConfig:
        """Return the record under *key*; raise `UnknownModelException` where there is none."""
        ...

    def exists(self, key: str) -> bool:
        """Say whether there is a record under *key*."""
        ...

    def add_models(self, configs: ConfigsToAdd) -> list[AnyModelConfig]:
        """Add all of them, at revision 1, or none."""
        ...

    def update_model(self, key: str, config: ConfigChange) -> AnyModelConfig:
        """Change a record, if the change is based on what is there."""
        ...

    def del_model(self, key: str) -> None:
        """Forget a record; raise `UnknownModelException` where there is none."""
        ...

    def find(
        self,
        selector: Selector = Everything,
        *,
        order: Order = Order.DEFAULT,
        descending: bool = False,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[AnyModelConfig]:
        """Return the records that *selector* selects: those without the attribute last, equal ones by key."""
        ...

    def count(self, selector: Selector = Everything) -> int:
        """Return how many records *selector* selects."""
        ...

    # -- made of these, the same in every store

    def add_model(self, key: str, config: ConfigChange) -> AnyModelConfig:
        """Add one record."""
        ...

    def all_models(self) -> list[AnyModelConfig]:
        """Return every record."""
        ...

    def search_by_path(self, path: str) -> AnyModelConfig:
        """Return the one record with this path, compared as text."""
        ...

    def search_by_name(
        self,
        name: str | None = None,
        base: str | None = None,
        type: str | None = None,  # noqa: A002 - the specification's word
    ) -> list[AnyModelConfig]:
        """Return the records that fit all that is given."""
        ...

    def search_by_attr(
        self,
        model_name: str | None = None,
        base_model: str | None = None,
        model_type: str | None = None,
        model_format: str | None = None,
    ) -> list[AnyModelConfig]:
        """Return the records that fit all that is given."""
        ...

    def get_model_by_attr(
        self,
        name: str | None = None,
        base: str | None = None,
        type: str | None = None,  # noqa: A002 - the specification's word
    ) -> list[AnyModelConfig]:
        """Return the records that fit all that is given."""
        ...

    def model_info_by_name(self, name: str, base_model: str, model_type: str) -> AnyModelConfig:
        """Return the one record of this name, base and type."""
        ...

    def search_by_tag(self, tags: Iterable[str]) -> list[AnyModelConfig]:
        """Return the records that have all of these tags."""
        ...

    def search_by_hash(self, hash: str) -> list[AnyModelConfig]:  # noqa: A002 - the field's name
        """Return the records known by a hash or by its first digits."""
        ...

    def find_text(
        self, text: str, *, offset: int = 0, limit: int | None = None
    ) -> list[AnyModelConfig]:
        """Return the records in which every word of *text* stands somewhere."""
        ...

    def version(self) -> str:
        """Return the version of the data model."""
        ...
