from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from modelshelf import Settings, normalized_model_manager
from modelshelf.cli.app import VERBS, shelf
from modelshelf.testing import tiny
from tests.unit.cli.conftest import Run

HEAVY = {
    "alembic",
    "blake3",
    "pydantic",
    "pydantic_core",
    "requests",
    "rich",
    "ruamel",
    "sqlalchemy",
    "torch",
    "modelshelf.download",
    "modelshelf.formats",
    "modelshelf.identify",
    "modelshelf.install",
    "modelshelf.manager",
    "modelshelf.sources",
}
ABOUT_MODELS = {
    "alembic",
    "asyncpg",
    "filelock",
    "http.client",
    "multiprocessing",
    "psycopg",
    "requests",
    "rich",
    "ruamel",
    "torch",
    "sqlalchemy.dialects.postgresql",
    "modelshelf.blobs",
    "modelshelf.convert",
    "modelshelf.download",
    "modelshelf.export",
    "modelshelf.formats",
    "modelshelf.identify",
    "modelshelf.install",
    "modelshelf.metadata",
    "modelshelf.normalize",
    "modelshelf.sources",
    "modelshelf.upkeep",
}
"""What no question that the database answers needs, where that is up to date."""
ABOUT_FILES = {
    "alembic",
    "filelock",
    "http.client",
    "multiprocessing",
    "pydantic",
    "requests",
    "rich",
    "ruamel",
    "sqlalchemy",
    "sqlite3",
    "torch",
    "modelshelf.blobs",
    "modelshelf.convert",
    "modelshelf.download",
    "modelshelf.export",
    "modelshelf.manager",
    "modelshelf.records",
    "modelshelf.schema.config",
    "modelshelf.sources",
    "modelshelf.upkeep",
}
"""What no look at a model file needs."""


def imported(*words: str, **environment: str) -> set[str]:
    """Run the command in a process of its own; which modules did it import?"""
    script = (
        "import sys, os\n"
        "sys.argv = ['shelf', *sys.argv[1:]]\n"
        "from modelshelf.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write('\\nIMPORTED ' + ' '.join(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", **environment},
    )
    return set(done.stderr.rpartition("IMPORTED ")[2].split())


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        *([verb, "--help"] for verb in VERBS),
        ["completion", "zsh"],
        ["no-such-verb"],
    ],
    ids=" ".join,
)
def test_words_about_the_command_import_nothing_heavy(words: list[str]) -> None:
    """Help, version, completion scripts and usage errors do not wait for a database."""
    assert imported(*words) & HEAVY == set()


@pytest.mark.parametrize(
    "words",
    [
        ["ls"],
        ["ls", "-q"],
        ["ls", "--json", "type:vae"],
        ["find", "ink"],
        ["du"],
        ["dupes"],
    ],
    ids=" ".join,
)
def test_a_question_about_models_imports_nothing_that_adds_or_reads_them(
    shelf_of_one: dict[str, str], words: list[str]
) -> None:
    """What the database knows, a person does not wait for."""
    modules = imported(*words, **shelf_of_one)
    assert modules & ABOUT_MODELS == set()
    assert "modelshelf.records" in modules


@pytest.mark.parametrize("words", [["ls"], ["find", "ink"], ["du"]], ids=" ".join)
def test_a_list_of_stored_models_makes_no_class_of_record(
    shelf_of_one: dict[str, str], words: list[str]
) -> None:
    """There are forty, and no record is read."""
    assert "modelshelf.schema.config_kinds" not in imported(*words, **shelf_of_one)


@pytest.mark.parametrize("words", [[], ["-q"], ["--json"], ["--explain"]], ids=" ".join)
def test_a_look_at_a_file_imports_no_database_and_no_processes(
    tmp_path: Path, words: list[str]
) -> None:
    """One header is read, and nothing is kept."""
    model = tiny.lora(tmp_path / "ink.safetensors", base="sd-1")
    modules = imported("probe", *words, str(model))
    assert modules & ABOUT_FILES == set()
    assert "modelshelf.identify" in modules


def test_adding_a_file_imports_no_downloads(shelf_of_one: dict[str, str], tmp_path: Path) -> None:
    """Nor what brings a database up to date, which it is."""
    model = tiny.lora(tmp_path / "brush.safetensors", base="sd-1")
    modules = imported("add", str(model), **shelf_of_one)
    unneeded = {"alembic", "requests", "modelshelf.download", "sqlalchemy.dialects.postgresql"}
    assert modules & unneeded == set()
    assert "modelshelf.install" in modules


@pytest.mark.parametrize("words", [["show", "ink"], ["verify", "--quick"]], ids=" ".join)
def test_a_look_at_what_is_stored_imports_nothing_that_identifies(
    shelf_of_one: dict[str, str], words: list[str]
) -> None:
    """Where files lie and what they hold is no question of what they are."""
    unneeded = {"alembic", "requests", "modelshelf.identify", "modelshelf.install"}
    assert imported(*words, **shelf_of_one) & unneeded == set()


@pytest.fixture
def shelf_of_one(tmp_path: Path) -> dict[str, str]:
    """Name the environment of a library that holds one LoRA."""
    root = tmp_path / "shelf"
    with normalized_model_manager(Settings(root=root)) as manager:
        manager.add(tiny.lora(tmp_path / "ink.safetensors", base="sd-1"))
    return {"MODELSHELF_ROOT": str(root)}


def test_completing_a_name_imports_nothing_heavy(tmp_path: Path) -> None:
    """A shell asks on every press of a key."""
    asked = {
        "_SHELF_COMPLETE": "bash_complete",
        "COMP_WORDS": "shelf show st",
        "COMP_CWORD": "2",
        "MODELSHELF_ROOT": str(tmp_path),
    }
    assert imported(**asked) & HEAVY == set()


def test_help_lists_every_verb_with_a_whole_sentence(run: Run) -> None:
    """No summary is cut off in the middle."""
    done = run("--help")
    listed = {line.split()[0] for line in done.out.splitlines() if line.startswith("  ")}
    assert set(VERBS) <= listed
    assert "..." not in done.out.partition("Commands:")[2]
    assert done.exit == 0


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(run: Run, verb: str) -> None:
    """Each verb has a help text, and takes the flags that every verb takes."""
    done = run(verb, "--help")
    assert done.exit == 0
    assert "--json" in done.out
    assert "-q, --quiet" in done.out


def test_no_word_at_all_shows_the_help_and_fails() -> None:
    """Nothing was asked, so nothing was done."""
    done = CliRunner().invoke(shelf, [], prog_name="shelf")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: shelf")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["lss"], "there is no verb `lss`; did you mean `ls`?", "`shelf --help` shows"),
        ([], "missing command", "`shelf --help` shows"),
        (["frobnicate"], "there is no verb `frobnicate`", "`shelf --help` shows"),
        (["ls", "--nope"], "no such option '--nope'", "`shelf ls --help` shows"),
        (["show"], "missing argument 'MODEL'", "`shelf show --help` shows"),
        (["ls", "--type", "vea"], "'vea' is not one of", "`shelf ls --help` shows"),
        (["gc"], "`shelf gc` wants to be told what to free", "give `--garbage`"),
        (["gc", "--trash", "soon"], "`--trash` takes a number of days", "gc --trash 30"),
        (["gc", "--trash", "9" * 12], "up to 99999 or `all`", "gc --trash 30"),
        (["export", "x"], "an export goes either into a folder or", "shelf export MODEL FOLDER"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_exit_2_with_the_remedy(
    run: Run, words: list[str], message: str, hint: str
) -> None:
    """What was wrong, that nothing was done, and what to type instead."""
    done = run(*words)
    assert (done.exit, done.out) == (2, "")
    error, kept, *rest = done.err.splitlines()
    assert error.startswith("error: ")
    assert message in error
    assert kept == "       Nothing was done."
    assert hint in rest[0]


@pytest.mark.parametrize("words", [["--json", "lss"], ["ls", "--json", "--nope"], ["gc", "--json"]])
def test_wrong_usage_is_one_json_line_where_json_is_asked_for(run: Run, words: list[str]) -> None:
    """Programs need not parse sentences, wherever the flag stands."""
    done = run(*words)
    told = json.loads(done.err)
    assert (done.exit, done.out) == (2, "")
    assert (told["type"], told["code"], told["exit"]) == ("error", "usage", 2)


def test_a_wrong_settings_file_is_told_by_its_line(run: Run, tmp_path: Path) -> None:
    """Exit 2, the file and line, and the command that lists all origins."""
    root = tmp_path / "library"
    root.mkdir()
    (root / "modelshelf.yaml").write_text("trash:\n  days: soon\n")
    done = run("config", "show")
    assert done.exit == 2
    assert f"`{root}/modelshelf.yaml`, line 2" in done.err
    assert "hint: `shelf config show --origin`" in done.err


def test_version_names_the_program(run: Run) -> None:
    """The version is one line of data."""
    assert run("--version").out == "modelshelf 0.1.0\n"


def test_a_reader_that_goes_away_is_no_crash(tmp_path: Path) -> None:
    """`shelf … | head` ends quietly, with the status that a shell expects of a cut pipe."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "modelshelf", "--root", str(tmp_path), "config", "show"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_root_that_is_a_file_is_told_by_whoever_opens_it(tmp_path: Path) -> None:
    """Settings of a root that cannot be are no traceback, and its library is a clear error."""
    file = tmp_path / "file"
    file.write_text("mine")
    done = CliRunner().invoke(shelf, ["--root", str(file), "ls"], prog_name="shelf")
    assert done.exit_code == 1
    assert f"error: the library at `{file}` cannot be opened" in done.stderr
    assert file.read_text() == "mine"
