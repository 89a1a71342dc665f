"""The top of the command: which verbs there are, and how a run ends."""

from __future__ import annotations

import difflib
import gc
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from modelshelf import __version__
from modelshelf.cli.failure import report, report_usage
from modelshelf.cli.options import global_options
from modelshelf.cli.session import Session
from modelshelf.cli.streams import (
    OutputLost,
    leave_threads,
    open_closed_streams,
    watch_streams,
)
from modelshelf.errors import ModelshelfError, OutputLostError

__all__ = ["VERBS", "Shelf", "main", "shelf"]

VERBS: Mapping[str, str] = {
    "add": "modelshelf.cli.add",
    "ls": "modelshelf.cli.list",
    "show": "modelshelf.cli.show",
    "find": "modelshelf.cli.find",
    "rm": "modelshelf.cli.remove",
    "undo": "modelshelf.cli.undo",
    "export": "modelshelf.cli.export",
    "verify": "modelshelf.cli.verify",
    "gc": "modelshelf.cli.collect",
    "du": "modelshelf.cli.usage",
    "dupes": "modelshelf.cli.duplicates",
    "probe": "modelshelf.cli.probe",
    "identify": "modelshelf.cli.identify",
    "edit": "modelshelf.cli.edit",
    "adopt": "modelshelf.cli.adopt",
    "missing": "modelshelf.cli.missing",
    "relink": "modelshelf.cli.relink",
    "job": "modelshelf.cli.job",
    "download": "modelshelf.cli.download",
    "config": "modelshelf.cli.config",
    "completion": "modelshelf.cli.completion",
}
"""Verb → the module whose `command` it is, in the order of `shelf --help`."""

_INTERRUPTED = 130
_GARBAGE = 10_000
"""New objects after which Python looks for cycles; by itself it does after 700, or 2,000 in newer ones."""
_PIPE_CLOSED = 141
"""128 + SIGPIPE, what a shell reports of any program whose reader went away."""


class Shelf(click.Group):
    """A group that imports a verb when it is needed and ends every run by the table of exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the verbs, daily ones first."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the verb's module and return its command; None where there is no such verb."""
        home = VERBS.get(cmd_name)
        if home is None:
            return None
        command = import_module(home).command
        assert isinstance(command, click.Command)  # noqa: S101 - VERBS is ours
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one may have been meant."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], VERBS, n=1)
            guess = f"; did you mean `{near[0]}`?" if near else ""
            ctx.fail(f"there is no verb `{args[0]}`{guess}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; a reader of stdout that went away ends it quietly."""
        try:
            status = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _give_up_stdout()
            return _PIPE_CLOSED
        return status

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        **extra: object,  # noqa: ARG002 - standalone or not is decided here
    ) -> NoReturn:
        """Run the command line and exit by the contract: 0 is done, everything else is a failure."""
        words = list(sys.argv[1:] if args is None else args)
        session = _foreseen(words)
        try:
            status = super().main(words, prog_name, complete_var, standalone_mode=False)
        except ModelshelfError as error:
            status = report(session, error)
        except OutputLost as lost:
            _give_up_stdout()
            status = report(session, OutputLostError(reason=str(lost)))
        except click.ClickException as error:
            status = report_usage(session, error)
        except (click.Abort, KeyboardInterrupt):
            click.echo("interrupted; what was finished before stays", err=True)
            status = _INTERRUPTED
        sys.exit(status if isinstance(status, int) else 0)


@click.command(
    cls=Shelf,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 2 wrong usage, 3 some items failed, 4 not found, 5 needs `-y`, "
    "6 conflict, 7 damage found, 8 no space, 9 denied, 10 no network, 130 interrupted; "
    "all else failed.",
)
@global_options
@click.version_option(__version__, prog_name="modelshelf", message="%(prog)s %(version)s")
def shelf() -> None:
    """Keep a library of diffusion models that stores what they share once.

    Begin with `shelf add PATH`, then `shelf ls` and `shelf du`.
    """


def main() -> NoReturn:
    """Run the command as the program that the user called."""
    open_closed_streams()
    watch_streams()
    signal.signal(signal.SIGTERM, _interrupt)
    called = Path(sys.argv[0]).name
    # Plug-ins of pydantic have no part in this; to find them it looks through every package there is.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # To import is to make many objects and no garbage: looking for some took a tenth of a short command.
    gc.set_threshold(_GARBAGE)
    try:
        shelf.main(prog_name=called if called in {"shelf", "modelshelf"} else "shelf")
    except SystemExit as end:
        leave_threads(end)
        raise
    finally:
        # Nor is anything looked for at the end, when the system takes everything back at once; that
        # took a fifth.
        gc.freeze()


def _foreseen(words: Sequence[str]) -> Session:
    """Return how to tell what fails, also where the flags that say so could not be read."""
    color = False if "--no-color" in words else True if "--color" in words else None
    return Session(json="--json" in words, color=color)


def _give_up_stdout() -> None:
    # Python would complain once more when it flushes stdout at the end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
