"""Identification: which model tensors, a file or a folder are, by declared rules with evidence."""

from modelshelf.identify.edition import rules_edition
from modelshelf.identify.families import BUILT_IN
from modelshelf.identify.family import Families, Family, Trait
from modelshelf.identify.identifying import identify
from modelshelf.identify.recollection import Recollection

__all__ = ["BUILT_IN", "Families", "Family", "Recollection", "Trait", "identify", "rules_edition"]
