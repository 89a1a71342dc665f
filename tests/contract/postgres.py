"""A PostgreSQL server of the tests' own: nobody else's is looked for or touched."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

__all__ = ["Server", "private_server", "server_programs"]

_OWNER = "modelshelf"


class Server:
    """A running server, reached by a socket in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def analyze(self, url: str) -> None:
        """Count what a database holds, as the server itself does after a minute."""
        database = url.rpartition("@/")[2].partition("?")[0]
        plain = f"host={self.folder} user={_OWNER} dbname={database}"
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("ANALYZE")

    def new_database(self) -> str:
        """Make an empty database; return its URL.

        It sorts as people do where the server can, so that a store which needs code points must ask.
        """
        name = f"records_{uuid4().hex}"
        plain = f"host={self.folder} user={_OWNER} dbname=postgres"
        with psycopg.connect(plain, autocommit=True) as connection:
            try:
                connection.execute(
                    f"CREATE DATABASE {name} TEMPLATE template0"
                    " LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'"
                )
            except (psycopg.errors.SyntaxError, psycopg.errors.FeatureNotSupported):
                connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://{_OWNER}@/{name}?host={quote(str(self.folder))}"


@contextmanager
def private_server(*, is_durable: bool = False) -> Iterator[Server]:
    """Run a server for as long as the block lasts; skip the test where there is none to run.

    It does not wait for the disk unless *is_durable*, as one that is measured must.
    """
    programs = server_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian's package `postgresql`)")
    user = _user()
    # Not pytest's folder: another user may not enter it, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="modelshelf-pg-"))
    try:
        if user is not None:
            shutil.chown(folder, user)

        def run(program: str, *words: str) -> None:
            # A file: a server that stays would keep a pipe open.
            said = folder / f"{program}.out"
            with said.open("wb") as output:
                done = subprocess.run(
                    [programs / program, *words],
                    user=user,
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    check=False,
                    timeout=120,
                )
            assert done.returncode == 0, said.read_text()

        data = str(folder / "data")
        run("initdb", "-D", data, "-U", _OWNER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        disk = "on" if is_durable else "off"
        options = f"-k {folder} -c listen_addresses='' -c fsync={disk} -c max_connections=50"
        run("pg_ctl", "start", "-w", "-D", data, "-l", str(folder / "log"), "-o", options)
        try:
            yield Server(folder)
        finally:
            run("pg_ctl", "stop", "-w", "-D", data, "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def server_programs() -> Path | None:
    """Return the folder of the newest server that is installed."""
    # Debian keeps them off the PATH, one folder for each version.
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda program: int(program.parts[-3]) if program.parts[-3].isdigit() else 0,
    )
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    return None if program is None else Path(program).resolve().parent


def _user() -> str | None:
    """Return whom to run it as: the server refuses to be root's."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
