"""What every record store promises, as tests to inherit.

A test module subclasses `RecordStoreContract` and sets `records` before each test. Nothing of pytest is
used here. Parts are made of plain bytes: a record store never reads them.
"""

from __future__ import annotations

from modelshelf.testing.record_keeping_contract import RecordKeepingContract
from modelshelf.testing.record_naming_contract import RecordNamingContract

__all__ = ["RecordStoreContract"]


class RecordStoreContract(RecordNamingContract, RecordKeepingContract):
    """The promises of `protocols.RecordStore`, all of them."""
