"""Asking for records by what the document knows them by: each question is a selector, and made of `find`.

Source: `spec/model-manager-v2.md`, "Reading and Writing Model Configuration Records".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path

from modelshelf.errors import DuplicateModelException, UnknownModelException
from modelshelf.schema.config import AnyModelConfig
from modelshelf.schema.selector import And, Attribute, Everything, Operator, Order, Selector, Term
from modelshelf.schema.selector_form import is_text
from modelshelf.schema.selector_matching import bare_hash
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["RecordQuestions", "shown_key"]


class RecordQuestions(ABC):
    """The document's questions, answered alike by every store that can find what a selector selects."""

    @abstractmethod
    def find(
        self,
        selector: Selector = Everything,
        *,
        order: Order = Order.DEFAULT,
        descending: bool = False,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[AnyModelConfig]:
        """Return the records that *selector* selects.

        Args:
            selector: The condition; see `parse_selector` for the language.
            order: What to sort by; records without it come last either way, equal ones by key.
            descending: Largest first. Equal ones are still by key, smallest first.
            offset: Leave out so many at the beginning.
            limit: At most so many; None for all.
        """

    def all_models(self) -> list[AnyModelConfig]:
        """Return every record."""
        return self.find()

    def search_by_path(self, path: Path | str) -> AnyModelConfig:
        """Return the record whose path is *path*, compared as text: links and `..` are not followed.

        Raises:
            UnknownModelException: No model lies there.
            DuplicateModelException: Several records say that they do.
        """
        found = self.find(_is(Attribute.PATH, str(path)))
        return _only([one for one in found if one.path == str(path)], str(path))

    def search_by_name(
        self,
        name: str | None = None,
        base: BaseModelType | str | None = None,
        type: ModelType | str | None = None,  # noqa: A002 - the specification's word
    ) -> list[AnyModelConfig]:
        """Return the records that fit all that is given; every record where nothing is.

        Args:
            name: The whole name, case and all.
            base: One of the bases that it works with.
            type: What it is.
        """
        return self.search_by_attr(model_name=name, base_model=base, model_type=type)

    def search_by_attr(
        self,
        model_name: str | None = None,
        base_model: BaseModelType | str | None = None,
        model_type: ModelType | str | None = None,
        model_format: ModelFormat | str | None = None,
    ) -> list[AnyModelConfig]:
        """Return the records that fit all that is given. See `search_by_name`."""
        asked = {
            Attribute.NAME: model_name,
            Attribute.BASE: base_model,
            Attribute.TYPE: model_type,
            Attribute.FORMAT: model_format,
        }
        terms = tuple(_is(about, value) for about, value in asked.items() if value is not None)
        # A selector does not look at the case of letters; a name is a name.
        return [one for one in self.find(And(terms)) if model_name in (None, one.name)]

    def get_model_by_attr(
        self,
        name: str | None = None,
        base: BaseModelType | str | None = None,
        type: ModelType | str | None = None,  # noqa: A002 - the specification's word
    ) -> list[AnyModelConfig]:
        """Return the records that fit all that is given. See `search_by_name`.

        The specification describes it nowhere; its samples under "mm.store" and "mm.load" give a name and
        take a list.
        """
        return self.search_by_name(name, base, type)

    def model_info_by_name(
        self, name: str, base_model: BaseModelType | str, model_type: ModelType | str
    ) -> AnyModelConfig:
        """Return the one record of this name, base and type.

        Raises:
            UnknownModelException: There is none.
            DuplicateModelException: There are several; choose one by its key.
        """
        found = self.search_by_attr(name, base_model, model_type)
        return _only(found, f"{name} ({model_type}, {base_model})")

    def search_by_tag(self, tags: Iterable[str]) -> list[AnyModelConfig]:
        """Return the records that have all of these tags, whatever the case of letters."""
        words = [tags] if isinstance(tags, str) else tags
        return self.find(And(tuple(_is(Attribute.TAG, tag) for tag in dict.fromkeys(words))))

    def search_by_hash(self, hash: str) -> list[AnyModelConfig]:  # noqa: A002 - the field's name
        """Return the records known by a hash or by its first digits, with or without the algorithm's name."""
        return self.find(Term(Attribute.HASH, Operator.STARTS, bare_hash(hash)))

    def find_text(
        self, text: str, *, offset: int = 0, limit: int | None = None
    ) -> list[AnyModelConfig]:
        """Return the records in which every word of *text* stands somewhere.

        Looked at are name, description, source, tags, trigger phrases and author, whatever the case of
        letters. A word may be a part of a longer one, and may be of any letters and signs.
        """
        words = (Term(Attribute.TEXT, Operator.HAS, word) for word in dict.fromkeys(text.split()))
        return self.find(And(tuple(words)), offset=offset, limit=limit)


def _is(attribute: Attribute, value: str) -> Term:
    return Term(attribute, Operator.IS, str(value))


def shown_key(key: object) -> str:
    """Return what somebody asked for as an error can show it, whatever it is."""
    return key if isinstance(key, str) and is_text(key) else ascii(key)


def _only(found: list[AnyModelConfig], wanted: str) -> AnyModelConfig:
    if not found:
        raise UnknownModelException(wanted=shown_key(wanted))
    if len(found) > 1:
        matches = ", ".join(f"{one.key} ({one.name})" for one in found)
        raise DuplicateModelException(wanted=wanted, count=len(found), matches=matches)
    return found[0]
