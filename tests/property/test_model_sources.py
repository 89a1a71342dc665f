from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import InvalidModelSourceError
from modelshelf.schema.model_source import (
    MODEL_SOURCE,
    REPO_ID,
    CivitaiModelSource,
    HFModelSource,
    LocalModelSource,
    ModelSource,
    URLModelSource,
)
from modelshelf.schema.taxonomy import ModelRepoVariant
from modelshelf.sources import parse_source

pytestmark = pytest.mark.property

_step = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8
).filter(lambda step: step not in {".", ".."} and step == step.strip())
_paths = st.lists(_step, min_size=1, max_size=3).map(lambda steps: Path("/".join(steps)))
_revisions = st.from_regex(r"[A-Za-z0-9_./-]{1,20}", fullmatch=True)
_repositories = st.builds(
    HFModelSource,
    repo_id=st.from_regex(
        r"[a-z0-9]{1,4}/[a-z0-9]{1,6}(\.safetensors|\.v2|-x)?", fullmatch=True
    ).filter(lambda text: REPO_ID.fullmatch(text) is not None),
    variant=st.none() | st.sampled_from(ModelRepoVariant),
    subfolder=st.none() | _paths,
    revision=st.none() | _revisions,
)
_numbers = st.integers(min_value=1, max_value=2**40)
_words = st.sampled_from(["SafeTensor", "fp16", "a b", "x.y"])
_civitai = st.builds(
    CivitaiModelSource,
    model_id=st.none() | _numbers,
    version_id=_numbers,
    file_id=st.none() | _numbers,
    format=st.none() | _words,
    size=st.none() | _words,
    precision=st.none() | _words,
) | st.builds(
    CivitaiModelSource,
    hash=st.sampled_from([8, 10, 12, 64]).flatmap(
        lambda length: st.text("0123456789ABCDEF", min_size=length, max_size=length)
    ),
    precision=st.none() | _words,
)
_local = st.builds(
    LocalModelSource,
    path=st.tuples(st.sampled_from(["", "/", "../", "~/", "C:\\", "hf:/"]), _paths).map(
        lambda parts: Path(parts[0] + str(parts[1]))
    ),
)
_urls = st.builds(
    lambda path, query: URLModelSource.model_validate(
        {"url": f"https://example.com/{path}?{query}"}
    ),
    st.from_regex(r"[a-z0-9/._-]{0,20}", fullmatch=True),
    st.from_regex(r"[a-z0-9=&._-]{0,20}", fullmatch=True),
)


def _nothing_exists(_: Path) -> bool:
    return False


@given(st.one_of(_repositories, _civitai, _local, _urls))
def test_a_source_comes_back_from_its_text(source: ModelSource) -> None:
    """`parse_source(str(source))` is the source; so is what its JSON is read as."""
    assert parse_source(str(source), exists=_nothing_exists) == source
    assert MODEL_SOURCE.validate_json(source.model_dump_json()) == source


@given(st.text(max_size=40) | st.text("a/", min_size=250, max_size=300))
def test_any_text_is_a_source_or_a_typed_error(text: str) -> None:
    """Nothing else is ever raised, and what was understood is understood again."""
    try:
        parse_source(text)
        source = parse_source(text, exists=_nothing_exists)
    except InvalidModelSourceError:
        return
    assert parse_source(str(source), exists=_nothing_exists) == source
