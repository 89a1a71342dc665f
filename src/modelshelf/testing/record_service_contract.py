"""What every store of model records promises, as tests to inherit.

A test module subclasses `RecordServiceContract`, sets `service` before each test with `clock` as its clock,
and says in `another` how the same records are opened once more. Nothing of pytest is used here.
"""

from __future__ import annotations

from modelshelf.testing.record_searching_contract import RecordSearchingContract
from modelshelf.testing.record_writing_contract import RecordWritingContract

__all__ = ["RecordServiceContract"]


class RecordServiceContract(RecordWritingContract, RecordSearchingContract):
    """The promises of `protocols.ModelRecords`, all of them."""
