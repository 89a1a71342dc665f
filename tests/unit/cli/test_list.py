from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.cli.list import command
from modelshelf.testing import tiny
from tests.unit.cli.conftest import Run


@pytest.fixture
def library(run: Run, tmp_path: Path) -> Path:
    """Add a LoRA, an embedding and a VAE of other sizes, in this order; the LoRA is tagged."""
    folder = tmp_path / "models"
    tiny.lora(folder / "Lines.safetensors", base="sd-1")
    tiny.textual_inversion(folder / "alpha.safetensors", base="sd-1")
    tiny.vae(folder / "middle", base="sd-1", folder=True)
    for name in ("Lines.safetensors", "alpha.safetensors", "middle"):
        assert run("add", folder / name).exit == 0
    assert run("edit", "Lines", "--tag", "line art", "--tag", "ink").exit == 0
    return folder


def names(run: Run, *words: str) -> list[str]:
    done = run("ls", "--json", *words)
    assert done.exit == 0, done.err
    return [model["name"] for model in json.loads(done.out)]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("type:lora",), ["Lines"]),
        (("type:lora", "base:sdxl"), []),
        (("type:lora", "or", "type:vae"), ["Lines", "middle"]),
        (("type:lora or type:vae",), ["Lines", "middle"]),
        (('tag:"line art"',), ["Lines"]),
        (("lin",), ["Lines"]),
        (("-tag:ink",), ["alpha", "middle"]),
        (("base:sd-1", "-(type:lora or type:vae)"), ["alpha"]),
        (("not", "size>4MB"), ["alpha", "middle"]),
        (("used:never", "size>4MB"), ["Lines"]),
        (("added<1d", "--type", "vae"), ["middle"]),
        (("-type:lora", "--base", "sd-2"), ["middle"]),
        (("",), ["alpha", "Lines", "middle"]),
    ],
)
def test_a_selector_selects(run: Run, words: tuple[str, ...], expected: list[str]) -> None:
    """Conditions may be one word of the shell or several, and begin with a minus."""
    assert names(run, *words) == expected


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["alpha", "Lines", "middle"]),
        ("size", ["Lines", "middle", "alpha"]),
        ("added", ["middle", "alpha", "Lines"]),
        ("type", ["alpha", "Lines", "middle"]),
        ("base", ["alpha", "Lines", "middle"]),
    ],
)
def test_every_order_can_be_reversed(run: Run, sort: str, expected: list[str]) -> None:
    """By name, type and base from A to Z, else the largest and newest first."""
    assert names(run, "--sort", sort) == expected
    assert names(run, "--sort", sort, "--reverse") == expected[::-1]


def test_those_that_nobody_used_come_last_in_either_direction(run: Run, library: Path) -> None:
    """Sorted by use, the latest comes first, or the earliest."""
    from modelshelf import Settings, normalized_model_manager  # noqa: PLC0415 - as a program

    with normalized_model_manager(Settings(root=library.parent / "library")) as manager:
        for moment, name in enumerate(("alpha", "Lines")):
            key = manager.get_model(name).key
            manager.store.update_model(key, {"last_used_at": 1_000_000.0 + moment})
    assert names(run, "--sort", "used") == ["Lines", "alpha", "middle"]
    assert names(run, "--sort", "used", "--reverse") == ["alpha", "Lines", "middle"]
    assert names(run, "--sort", "used", "-used:never") == ["Lines", "alpha"]


@pytest.mark.usefixtures("library")
def test_pages_join_to_the_whole_list(run: Run) -> None:
    """An offset leaves out the first, a limit the rest; beyond the end there is nothing."""
    assert names(run, "--limit", "2") == ["alpha", "Lines"]
    assert names(run, "--limit", "2", "--offset", "2") == ["middle"]
    assert names(run, "--offset", "3") == []
    assert names(run, "--limit", "0") == []
    assert names(run, "base:sd-1", "--sort", "size", "--reverse", "--limit", "1") == ["alpha"]
    assert run("ls", "--limit", "-1").exit == 2


@pytest.mark.parametrize("verb", ["ls", "find"])
def test_a_wrong_selector_is_exit_2_in_the_parser_s_words(run: Run, verb: str) -> None:
    """It says where, what was expected and what may be meant, before any library is opened."""
    done = run(verb, "tpye:lora")
    assert done.exit == 2
    assert "column 1" in done.err
    assert "did you mean `type`?" in done.err
    told = json.loads(run(verb, "size>2XB", "--json").err)
    assert (told["code"], told["exit"]) == ("selector-invalid", 2)
    assert "column 7" in told["message"]


@pytest.mark.usefixtures("library")
def test_what_is_in_the_trash_is_not_selected(run: Run) -> None:
    """A deleted model is gone from every list until it is brought back."""
    deleted = run("rm", "-q", "-y", "Lines").out.strip()
    assert names(run, "type:lora") == []
    assert run("find", "tag:ink").exit == 4
    assert run("undo", deleted).exit == 0
    assert names(run, "type:lora tag:ink") == ["Lines"]


def test_the_short_options_are_none_that_a_condition_could_be() -> None:
    """A minus before an attribute is a part of the selector; `-q` alone is a flag."""
    short = {name for option in command.params for name in option.opts if len(name) == 2}
    assert short == {"-q"}


def test_an_empty_list_says_that_it_is_whole(run: Run, tmp_path: Path) -> None:
    """A library without models, and one of which none fits; with `-q` there is nothing to say."""
    assert "no models yet" in run("ls").err
    run("add", tiny.lora(tmp_path / "ink.safetensors", base="sd-1"))
    assert run("ls", "type:vae").err == run("ls", "--type", "vae").err == "no model fits\n"
    assert run("ls", "type:lora").err == run("ls", "-q", "type:vae").err == ""


def test_a_model_is_shown_without_saying_anything_twice(run: Run, tmp_path: Path) -> None:
    """What was found out about it stands below what the library says, and repeats none of it."""
    run("add", tiny.lora(tmp_path / "ink.safetensors", base="sd-1"))
    titles = [line.partition("  ")[0] for line in run("show", "ink").out.splitlines()]
    assert len(titles) == len(set(titles))
    assert {"name", "format", "precision"} <= set(titles)
