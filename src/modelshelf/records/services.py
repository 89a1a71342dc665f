"""The stores of model records, all of them.

`ModelRecordServiceBase.from_db_file` and `open` choose among the kinds of store that are imported: whoever
imports the base from here has them all: `LibraryRecordService` too, which `open` returns for `Settings`.
The words that their records are told apart by can be had from here too, as the specification has it.
"""

from __future__ import annotations

from modelshelf.records.file_service import ModelRecordServiceFile
from modelshelf.records.library_service import LibraryRecordService
from modelshelf.records.record_service import ModelRecordServiceBase
from modelshelf.records.sql_service import ModelRecordServiceSQL
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = [
    "BaseModelType",
    "LibraryRecordService",
    "ModelFormat",
    "ModelRecordServiceBase",
    "ModelRecordServiceFile",
    "ModelRecordServiceSQL",
    "ModelType",
    "ModelVariantType",
    "SchedulerPredictionType",
]
