"""The stores of model records, all of them.

`ModelRecordServiceBase.from_db_file` and `open` choose among the kinds of store that are imported: whoever
imports the base from here has them all: `LibraryRecordService` too, which `open` returns for `Settings`.
"""

from __future__ import annotations

from modelshelf.records.file_service import ModelRecordServiceFile
from modelshelf.records.library_service import LibraryRecordService
from modelshelf.records.record_service import ModelRecordServiceBase
from modelshelf.records.sql_service import ModelRecordServiceSQL

__all__ = [
    "LibraryRecordService",
    "ModelRecordServiceBase",
    "ModelRecordServiceFile",
    "ModelRecordServiceSQL",
]
