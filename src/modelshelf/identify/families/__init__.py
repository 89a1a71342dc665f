"""The families that ship with modelshelf, one module per base and one for what bases share."""

from modelshelf.identify.families import (
    flux,
    known_classes,
    shared_parts,
    stable_diffusion_1,
    stable_diffusion_2,
    stable_diffusion_3,
    stable_diffusion_xl,
)
from modelshelf.identify.family import Families

__all__ = ["BUILT_IN"]

BUILT_IN = Families(
    (
        *flux.FAMILIES,
        *known_classes.FAMILIES,
        *shared_parts.FAMILIES,
        *stable_diffusion_1.FAMILIES,
        *stable_diffusion_2.FAMILIES,
        *stable_diffusion_3.FAMILIES,
        *stable_diffusion_xl.FAMILIES,
    )
)
"""Everything that modelshelf knows; order means nothing."""
