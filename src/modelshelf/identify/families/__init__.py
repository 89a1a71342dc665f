"""The families that ship with modelshelf, one module per base and one for what bases share.

Whatever module of this package has `FAMILIES` takes part, so that adding a family touches one file.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from modelshelf.identify.family import Families, Family

__all__ = ["BUILT_IN"]


def _find() -> Iterator[Family]:
    for name in sorted(module.name for module in iter_modules(__path__)):
        found: tuple[Family, ...] = getattr(import_module(f"{__name__}.{name}"), "FAMILIES", ())
        yield from found


BUILT_IN = Families(_find())
"""Everything that modelshelf knows; order means nothing."""
