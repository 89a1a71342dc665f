"""The stores of model records, all of them.

`ModelRecordServiceBase.from_db_file` and `open` choose among the kinds of store that are imported: whoever
imports the base from here has both.
"""

from __future__ import annotations

from modelshelf.records.file_service import ModelRecordServiceFile
from modelshelf.records.record_service import ModelRecordServiceBase
from modelshelf.records.sql_service import ModelRecordServiceSQL

__all__ = ["ModelRecordServiceBase", "ModelRecordServiceFile", "ModelRecordServiceSQL"]
