"""The pages of `docs/reference` that are made from the code. `make reference` writes them."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
from pydantic import BaseModel

from modelshelf import Settings, errors
from modelshelf.cli import shelf
from modelshelf.cli.app import VERBS
from modelshelf.errors import ModelshelfError
from modelshelf.settings.sources import FLAGS

__all__ = ["PAGES", "error_classes"]

_MADE = "<!-- Made from the code by `make reference`; a test compares. -->\n"
_FORMATTED = re.compile(r":[.\d]+(?=})")
_COUNTED = re.compile(r":[#?] (\w+)}")
"""How much of a digest a message shows, which does not matter here."""
_FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def error_classes() -> list[type[ModelshelfError]]:
    """Return every error class, sorted by code."""
    found = [getattr(errors, name) for name in errors.__all__]
    return sorted(found, key=lambda kind: kind.code)


def _errors() -> Iterator[str]:
    yield "# Errors\n"
    yield _MADE
    yield (
        "Every error has a code that never changes, the status that a command exits with, and the one\n"
        "that a web API answers. With `--json` the command writes one line to stderr:\n"
        '`{"type": "error", "code": …, "exit": …, "message": …, "hint": …}`. In Python the classes come\n'
        "from `modelshelf.errors`; the facts in the message are attributes of the exception.\n"
    )
    for kind in error_classes():
        yield f"## `{kind.code}`\n"
        parents = [each.__name__ for each in kind.__mro__[1:] if issubclass(each, ModelshelfError)]
        family = f", a `{parents[0]}`" if parents else ""
        yield f"`{kind.__name__}`{family} · exit {kind.exit_status} · HTTP {kind.http_status}\n"
        yield f"{_prose(kind)}\n"
        for title, text in (("error", kind.message), ("kept", kind.kept), ("hint", kind.hint)):
            if text:
                plain = _COUNTED.sub(r"} \1s", _FORMATTED.sub("", text))
                yield f"- *{title}*: {plain}"
        yield ""


def _prose(kind: type) -> str:
    """Return the docstring without its sections: those are for readers of the code."""
    return (inspect.getdoc(kind) or "").partition("\n\nExample")[0]


def _commands() -> Iterator[str]:
    yield "# Command line\n"
    yield _MADE
    yield (
        "`shelf` and `modelshelf` are the same command. The global options may stand before or after\n"
        "the verb. stdout is data, stderr is words; see the [guide to scripting](../guides/scripting.md).\n"
    )
    yield from _help(shelf, "shelf")
    for verb in VERBS:
        command = shelf.get_command(click.Context(shelf), verb)
        assert command is not None
        yield from _help(command, f"shelf {verb}")
        if isinstance(command, click.Group):
            for name, below in command.commands.items():
                yield from _help(below, f"shelf {verb} {name}")


def _help(command: click.Command, name: str) -> Iterator[str]:
    context = click.Context(
        command, info_name=name, terminal_width=90, help_option_names=["-h", "--help"]
    )
    yield f"## `{name}`\n"
    yield "```text\n" + command.get_help(context) + "\n```\n"


def _settings() -> Iterator[str]:
    yield "# Settings\n"
    yield _MADE
    yield (
        "A flag counts more than an environment variable, that more than `ROOT/modelshelf.yaml`, and that\n"
        "more than the default. `shelf config show --origin` tells where each value comes from.\n"
    )
    yield "| setting | variable | flag | default | meaning |"
    yield "|---|---|---|---|---|"
    flags = {name: flag for flag, name in FLAGS.items()}
    for name in Settings.names():
        meaning, default = _field(Settings, name)
        variable = "MODELSHELF_" + name.upper().replace(".", "__")
        yield f"| `{name}` | `{variable}` | {_flag(flags, name)} | {default} | {meaning} |"
    yield ""
    yield (
        "The command line takes `--root`. The other flags belong to Python: `config.parse_args()` reads\n"
        "them, and leaves what it does not know to the program around it.\n"
    )


def _flag(flags: Mapping[str, str], name: str) -> str:
    return f"`{flags[name]}`" if name in flags else ""


def _field(model: type[BaseModel], name: str) -> tuple[str, str]:
    first, _, rest = name.partition(".")
    field = model.model_fields[first]
    if rest:
        assert isinstance(field.annotation, type)
        return _field(field.annotation, rest)
    # A default that is computed differs from machine to machine.
    default = "your data folder" if field.default_factory else f"`{field.default}`"
    return _sentences(model)[first].replace("\n", " "), default


def _sentences(model: type[BaseModel]) -> dict[str, str]:
    """Read what stands beneath each field; the class itself does not, which a start would wait for."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(tree, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(sentence.value.value)
        for field, sentence in zip(tree.body, tree.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(sentence, ast.Expr)
        and isinstance(sentence.value, ast.Constant)
        and isinstance(sentence.value.value, str)
    }


PAGES: Mapping[Path, Callable[[], Iterator[str]]] = {
    _FOLDER / "errors.md": _errors,
    _FOLDER / "cli.md": _commands,
    _FOLDER / "settings.md": _settings,
}
"""Page → what it must hold, line by line."""


if __name__ == "__main__":
    for page, lines in PAGES.items():
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("\n".join(lines()), encoding="utf-8")
