from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.cli.identity_text import HEADERS, block, row, summary
from modelshelf.cli.probing import Probed
from modelshelf.errors import InvalidGgufError, ModelshelfError, SourceNotFoundError
from modelshelf.schema.declared import Declared, Trust
from modelshelf.schema.identity import Evidence, Identity, IdentityStatus, NearMiss
from modelshelf.schema.metadata import Field, ModelMetadata, Statement
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelRepoVariant,
    ModelType,
    ModelVariantType,
)

PATH = Path("models/x")
UNKNOWN = Identity(
    ModelType.UNKNOWN,
    ModelFormat.CHECKPOINT,
    status=IdentityStatus.UNKNOWN,
    near_misses=(NearMiss("sdxl/main", "a label"),),
)


@pytest.mark.parametrize(
    ("identity", "cells"),
    [
        (UNKNOWN, ("unknown", "?", "-", "-", "-", "checkpoint")),
        (
            Identity(
                ModelType.MAIN,
                ModelFormat.DIFFUSERS,
                bases=(BaseModelType.SDXL,),
                variant=ModelVariantType.INPAINT,
                repo_variant=ModelRepoVariant.FP16,
                precision="fp16",
                architecture="pony",
            ),
            ("main", "sdxl", "inpaint,fp16,pony", "-", "fp16", "diffusers"),
        ),
        (
            Identity(
                ModelType.LORA,
                ModelFormat.LYCORIS,
                candidates=(BaseModelType.FLUX, BaseModelType.CHROMA),
                variant=ModelVariantType.NORMAL,
                repo_variant=ModelRepoVariant.DEFAULT,
                status=IdentityStatus.PARTIAL,
            ),
            ("lora", "flux|chroma?", "partial", "-", "-", "lycoris"),
        ),
    ],
    ids=["unknown", "all", "undecided and partial"],
)
def test_a_row_has_a_word_in_every_cell(identity: Identity, cells: tuple[str, ...]) -> None:
    """What is usual or not known is a dash, so that a line can be cut at its blanks."""
    assert row(Probed(PATH, identity)) == (*cells, "models/x")
    assert len(cells) + 1 == len(HEADERS)


@pytest.mark.parametrize(
    ("error", "word", "said"),
    [
        (InvalidGgufError(path="models/x", problem="it is cut"), "broken", "it is cut"),
        (SourceNotFoundError(path="models/x"), "unread", "nothing exists at `models/x`"),
    ],
)
def test_a_broken_or_unread_model_is_a_row_and_a_block(
    error: ModelshelfError, word: str, said: str
) -> None:
    """The row has the error's code where the format would stand, the block its sentence."""
    probed = Probed(PATH, None, error=error)
    assert row(probed) == (word, "-", "-", "-", "-", error.code, "models/x")
    path, reason = block(probed, explain=True)
    assert (path, reason[: len(word) + 3]) == ("models/x", f"  {word}:")
    assert reason.endswith(said)


def test_an_unknown_model_is_told_with_what_was_near() -> None:
    """The reasons only when asked for."""
    probed = Probed(PATH, UNKNOWN, findings=("one name was refused",))
    assert list(block(probed, explain=False))[1:] == ["  unknown  checkpoint"]
    assert list(block(probed, explain=True))[2:] == [
        "  not sdxl/main: a label",
        "  found one name was refused",
    ]


def test_what_the_reader_found_is_told_once() -> None:
    """Where it is the reason already, it is not said again below."""
    reason = Evidence("reader/pickle", "the file", "it is a pickle")
    unknown = Identity(ModelType.UNKNOWN, ModelFormat.UNKNOWN, evidence=(reason,))
    probed = Probed(PATH, unknown, findings=("it is a pickle", "one name was refused"))
    assert list(block(probed, explain=True))[1:] == [
        "  unknown",
        "  because the file: it is a pickle  [reader/pickle]",
        "  found one name was refused",
    ]


def test_a_base_without_a_name_is_no_choice() -> None:
    """It is told as one that nobody knows, and is a choice beside others alone."""
    for candidates, cell, words in (
        ((BaseModelType.UNKNOWN,), "?", "unknown base"),
        ((BaseModelType.FLUX, BaseModelType.UNKNOWN), "flux|unknown?", "flux or unknown"),
    ):
        lora = Identity(ModelType.LORA, ModelFormat.LYCORIS, candidates=candidates)
        probed = Probed(PATH, lora)
        assert row(probed)[1] == cell
        assert list(block(probed, explain=False))[1] == f"  lora  {words}  lycoris"


def test_an_ambiguous_model_says_so() -> None:
    """Behind everything that is known of it; the reasons name the rules that agree, and none that does not."""
    rivals = (NearMiss("sdxl/lora", "an order"), NearMiss("kolors/lora", "an order"))
    identity = Identity(
        ModelType.LORA,
        ModelFormat.LYCORIS,
        status=IdentityStatus.AMBIGUOUS,
        near_misses=rivals,
    )
    assert list(block(Probed(PATH, identity), explain=False))[1].endswith("lycoris  (ambiguous)")
    assert [line.split(",")[0] for line in block(Probed(PATH, identity), explain=True)][2:] == [
        "  sdxl/lora agrees",
        "  kolors/lora agrees",
    ]


def test_a_claim_is_told_once() -> None:
    """What the evidence quotes is not repeated below it; long texts are cut."""
    quoted = Evidence("claim/sidecar", "x.json:base", "says 'SDXL'")
    identity = Identity(ModelType.VAE, ModelFormat.CHECKPOINT, evidence=(quoted,))
    metadata = ModelMetadata(
        statements=(Statement(Field.NOTE, "n" * 300, "x.json:notes"),),
        claims=(
            Declared(Trust.SIDECAR, "x.json:base", "SDXL", bases=(BaseModelType.SDXL,)),
            Declared(Trust.SIDECAR, "x.json:other", "Some base"),
        ),
    )
    lines = list(block(Probed(PATH, identity, metadata), explain=True))
    assert lines[2:] == [
        "  x.json:base says 'SDXL'  [claim/sidecar]",
        "  note: " + "n" * 199 + "…",
        "  x.json:other says 'Some base'",
    ]


def test_a_summary_counts_each_model_once() -> None:
    """By its own base; the most frequent first, then by name."""
    vae = Identity(
        ModelType.VAE, ModelFormat.CHECKPOINT, bases=(BaseModelType.SD_1, BaseModelType.SD_2)
    )
    lora = Identity(ModelType.LORA, ModelFormat.LYCORIS)
    unread = Probed(PATH, None, error=SourceNotFoundError(path="x"))
    broken = Probed(PATH, None, error=InvalidGgufError(path="x", problem="it is cut"))
    found = [Probed(PATH, each) for each in (vae, lora, vae, UNKNOWN)]
    assert summary([*found, broken, unread, broken]) == {
        "models": 7,
        "types": {"vae": 2, "lora": 1},
        "bases": {"sd-1": 2},
        "undecided": 1,
        "unknown": 1,
        "broken": 2,
        "unread": 1,
        "damaged": 0,
    }
