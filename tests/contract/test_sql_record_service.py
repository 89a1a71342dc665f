from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Lock

import pytest

from modelshelf import Settings
from modelshelf.protocols import ModelRecords
from modelshelf.records.database import Database
from modelshelf.records.library_service import LibraryRecordService
from modelshelf.records.sql_service import ModelRecordServiceSQL
from modelshelf.testing.record_service_contract import RecordServiceContract


class TestFile(RecordServiceContract):
    """Records in a SQLite file of their own."""

    @pytest.fixture(autouse=True)
    def _service(self, tmp_path: Path) -> Iterator[None]:
        self.path = tmp_path / "records.db"
        with ExitStack() as self.opened:
            self.service = self.another()
            yield

    def another(self) -> ModelRecords:
        service = ModelRecordServiceSQL.from_db_file(self.path, clock=self.clock)
        return self.opened.enter_context(service)


class TestLentConnection(RecordServiceContract):
    """Records in a connection that a host has open, with habits of its own."""

    @pytest.fixture(autouse=True, params=["", None, "EXCLUSIVE"])
    def _service(self, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[None]:
        self.connection = sqlite3.connect(
            tmp_path / "host.db", isolation_level=request.param, check_same_thread=False
        )
        self.connection.row_factory = sqlite3.Row
        self.connection.text_factory = bytes
        self.lock = Lock()
        self.service = self.another()
        yield
        self.service.close()
        assert self.connection.execute("SELECT 'open'").fetchone()[0] == b"open"
        assert self.connection.isolation_level == request.param
        self.connection.close()

    def another(self) -> ModelRecords:
        return ModelRecordServiceSQL.from_connection(self.connection, self.lock, clock=self.clock)


class TestLibrary(RecordServiceContract):
    """Records of models that lie elsewhere, beside those of a whole library."""

    @pytest.fixture(autouse=True)
    def _service(self, tmp_path: Path) -> Iterator[None]:
        self.settings = Settings(root=tmp_path)
        with ExitStack() as self.opened:
            self.service = self.another()
            yield

    def another(self) -> ModelRecords:
        database = Database(self.settings.db_path)
        service = LibraryRecordService(
            database,
            clock=self.clock,
            models=self.settings.models_path,
            retention=self.settings.trash_retention,
            settle=lambda: None,
            release=database.close,
        )
        return self.opened.enter_context(service)
