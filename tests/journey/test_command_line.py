"""Whole days with the command, as a user has them: models go in, are looked at, deleted, given back."""

from __future__ import annotations

import filecmp
import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from modelshelf import Settings, normalized_model_manager
from modelshelf.cli import shelf
from tests.docs.workspace import make_models

NAMES = ["LoWRA", "sd-vae", "stable-diffusion-1-5", "stable-diffusion-inpainting"]


SHELF = Path(sys.executable).parent / "shelf"


@dataclass(frozen=True, slots=True)
class Done:
    """How one run of the command ended."""

    exit: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder with models, which is the working directory, and a library beside them."""

    folder: Path

    def run(self, *words: str | Path, given: str = "") -> Done:
        result = CliRunner().invoke(shelf, list(map(str, words)), prog_name="shelf", input=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    def data(self, *words: str | Path) -> str:
        done = self.run(*words)
        assert done.exit == 0, done.err
        return done.out

    def pipe(self, line: str) -> Done:
        """Run a line of shell in which `shelf` is a program among others."""
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line}"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def keys(self, *words: str) -> list[str]:
        return sorted(self.data("ls", "-q", *words).split())

    @property
    def environment(self) -> dict[str, str]:
        path = f"{SHELF.parent}{os.pathsep}{os.environ['PATH']}"
        return {"MODELSHELF_ROOT": str(self.folder / "library"), "PATH": path}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Models that nobody has added yet."""
    make_models(tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSHELF_ROOT", str(tmp_path / "library"))
    return Desk(tmp_path)


@pytest.fixture
def full_desk(desk: Desk) -> Desk:
    """The same, added."""
    with normalized_model_manager(Settings(root=desk.folder / "library")) as nmm:
        for model in nmm.discover(desk.folder / "models"):
            nmm.import_model(model)
    return desk


def same(left: Path, right: Path) -> bool:
    if left.is_file():
        return filecmp.cmp(left, right, shallow=False)
    names = sorted(path.name for path in left.iterdir())
    return names == sorted(path.name for path in right.iterdir()) and all(
        same(left / name, right / name) for name in names
    )


def test_a_tree_goes_in_and_every_model_comes_back_byte_for_byte(desk: Desk) -> None:
    """Add a folder of models, verify, export all: every file and every name is as it was."""
    added = desk.run("add", "models")
    assert added.exit == 0
    assert [line.split()[1] for line in added.out.splitlines()] == NAMES
    assert "shared" in added.err
    assert desk.run("verify").exit == 0
    for method in ("link", "copy"):
        for name in NAMES:
            desk.data("export", name, method, "--as", method)
        assert same(desk.folder / "models", desk.folder / method)


def test_a_dry_run_adds_nothing(desk: Desk) -> None:
    """The plan names every model and the library stays empty."""
    planned = json.loads(desk.data("add", "models", "--dry-run", "--json"))
    assert [each["name"] for each in planned["would_add"]] == NAMES
    assert json.loads(desk.data("ls", "--json")) == []
    added = json.loads(desk.data("add", "models", "--json"))
    for foreseen in ("bytes_stored", "bytes_shared"):
        assert planned[foreseen] == added[foreseen]


def test_adding_again_stores_nothing(full_desk: Desk) -> None:
    """The same models are known, under the same keys."""
    again = json.loads(full_desk.data("add", "models", "--json"))
    assert again["bytes_stored"] == 0
    assert [each["is_new"] for each in again["added"]] == [False] * 4
    keys = [each["info"]["key"] for each in again["added"]]
    assert sorted(keys) == full_desk.keys()


def test_one_bad_path_does_not_stop_the_others(desk: Desk) -> None:
    """What can be added is; the status says that something was not, and the document says what."""
    done = desk.run("add", "models/LoWRA.safetensors", "nowhere", "--json")
    outcome = json.loads(done.out)
    assert done.exit == 3
    assert [each["info"]["name"] for each in outcome["added"]] == ["LoWRA"]
    assert [(each["item"], each["code"]) for each in outcome["failed"]] == [
        ("nowhere", "source-not-found")
    ]
    assert json.loads(done.err)["exit"] == 4


def test_a_single_missing_path_is_exit_4(desk: Desk) -> None:
    """Where nothing was done, the status is the failure's own, told in four parts."""
    done = desk.run("add", "nowhere")
    assert (done.exit, done.out) == (4, "")
    assert done.err.splitlines()[:2] == [
        "error: nothing exists at `nowhere`",
        "       The source was not touched, and nothing of it was added to the library.",
    ]


def test_one_name_is_for_one_model(desk: Desk) -> None:
    """`--name` with a tree of models is refused before anything is done."""
    done = desk.run("add", "models", "--name", "x")
    assert done.exit == 2
    assert "`--name` names one model, and there are 4" in done.err
    assert desk.keys() == []


def test_move_removes_the_original_when_the_library_has_it(desk: Desk) -> None:
    """The user's file is gone from its place and is exported as it was."""
    original = desk.folder / "models" / "LoWRA.safetensors"
    content = original.read_bytes()
    desk.data("add", original, "--move", "-q")
    assert not original.exists()
    desk.data("export", "LoWRA", "out", "-q")
    assert (desk.folder / "out" / "LoWRA.safetensors").read_bytes() == content


def test_keys_compose_verbs(full_desk: Desk) -> None:
    """`shelf ls -q | xargs shelf rm -y`, and the way back."""
    pipelines = full_desk.keys("--type", "main")
    done = full_desk.pipe("shelf ls -q --type main | xargs shelf rm -y -q | xargs shelf undo -q")
    assert (done.exit, done.err) == (0, "")
    assert sorted(done.out.split()) == pipelines == full_desk.keys("--type", "main")


def test_deleting_wants_a_yes_where_nobody_can_give_it(full_desk: Desk) -> None:
    """Without a terminal and without `-y` nothing is deleted, exit 5."""
    done = full_desk.run("rm", "LoWRA", given="y\n")
    assert done.exit == 5
    assert "hint: add `-y`" in done.err
    assert len(full_desk.keys()) == 4
    assert full_desk.run("gc", "--trash", "all").exit == 5


def test_delete_undo_delete_free(full_desk: Desk) -> None:
    """A deleted model waits in the trash; undone it is whole; freed it is gone for good."""
    gone = json.loads(full_desk.data("rm", "LoWRA", "-y", "--json"))["removed"][0]
    assert gone["bytes_freed"] == (full_desk.folder / "models" / "LoWRA.safetensors").stat().st_size
    assert [each["name"] for each in json.loads(full_desk.data("undo", "--json"))] == ["LoWRA"]
    assert full_desk.data("undo", gone["trash_id"], "--dry-run", "-q").split() == [gone["trash_id"]]
    full_desk.data("undo", gone["trash_id"])
    full_desk.data("rm", "LoWRA", "-y")
    would = json.loads(full_desk.data("gc", "--trash", "all", "--dry-run", "--json"))
    did = json.loads(full_desk.data("gc", "--trash", "all", "-y", "--json"))
    assert would["report"]["bytes_freed"] == did["report"]["bytes_freed"] == gone["bytes_freed"]
    assert full_desk.run("undo", gone["trash_id"]).exit == 4
    assert full_desk.run("show", "LoWRA").exit == 4
    assert full_desk.run("verify", "-q").out == ""


def test_a_file_is_found_whatever_it_is_called(full_desk: Desk) -> None:
    """`find` looks at content; what it does not find is exit 4."""
    copy = full_desk.folder / "unnamed.bin"
    copy.write_bytes((full_desk.folder / "models" / "LoWRA.safetensors").read_bytes())
    found = json.loads(full_desk.data("find", copy, "--json"))
    assert [model["name"] for model in found] == ["LoWRA"]
    copy.write_bytes(b"something else")
    assert full_desk.run("find", copy).exit == 4


def test_show_tells_parts_and_files(full_desk: Desk) -> None:
    """The document holds all parts and files; the page for people names them."""
    shown = json.loads(full_desk.data("show", "stable-diffusion-1-5", "--json"))
    source = full_desk.folder / "models" / "stable-diffusion-1-5"
    members = sorted(
        path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()
    )
    assert sorted(file["member"] for file in shown["files"]) == members
    assert {part["folder"] for part in shown["parts"]} == {
        path.name for path in source.iterdir() if (source / path.name / "config.json").exists()
    } | {"feature_extractor", "scheduler", "tokenizer"}
    page = full_desk.data("show", "stable-diffusion-1-5", "--files")
    assert all(member in page for member in members)
    assert full_desk.data("show", "stable-diffusion-1-5", "-q").strip() == shown["key"]


def test_usage_adds_up(full_desk: Desk) -> None:
    """What is stored and what is saved make up what copies would take; dupes sum to what is saved."""
    usage = json.loads(full_desk.data("du", "--json"))
    sources = [path for path in (full_desk.folder / "models").rglob("*") if path.is_file()]
    assert usage["logical"] == sum(path.stat().st_size for path in sources)
    assert usage["logical"] - usage["stored"] == usage["saved"] > 0
    shared = json.loads(full_desk.data("dupes", "--json"))
    assert sum(each["size"] * (each["uses"] - 1) for each in shared) == usage["saved"]
    assert "stored" in full_desk.data("du")
    assert "stable-diffusion-inpainting" in full_desk.data("dupes")


def test_damage_is_exit_7_and_names_who_is_hurt(full_desk: Desk) -> None:
    """One flipped bit in the store: the document, the table and the keys all name the model."""
    shown = json.loads(full_desk.data("show", "LoWRA", "--json"))
    stored = Path(shown["files"][0]["location"])
    stored.chmod(0o644)
    content = bytearray(stored.read_bytes())
    content[-1] ^= 1
    stored.write_bytes(content)
    stored.chmod(0o444)
    done = full_desk.run("verify", "--json")
    report = json.loads(done.out)
    assert (done.exit, report["damaged"]) == (7, True)
    assert [finding["kind"] for finding in report["report"]["findings"]] == ["corrupt"]
    people = full_desk.run("verify")
    assert "LoWRA" in people.out
    assert "shelf add" in people.err
    assert full_desk.run("verify", "-q").out == "LoWRA\n"


def test_an_archive_goes_through_a_pipe(full_desk: Desk) -> None:
    """`--to-tar -` streams what `tar` unpacks to the same bytes; a file is written whole or not."""
    done = full_desk.pipe(
        "mkdir unpacked; shelf export stable-diffusion-1-5 --to-tar - | tar -x -C unpacked"
    )
    assert (done.exit, done.err) == (0, "")
    assert same(
        full_desk.folder / "models" / "stable-diffusion-1-5",
        full_desk.folder / "unpacked" / "stable-diffusion-1-5",
    )
    full_desk.data("export", "LoWRA", "--to-tar", "LoWRA.tar")
    assert full_desk.run("export", "LoWRA", "--to-tar", "LoWRA.tar").exit == 6
    assert full_desk.run("export", "nobody", "--to-tar", "x.tar").exit == 4
    assert full_desk.run("export", "LoWRA", "--to-tar", "no/such/folder.tar").exit == 1
    assert sorted(path.name for path in full_desk.folder.iterdir()) == [
        "LoWRA.tar",
        "library",
        "models",
        "unpacked",
    ]


def test_an_export_replaces_nothing_unasked(full_desk: Desk) -> None:
    """A taken name is exit 6 and is left alone; `--force` replaces it; a dry run makes nothing."""
    full_desk.data("export", "LoWRA", "out", "--dry-run")
    assert not (full_desk.folder / "out").exists()
    taken = full_desk.folder / "out" / "LoWRA.safetensors"
    taken.parent.mkdir()
    taken.write_text("mine")
    assert full_desk.run("export", "LoWRA", "out").exit == 6
    assert taken.read_text() == "mine"
    made = json.loads(full_desk.data("export", "LoWRA", "out", "--force", "--as", "copy", "--json"))
    assert (made["path"], made["method"]) == (str(taken), "copy")
    assert same(taken, full_desk.folder / "models" / "LoWRA.safetensors")


def test_probe_explains_and_adds_nothing(desk: Desk) -> None:
    """What a file is comes with the tensor that decided it."""
    text = desk.data(
        "probe", "models/LoWRA.safetensors", "models/stable-diffusion-1-5", "--explain"
    )
    assert "lora  sd-1" in text
    assert "because lora_unet_" in text
    assert "text_encoder (CLIPTextModel)" in text
    probed = json.loads(desk.data("probe", "models/LoWRA.safetensors", "--json"))["probed"]
    assert probed[0]["identity"]["type"] == "lora"
    assert desk.data("probe", "models/LoWRA.safetensors", "-q") == "lora\n"
    assert desk.run("probe", "nowhere").exit == 4
    assert desk.keys() == []


def test_lists_can_be_narrowed_and_sorted(full_desk: Desk) -> None:
    """By type, by base, by size; all columns stay whole in a pipe."""
    assert len(full_desk.keys("--type", "main")) == 2
    lora = full_desk.data("ls", "--type", "lora", "--base", "sd-1").splitlines()
    assert [line.split()[0] for line in lora] == ["NAME", "LoWRA"]
    sizes = [
        model["size"] for model in json.loads(full_desk.data("ls", "--sort", "size", "--json"))
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert [line.split()[0] for line in full_desk.data("ls").splitlines()[1:]] == NAMES


def test_a_name_cannot_harm_the_terminal(desk: Desk) -> None:
    """Newlines and escapes in a name are shown, not obeyed; JSON has them as they are."""
    name = "two\nlines\x1b[2J"
    desk.data("add", "models/LoWRA.safetensors", "--name", name)
    listed = desk.data("ls").splitlines()
    assert [line.split()[0] for line in listed] == ["NAME", r"two\nlines\x1b[2J"]
    assert [model["name"] for model in json.loads(desk.data("ls", "--json"))] == [name]


def test_completion_knows_the_models(full_desk: Desk) -> None:
    """The shell is given the names that begin so."""
    done = full_desk.pipe(
        "_SHELF_COMPLETE=bash_complete COMP_WORDS='shelf show st' COMP_CWORD=2 shelf"
    )
    assert [line.partition(",")[2] for line in done.out.split()] == NAMES[2:]


def test_the_script_for_each_shell_names_the_command(desk: Desk) -> None:
    """What `eval` is given completes `shelf`."""
    for shell in ("bash", "zsh", "fish"):
        assert "_SHELF_COMPLETE" in desk.data("completion", shell)


@pytest.mark.parametrize(("answer", "left"), [("y", 3), ("n", 4)])
def test_on_a_terminal_it_asks(full_desk: Desk, answer: str, left: int) -> None:
    """The question says what goes and what stays; only yes deletes."""
    shown, status = on_a_terminal(full_desk, ["rm", "LoWRA"], answer)
    assert "LoWRA: frees 4.8 MB, 0 B stays shared" in shown
    assert "moving 1 model to the trash: go on? [y/N]" in shown
    assert status == (0 if answer == "y" else 1)
    assert len(full_desk.keys()) == left


def on_a_terminal(desk: Desk, words: list[str], answer: str) -> tuple[str, int]:
    """Run the command on a terminal of its own, answer its question, and return what it showed."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        ["shelf", *words],
        cwd=desk.folder,
        env=desk.environment | {"NO_COLOR": "1", "TERM": "dumb"},
        executable=SHELF,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown, asked = "", False
    for chunk in chunks(master):
        shown += chunk
        if not asked and "[y/N]" in shown:
            asked = True
            os.write(master, f"{answer}\n".encode())
    os.close(master)
    return shown, process.wait()


def chunks(terminal: int) -> Iterator[str]:
    """Yield what appears on the terminal until its program is gone."""
    while select.select([terminal], [], [], 60)[0]:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            return
        if not chunk:
            return
        yield chunk.decode()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_130_and_one_line(full_desk: Desk, sent: signal.Signals) -> None:
    """Ctrl-C, or the system going down: no traceback, and the library is as it was."""
    process = subprocess.Popen(
        ["shelf", "export", "stable-diffusion-1-5", "--to-tar", "-"],
        env=full_desk.environment,
        executable=SHELF,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    # The archive has begun, and soon waits for a reader that never comes.
    assert process.stdout.read(512)
    process.send_signal(sent)
    _, told = process.communicate()
    assert process.returncode == 130
    assert told.decode().strip() == "interrupted; what was finished before stays"
    assert full_desk.run("verify").exit == 0
