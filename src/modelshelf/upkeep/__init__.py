"""Keeping the library sound: deleting with a way back, collecting garbage, checking every byte."""

from modelshelf.upkeep.collection import GarbageCollector
from modelshelf.upkeep.trash import Trash
from modelshelf.upkeep.verification import Verifier

__all__ = ["GarbageCollector", "Trash", "Verifier"]
