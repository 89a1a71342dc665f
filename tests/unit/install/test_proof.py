from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from modelshelf.errors import ConversionError
from modelshelf.formats import parse_recipe, write_recipe
from modelshelf.install.proof import hash_original, hashing_original, prove_recipe
from modelshelf.manager.assembly import assemble
from modelshelf.schema.manifest import ImportPlan
from modelshelf.schema.recipe import DerivedFile, Literal, Piece, Recipe, Span, Transposed
from modelshelf.schema.source import SourceFile
from modelshelf.settings import Settings
from modelshelf.testing import tiny
from tests.shelves import StandingClock


@pytest.fixture
def plan(tmp_path: Path) -> ImportPlan:
    """The plan of adding a checkpoint that has ranges, thirds and a transposed matrix."""
    services = assemble(Settings(root=tmp_path / "shelf"), clock=StandingClock())
    return services.adder.plan(tiny.checkpoint(tmp_path / "model.safetensors", base="sdxl"))


def source_of(plan: ImportPlan) -> SourceFile:
    """Return the checkpoint."""
    return next(file.source for _, file in plan.parts[0].files if isinstance(file, DerivedFile))


def recipe_of(plan: ImportPlan) -> Recipe:
    """Return the recipe that will be stored."""
    assert plan.original is not None
    (written,) = [file for member, file in plan.original.files if member == "recipe.json"]
    assert isinstance(written, DerivedFile)
    (content,) = written.pieces
    assert isinstance(content, Literal)
    return parse_recipe(content.content, path="recipe.json")


def with_recipe(plan: ImportPlan, recipe: Recipe) -> ImportPlan:
    """Return the plan with another recipe."""
    assert plan.original is not None
    content = Literal(write_recipe(recipe))
    files = tuple(
        (member, replace(file, pieces=(content,)))
        if member == "recipe.json" and isinstance(file, DerivedFile)
        else (member, file)
        for member, file in plan.original.files
    )
    return replace(plan, original=replace(plan.original, files=files))


def test_a_recipe_that_gives_the_checkpoint_is_proven(plan: ImportPlan) -> None:
    """Ranges, thirds and the transposed matrix lead back to every byte in order."""
    assert any(isinstance(piece, Transposed) for piece in recipe_of(plan).pieces)
    prove_recipe(plan, source_of(plan))


def shifted(piece: Piece) -> Piece:
    """Return a piece that begins a byte further on."""
    return replace(piece, offset=piece.offset + 1) if isinstance(piece, Span) else piece


WRONG: dict[str, Callable[[list[Piece]], list[Piece]]] = {
    "one missing": lambda pieces: pieces[:-1],
    "one twice": lambda pieces: [*pieces, pieces[-1]],
    "two exchanged": lambda pieces: [pieces[1], pieces[0], *pieces[2:]],
    "one shifted": lambda pieces: [*pieces[:40], shifted(pieces[40]), *pieces[41:]],
    "not transposed": lambda pieces: [
        Span(piece.file, piece.offset, piece.length) if isinstance(piece, Transposed) else piece
        for piece in pieces
    ],
    "transposed the other way": lambda pieces: [
        replace(piece, rows=piece.rows * 2, columns=piece.columns // 2)
        if isinstance(piece, Transposed)
        else piece
        for piece in pieces
    ],
    "out of the file's header": lambda pieces: [Span(0, 0, pieces[0].length), *pieces[1:]],
    "beyond the file's end": lambda pieces: [*pieces[:-1], Span(0, 1 << 40, pieces[-1].length)],
}


@pytest.mark.parametrize("what", WRONG)
def test_any_other_recipe_is_not(plan: ImportPlan, what: str) -> None:
    """A recipe that gives other bytes, or the same ones elsewhere, is found out."""
    recipe = recipe_of(plan)
    wrong = Recipe(recipe.files, tuple(WRONG[what](list(recipe.pieces))))
    with pytest.raises(ConversionError):
        prove_recipe(with_recipe(plan, wrong), source_of(plan))


def test_hashing_stops_with_its_block(plan: ImportPlan) -> None:
    """Whoever fails to store the parts does not wait for the digests."""
    source = source_of(plan)
    with hashing_original(None) as nothing:
        assert nothing is None
    with pytest.raises(ZeroDivisionError), hashing_original(source):
        raise ZeroDivisionError
    with hashing_original(source) as hashing:
        assert hashing is not None
        assert hashing.result() == hash_original(source)
