"""Reading a converted checkpoint as the file that it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from modelshelf.blobs.recipe_reader import RecipeReader
from modelshelf.blobs.stored_reader import StoredReader
from modelshelf.errors import BlobCorruptError, BlobMissingError, InvalidJsonError
from modelshelf.formats import parse_recipe
from modelshelf.protocols import BlobStore
from modelshelf.schema.conversion import ORIGINAL_FOLDER
from modelshelf.schema.member import MemberPath

__all__ = ["RECIPE", "open_original"]

RECIPE = MemberPath("recipe.json")
"""What the recipe is called in the part `.original`."""
_LONGEST = 64 * 1024 * 1024

Places = Mapping[tuple[str, MemberPath], tuple[str, MemberPath]]
"""(component folder, member) → (location, member) of every stored file of a pipeline."""


@contextmanager
def open_original(blobs: BlobStore, places: Places) -> Iterator[RecipeReader]:
    """Open a converted checkpoint for reading; nothing of it is checked here.

    Raises:
        BlobMissingError: The store has lost one of the files.
        BlobCorruptError: The recipe is none.
    """
    with ExitStack() as stack:
        location, member = places[ORIGINAL_FOLDER, RECIPE]
        path = str(blobs.folder(location) / member)
        with blobs.open(location, member) as opened:
            try:
                recipe = parse_recipe(opened.read(_LONGEST), path=path)
            except InvalidJsonError as error:
                raise BlobCorruptError(path=path, expected="a recipe", got=error.problem) from error
        contents = []
        for file in recipe.files:
            if file not in places:
                raise BlobMissingError(path="/".join(file))
            contents.append(StoredReader(stack.enter_context(blobs.open(*places[file]))))
        yield RecipeReader(recipe.pieces, contents)
