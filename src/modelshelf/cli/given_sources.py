"""Telling the sources of a command line apart: paths of this machine, and what is to be fetched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import hexdigits
from typing import TYPE_CHECKING

from modelshelf.cli.batch import Batch
from modelshelf.cli.session import Session
from modelshelf.errors import UsageError
from modelshelf.schema.address_secrets import bare_address

if TYPE_CHECKING:
    from modelshelf.schema.model_source import ModelSource

__all__ = ["check_remote", "sort_sources"]

_HASHES = (8, 10, 12, 64)
"""Digits of the hashes that Civitai knows files by."""


def sort_sources(
    session: Session, batch: Batch, sources: Sequence[str], token: str | None
) -> tuple[list[Path], list[ModelSource]]:
    """Tell paths of this machine from what is to be fetched."""
    from modelshelf.manager.hub_access import civitai_access, hub_access  # noqa: PLC0415 - slow
    from modelshelf.schema.model_source import LocalModelSource  # noqa: PLC0415
    from modelshelf.sources.reading import parse_source  # noqa: PLC0415

    settings = session.settings()
    hub, civitai = hub_access(settings), civitai_access(settings)
    paths: list[Path] = []
    remote: list[ModelSource] = []
    for text in sources:
        if _is_one_word(text):
            # What no hub could mean is a path; that nothing is there is said when it is looked for.
            paths.append(Path(text))
            continue
        with batch.search(bare_address(text)):
            found = parse_source(text, access_token=token, hub=hub, civitai=civitai)
            if isinstance(found, LocalModelSource):
                paths.append(found.path)
            elif found not in remote:
                remote.append(found)
    return paths, remote


def _is_one_word(text: str) -> bool:
    is_hash = len(text) in _HASHES and all(letter in hexdigits for letter in text)
    return not is_hash and text.strip() != "" and not set(text) & set("/:?")


def check_remote(remote: Sequence[ModelSource], local: Sequence[str]) -> None:
    """Refuse options that mean nothing for what is fetched, so that nobody relies on them."""
    from modelshelf.install.told import source_in_words  # noqa: PLC0415 - slow

    if remote and local:
        raise UsageError(
            problem=f"`{source_in_words(remote[0])}` is not on this machine, and `{local[0]}` is for what is",
            remedy=f"leave out {', '.join(f'`{option}`' for option in local)}",
        )
