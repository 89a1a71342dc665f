"""What a user says of a model and takes back, in any order, of one that is stored and one that is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelshelf.errors import ModelshelfError
from modelshelf.install.placed_models import PlacedModels
from modelshelf.manager import NormalizedModelManager
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.override import OVERRIDABLE, Override
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)
from modelshelf.testing import tiny
from tests.shelves import open_shelf

pytestmark = pytest.mark.property

WORDS = st.builds(
    Override,
    type=st.none() | st.sampled_from([ModelType.VAE, ModelType.CONTROLNET]),
    bases=st.none()
    | st.lists(
        st.sampled_from([BaseModelType.SD_1, BaseModelType.SDXL, BaseModelType.FLUX]),
        min_size=1,
        max_size=2,
        unique=True,
    ).map(tuple),
    variant=st.none() | st.sampled_from([ModelVariantType.INPAINT, ModelVariantType.NORMAL]),
    prediction_type=st.none() | st.sampled_from(SchedulerPredictionType),
    architecture=st.none() | st.sampled_from(["soft", "pony"]),
)
TURNS = st.tuples(WORDS, st.sets(st.sampled_from(OVERRIDABLE)))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NormalizedModelManager]:
    """A library that stores a VAE whose base is open, and knows another where it lies."""
    folder = tmp_path_factory.mktemp("words")
    with open_shelf(folder / "shelf") as shelf:
        for name in ("stored", "placed"):
            path = tiny.vae(
                folder / name / f"{name}.safetensors",
                base="sd-1",
                style="ldm",
                full=True,
                hollow=True,
            )
            if name == "stored":
                shelf.add(path)
            else:
                list(PlacedModels(shelf.store).adopt(path.parent, never))
        yield shelf


def never(path: Path, error: ModelshelfError) -> None:
    """Refuse to go on without one of the models."""
    raise AssertionError(path) from error


def facts(info: ModelInfo) -> dict[str, object]:
    """Return what a model is known as, field by field, and what is open."""
    detail = json.loads(info.detail)
    finer = ("variant", "prediction_type", "architecture", "candidates", "override", "status")
    return {"type": info.type, "bases": info.bases} | {name: detail.get(name) for name in finer}


class TestWords:
    """A user's override wins per field and is kept beside what was detected."""

    @given(turns=st.lists(TURNS, min_size=1, max_size=4))
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @pytest.mark.parametrize("name", ["stored", "placed"])
    def test_each_field_is_as_said_last_or_as_detected(
        self, shelf: NormalizedModelManager, name: str, turns: list[tuple[Override, set[str]]]
    ) -> None:
        """Whatever was said of the other fields; and all taken back, nothing was ever said."""
        # What failed before left something.
        before = facts(shelf.as_detected(name))
        said = Override()
        for wish, taken_back in turns:
            foreseen = shelf.override(name, wish, taken_back=taken_back, dry_run=True)
            info = shelf.override(name, wish, taken_back=taken_back)
            assert facts(foreseen) == facts(info)
            said = said.without(taken_back).and_then(wish)
            for field in OVERRIDABLE:
                if field in before:
                    word = getattr(said, field)
                    assert facts(info)[field] == (before[field] if word is None else word)
            written = facts(info)["override"] or {}
            assert isinstance(written, dict)
            assert written.keys() == set(said.fields)
            assert (facts(info)["candidates"] is None) == (said.bases is not None)
            assert shelf.identify_again([name]) == []
        shelf.as_detected(name)
        assert facts(shelf.get_model(name)) == before
