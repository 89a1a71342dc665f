from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import InvalidJsonError
from modelshelf.formats import parse_recipe, write_recipe
from modelshelf.schema.member import MemberPath
from modelshelf.schema.recipe import Literal, Recipe, Span, Transposed

FILES = (("unet", MemberPath("a.safetensors")), (".original", MemberPath("rest.bin")))
RECIPE = Recipe(FILES, (Span(1, 0, 8), Transposed(0, 16, 2, 3, 2), Span(0, 40, 1)))


def changed(**fields: object) -> bytes:
    """Write the recipe with some fields changed."""
    return json.dumps({**json.loads(write_recipe(RECIPE)), **fields}).encode()


def test_what_was_written_is_read() -> None:
    """A recipe comes back as it was, and equal ones are equal bytes."""
    assert parse_recipe(write_recipe(RECIPE), path="r") == RECIPE
    assert write_recipe(parse_recipe(write_recipe(RECIPE), path="r")) == write_recipe(RECIPE)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        changed(version=2),
        changed(format="cake"),
        changed(size=3),
        changed(files=[["unet", "../../etc/passwd"], ["x", "y"]]),
        changed(files=[["unet"]]),
        changed(files=[]),
        changed(pieces=[[9, 0, 29]]),
        changed(pieces=[[0, -1, 29]]),
        changed(pieces=[[0, 0, 28.0], [0, 0, 1]]),
        changed(pieces=[[0, 0]]),
        changed(pieces=[[]]),
        changed(pieces=[[0, 0, 1, 29, 3]]),
        changed(pieces=[[True, 0, 21]]),
        changed(pieces=[[2, 0, 21]]),
        changed(pieces=[[0, -5, 21]]),
        changed(pieces=[[0, 0, 21, True]]),
        changed(pieces=[[0, 0, 3, 7, 3]]),
        changed(pieces=7),
        changed(pieces=[[0, 0, 1, 1 << 27, 1]], size=1 << 27),
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    """With the file's name, and no other error."""
    with pytest.raises(InvalidJsonError) as caught:
        parse_recipe(content, path="there/recipe.json")
    assert caught.value.path == "there/recipe.json"


def test_a_matrix_is_read_up_to_its_bound() -> None:
    """It is held in memory while it is transposed."""
    most = 64 << 20
    pieces = [[0, 0, 8_192, 8_192, 1]]
    assert parse_recipe(changed(pieces=pieces, size=most), path="r").size == most
    with pytest.raises(InvalidJsonError):
        parse_recipe(changed(pieces=[[0, 0, 1, most + 1, 1]], size=most + 1), path="r")


@given(content=st.binary(max_size=200))
def test_no_bytes_do_harm(content: bytes) -> None:
    """Whatever they are, there is a recipe or a typed error."""
    with pytest.raises(InvalidJsonError):
        parse_recipe(content, path="r")


def test_a_recipe_has_no_bytes_of_its_own() -> None:
    """What is in no file has to be put into one first."""
    with pytest.raises(TypeError):
        write_recipe(Recipe(FILES, (Literal(b"x"),)))
