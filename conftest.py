"""What every test shares: a library of its own, and documentation that runs."""

from __future__ import annotations

import doctest
import os
import signal
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.doctest import DocTestParser
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

from tests.docs.workspace import Workspace, evaluate_console

# Examples write files, and a loaded machine must not turn that into a failure.
# The quick ones are the same each time, so that a change is judged by itself; `make property` looks further.
settings.register_profile(
    "quick",
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "deep", max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_configure() -> None:
    """Let Ctrl-C reach what tests start, though a script's shell started pytest behind itself, with `&`.

    What such a shell starts ignores it, and whatever that starts.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_library(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from the library of whoever runs it."""
    for name in [name for name in os.environ if name.startswith("MODELSHELF_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MODELSHELF_ROOT", str(tmp_path_factory.getbasetemp() / "library"))


def _enter(namespace: dict[str, object], *, models: bool) -> None:
    workspace = Workspace(models=models)
    workspace.enter(namespace)
    namespace["_workspace"] = workspace


def _leave(namespace: dict[str, object]) -> None:
    workspace = namespace["_workspace"]
    assert isinstance(workspace, Workspace)
    workspace.leave()


_pages = Sybil(
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS),
        CodeBlockParser(language="console", evaluator=evaluate_console),
        SkipParser(),
    ],
    patterns=["*.md"],
    excludes=["changes/*", "CHANGELOG.md"],
    setup=partial(_enter, models=True),
    teardown=_leave,
)
_docstrings = Sybil(
    parsers=[DocTestParser(optionflags=doctest.ELLIPSIS)],
    pattern="*.py",
    path=str(Path(__file__).parent / "src"),
    document_types={".py": PythonDocStringDocument},
    setup=partial(_enter, models=False),
    teardown=_leave,
)

pytest_collect_file = (_pages + _docstrings).pytest()
