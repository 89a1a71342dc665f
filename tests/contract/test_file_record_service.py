from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from modelshelf.protocols import ModelRecords
from modelshelf.records.file_service import ModelRecordServiceFile
from modelshelf.testing.record_service_contract import RecordServiceContract


class TestYamlFile(RecordServiceContract):
    """Records in a person's YAML file."""

    @pytest.fixture(autouse=True)
    def _service(self, tmp_path: Path) -> Iterator[None]:
        self.path = tmp_path / "models.yaml"
        with ExitStack() as self.opened:
            self.service = self.another()
            yield

    def another(self) -> ModelRecords:
        service = ModelRecordServiceFile.from_db_file(self.path, clock=self.clock)
        return self.opened.enter_context(service)
