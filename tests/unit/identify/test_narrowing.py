from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from modelshelf.identify import Recollection, identify
from modelshelf.identify.claims import bases_said, claims_of
from modelshelf.identify.narrowing import USUAL, is_left_open, narrow
from modelshelf.schema.declared import Declared, Trust
from modelshelf.schema.identity import Evidence, Identity, IdentityStatus
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)
from tests.unit.formats.headers import write_safetensors
from tests.unit.identify import layouts
from tests.unit.identify.layouts import SD_1, SDXL, Shapes, index_of

SD_KINDS = ["sd-1", "sd-2", "sdxl"]


def says(
    *bases: BaseModelType,
    trust: Trust = Trust.SIDECAR,
    model_type: ModelType | None = None,
    prediction: SchedulerPredictionType | None = None,
    architecture: str = "",
) -> Declared:
    return Declared(
        trust,
        "m.civitai.info:baseModel",
        "words",
        bases=bases,
        type=model_type,
        prediction_type=prediction,
        architecture=architecture,
    )


@pytest.mark.parametrize(
    ("claims", "bases", "candidates"),
    [
        ([], [], SD_KINDS),
        ([says(BaseModelType.SDXL)], ["sdxl"], []),
        ([says(BaseModelType.SD_1, BaseModelType.SD_2)], [], ["sd-1", "sd-2"]),
        ([says(BaseModelType.FLUX)], [], SD_KINDS),
        ([says(BaseModelType.FLUX), says(BaseModelType.SDXL)], ["sdxl"], []),
        (
            [says(BaseModelType.SD_1), says(BaseModelType.SDXL, trust=Trust.METADATA)],
            ["sdxl"],
            [],
        ),
        ([says(BaseModelType.SDXL, model_type=ModelType.LORA)], [], SD_KINDS),
    ],
)
def test_a_claim_chooses_among_candidates_and_adds_none(
    claims: list[Declared], bases: list[str], candidates: list[str]
) -> None:
    """The most trusted first, in whatever order they come."""
    for order in (claims, claims[::-1]):
        identity = identify(index_of(layouts.ldm_vae()), declared=order)
        assert [one.value for one in identity.bases] == bases
        assert [one.value for one in identity.candidates] == candidates
        assert identity.status == ("identified" if bases else "undecided")


def test_a_contradiction_is_reported_and_changes_nothing() -> None:
    """Structure proves; a mislabelled sidecar is named."""
    shapes = index_of(layouts.checkpoint(SDXL))
    told = identify(shapes, declared=[says(BaseModelType.SD_1)])
    assert told.base is BaseModelType.SDXL
    assert told.evidence[-1].found == "is not believed, against sdxl: 'words'"
    assert told.evidence[:-1] == identify(shapes).evidence


def test_a_claim_that_agrees_is_cited() -> None:
    """Where it stands and what it says."""
    told = identify(index_of(layouts.ldm_vae()), declared=[says(BaseModelType.SDXL)])
    last = told.evidence[-1]
    assert (last.rule, last.where, last.found) == (
        "claim/sidecar",
        "m.civitai.info:baseModel",
        "says 'words'",
    )


def test_a_finer_name_comes_from_a_claim() -> None:
    """Pony is SDXL by its tensors; only words tell."""
    claim = says(BaseModelType.SDXL, architecture="pony")
    assert identify(index_of(layouts.unet_lora(SDXL)), declared=[claim]).architecture == "pony"
    assert identify(index_of(layouts.unet_lora(SD_1)), declared=[claim]).architecture == ""


def test_what_nobody_knows_is_not_named_by_a_claim() -> None:
    """A name is no proof that the tensors are a model at all."""
    identity = identify(index_of({"a.b": (1,)}), declared=[says(BaseModelType.SDXL)])
    assert (identity.type.value, identity.bases) == ("unknown", ())


@pytest.mark.parametrize(
    ("metadata", "base"),
    [
        ({"modelspec.architecture": "stable-diffusion-xl-v1-base/vae"}, "sdxl"),
        ({"modelspec.architecture": "stable-diffusion-v1/vae"}, "sd-1"),
        ({"modelspec.architecture": "a strange one"}, "unknown"),
        ({"ss_v2": "True"}, "sd-2"),
        ({"ss_v2": "False"}, "unknown"),
        ({"general.architecture": "sdxl"}, "sdxl"),
    ],
)
def test_the_files_own_words_narrow(tmp_path: Path, metadata: dict[str, str], base: str) -> None:
    """Nobody has to pass them."""
    path = write_safetensors(tmp_path / "n.safetensors", layouts.ldm_vae(), metadata=metadata)
    assert identify(path).base == base


@pytest.mark.parametrize(
    "declared",
    [
        {"modelspec.prediction_type": "v"},
        {"modelspec.predict_key": "v"},
        {"ss_v_parameterization": "True"},
    ],
    ids=["modelspec", "comfyui", "kohya"],
)
def test_the_prediction_type_may_be_declared(tmp_path: Path, declared: dict[str, str]) -> None:
    """Names and shapes are the same for both."""
    shapes = layouts.checkpoint(SDXL)
    path = write_safetensors(tmp_path / "n.safetensors", shapes, metadata=declared)
    identity = identify(path)
    assert identity.prediction_type is SchedulerPredictionType.V_PREDICTION
    told = identify(path, declared=[says(prediction=SchedulerPredictionType.EPSILON)])
    assert told.prediction_type is SchedulerPredictionType.V_PREDICTION
    assert "not believed, against prediction type v_prediction" in told.evidence[-1].found


@pytest.mark.parametrize("shapes", [layouts.checkpoint(SD_1), layouts.diffusers_unet(SD_1)])
def test_what_nearly_all_predict_is_believed_until_somebody_says_otherwise(shapes: Shapes) -> None:
    """A few models of SD 1 were trained for v-prediction, with the very same tensors."""
    index = index_of(shapes)
    epsilon, v = SchedulerPredictionType.EPSILON, SchedulerPredictionType.V_PREDICTION
    usual = identify(index)
    assert usual.prediction_type is epsilon
    assert usual.evidence[-2].found == "epsilon, as nothing says otherwise"
    told = identify(index, declared=[says(prediction=v, trust=Trust.CONFIG)])
    assert told.prediction_type is v
    assert "epsilon" not in str(told.evidence)
    both = [says(prediction=v), says(prediction=epsilon, trust=Trust.METADATA)]
    assert identify(index, declared=both).prediction_type is epsilon


@pytest.mark.parametrize("sizes", [SD_1, SDXL])
@pytest.mark.parametrize(
    ("line", "is_v"),
    [('    parameterization: "v"', True), ("parameterization: v\r", True), ("# v", False)],
)
def test_the_configuration_beside_a_checkpoint_says_what_it_predicts(
    tmp_path: Path, sizes: layouts.UNet, line: str, *, is_v: bool
) -> None:
    """A loader of the original code obeys it; who read it too says nothing new."""
    path = write_safetensors(tmp_path / "fluff.safetensors", layouts.checkpoint(sizes))
    (tmp_path / "fluff.yaml").write_text(f"model:\n  params:\n{line}\n", newline="")
    v = SchedulerPredictionType.V_PREDICTION
    identity = identify(path)
    assert (identity.prediction_type is v) is is_v
    read = [Declared(Trust.CONFIG, "fluff.yaml:parameterization", "v", prediction_type=v)]
    assert not is_v or identify(path, declared=read) == identity


@pytest.mark.parametrize(
    ("name", "beside", "shapes"),
    [
        ("fluff.safetensors", "fluff.yaml", layouts.checkpoint(SD_1)),
        ("diffusion_pytorch_model.safetensors", "config.json", layouts.diffusers_vae()),
    ],
)
def test_nobody_waits_for_a_configuration_that_is_a_pipe(
    tmp_path: Path, name: str, beside: str, shapes: Shapes
) -> None:
    """It says nothing, as a folder does."""
    path = write_safetensors(tmp_path / name, shapes)
    alone = identify(path)
    os.mkfifo(tmp_path / beside)
    assert identify(path) == alone


def test_what_a_marker_says_is_not_the_usual() -> None:
    """The tensor is there to say it, and nobody's words overrule it."""
    marked = index_of(layouts.checkpoint(SD_1) | {"v_pred": ()})
    told = identify(marked, declared=[says(prediction=SchedulerPredictionType.EPSILON)])
    assert told.prediction_type is SchedulerPredictionType.V_PREDICTION
    assert "not believed" in told.evidence[-1].found


def test_an_adapter_predicts_nothing() -> None:
    """The base does."""
    claim = says(prediction=SchedulerPredictionType.EPSILON)
    assert identify(index_of(layouts.unet_lora(SDXL)), declared=[claim]).prediction_type is None


@pytest.mark.parametrize(
    ("name", "config", "base"),
    [
        ("diffusion_pytorch_model.safetensors", {"scaling_factor": 0.13025}, "sdxl"),
        ("diffusion_pytorch_model.fp16.safetensors", {"scaling_factor": 0.13025}, "sdxl"),
        ("diffusion_pytorch_model.safetensors", {"scaling_factor": 1}, "unknown"),
        ("diffusion_pytorch_model.safetensors", {"_class_name": "UNet"}, "unknown"),
        ("my_vae.safetensors", {"scaling_factor": 0.13025}, "unknown"),
        ("diffusion_pytorch_model.safetensors", None, "unknown"),
    ],
)
def test_the_configuration_beside_a_vae_narrows(
    tmp_path: Path, name: str, config: dict[str, object] | None, base: str
) -> None:
    """Where diffusers saved the two together; under another name a file belongs to nobody."""
    write_safetensors(tmp_path / name, layouts.diffusers_vae())
    text = "no JSON"
    if config is not None:
        text = json.dumps({"_class_name": "AutoencoderKL", "latent_channels": 4} | config)
    (tmp_path / "config.json").write_text(text)
    assert identify(tmp_path / name).base == base


@pytest.mark.parametrize(
    ("said", "base"),
    [
        ("stabilityai/stable-diffusion-xl-base-1.0", "sdxl"),
        ("black-forest-labs/FLUX.1-dev", "flux"),
        ("/home/me/my-model", "unknown"),
        (None, "unknown"),
    ],
)
def test_pefts_configuration_names_what_was_trained_on(
    tmp_path: Path, said: str | None, base: str
) -> None:
    """An adapter of CLIP-L alone fits several bases."""
    shapes = layouts.text_lora("lora_te1_", 768)
    write_safetensors(tmp_path / "adapter_model.safetensors", shapes)
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": said}))
    assert identify(tmp_path).base == base


def _kolors() -> Shapes:
    """A LoRA of what Kolors and SDXL have both."""
    return layouts.unet_peft(SDXL)


def test_a_sidecar_tells_kolors_from_sdxl(tmp_path: Path) -> None:
    """Their modules are the same; without a word it is the base that nearly all are made for."""
    path = write_safetensors(tmp_path / "n.safetensors", _kolors())
    assert identify(path).base is BaseModelType.SDXL
    kolors, sdxl = says(BaseModelType.KOLORS), says(BaseModelType.SDXL, trust=Trust.METADATA)
    for known in (None, Recollection()):
        assert identify(path, known=known).base is BaseModelType.SDXL
        assert identify(path, declared=[kolors], known=known).base is BaseModelType.KOLORS
        assert identify(path, declared=[kolors, sdxl], known=known).base is BaseModelType.SDXL


def test_pefts_configuration_tells_kolors_from_sdxl(tmp_path: Path) -> None:
    """A folder's configuration is heard as the words inside a file are."""
    write_safetensors(tmp_path / "adapter_model.safetensors", _kolors())
    assert identify(tmp_path).base is BaseModelType.SDXL
    assert identify(tmp_path, declared=[says(BaseModelType.KOLORS)]).base is BaseModelType.KOLORS
    config = {"base_model_name_or_path": "Kwai-Kolors/Kolors-diffusers"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    assert identify(tmp_path).base is BaseModelType.KOLORS


def test_a_sidecar_tells_chroma_from_flux_that_is_adapted_whole() -> None:
    """Chroma has the modules of FLUX.1's blocks, and as many blocks."""
    shapes = {name: one for name, one in layouts.flux_lora().items() if "_img_attn_" in name}
    shapes |= {name: one for name, one in layouts.flux_lora().items() if "_linear" in name}
    dotted = {
        name.replace("lora_unet_", "diffusion_model.")
        .replace("_blocks_", "_blocks.")
        .replace("_img_attn_", ".img_attn.")
        .replace("_linear", ".linear"): one
        for name, one in shapes.items()
    }
    assert identify(index_of(dotted)).base is BaseModelType.FLUX
    told = identify(index_of(dotted), declared=[says(BaseModelType.CHROMA)])
    assert told.base is BaseModelType.CHROMA


def test_metadata_narrows_in_a_folder_too(tmp_path: Path) -> None:
    """One weight file without configuration is what it is alone."""
    metadata = {"modelspec.architecture": "stable-diffusion-xl-v1-base/vae"}
    write_safetensors(tmp_path / "x.safetensors", layouts.ldm_vae(), metadata=metadata)
    assert identify(tmp_path).base == "sdxl"


def test_a_variant_is_no_claim_to_take() -> None:
    """The tensors of an inpainting model say so themselves."""
    claim = Declared(
        Trust.METADATA, "x", "y", bases=(BaseModelType.SD_1,), variant=ModelVariantType.INPAINT
    )
    identity = identify(index_of(layouts.checkpoint(SD_1)), declared=[claim])
    assert identity.variant is ModelVariantType.NORMAL


def test_a_claim_about_what_serves_every_base_is_cited_and_not_contradicted() -> None:
    """CLIP-L beside an SDXL model is that model's, and anybody else's as well."""
    clip = Identity(ModelType.CLIP_EMBED, ModelFormat.CHECKPOINT, bases=(BaseModelType.ANY,))
    told = narrow(clip, [says(BaseModelType.SDXL)])
    assert told.bases == (BaseModelType.ANY,)
    assert [one.found for one in told.evidence] == ["says 'words'"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (IdentityStatus.UNDECIDED, IdentityStatus.IDENTIFIED),
        (IdentityStatus.PARTIAL, IdentityStatus.PARTIAL),
        (IdentityStatus.BROKEN, IdentityStatus.BROKEN),
        (IdentityStatus.AMBIGUOUS, IdentityStatus.AMBIGUOUS),
    ],
)
def test_a_base_from_a_claim_makes_nothing_whole(
    before: IdentityStatus, after: IdentityStatus
) -> None:
    """Words choose the base of a part of a model, and it stays a part."""
    left = (BaseModelType.SD_1, BaseModelType.SDXL)
    part = Identity(ModelType.VAE, ModelFormat.CHECKPOINT, candidates=left, status=before)
    told = narrow(part, [says(BaseModelType.SDXL)])
    assert (told.bases, told.status) == ((BaseModelType.SDXL,), after)


def test_rules_that_choose_among_equals_hear_the_most_trusted_alone() -> None:
    """A web site's word beside a file does not speak against the file's own."""
    own = says(BaseModelType.SDXL, trust=Trust.METADATA)
    others = [says(BaseModelType.FLUX), says(BaseModelType.SD_1), says(trust=Trust.CONFIG)]
    assert bases_said([*others, own]) == {(BaseModelType.SDXL,)}
    assert bases_said(others) == {(BaseModelType.FLUX,), (BaseModelType.SD_1,)}
    assert bases_said([]) == frozenset()


V, EPSILON = SchedulerPredictionType.V_PREDICTION, SchedulerPredictionType.EPSILON
UNET = Identity(
    ModelType.MAIN,
    ModelFormat.CHECKPOINT,
    bases=(BaseModelType.SD_1,),
    prediction_type=EPSILON,
    architecture="sdxs",
    evidence=(Evidence("sd-1/main/ldm", USUAL, "epsilon, as nothing says otherwise"),),
)
ADAPTER = Identity(ModelType.LORA, ModelFormat.LYCORIS, status=IdentityStatus.UNDECIDED)


def test_a_claim_may_leave_a_model_without_a_base_and_that_settles_nothing() -> None:
    """Of several candidates the one that is none of our bases: no base is proven."""
    open_unet = replace(
        UNET,
        bases=(),
        candidates=(BaseModelType.SD_1, BaseModelType.UNKNOWN),
        status=IdentityStatus.UNDECIDED,
    )
    found = narrow(open_unet, [says(BaseModelType.UNKNOWN)])
    assert (found.bases, found.candidates) == ((), (BaseModelType.UNKNOWN,))
    assert found.status is IdentityStatus.UNDECIDED


def test_a_claim_about_the_base_alone_keeps_the_usual_prediction_and_the_architecture() -> None:
    found = narrow(UNET, [says(BaseModelType.SD_1)])
    assert (found.prediction_type, found.architecture) == (EPSILON, "sdxs")
    assert found.evidence[0] == UNET.evidence[0]


def test_no_finer_name_replaces_one_that_is_known_or_stands_without_a_base() -> None:
    assert narrow(UNET, [says(BaseModelType.SD_1, architecture="pony")]).architecture == "sdxs"
    assert not narrow(ADAPTER, [says(BaseModelType.SDXL, architecture="pony")]).architecture


def test_a_claim_about_the_prediction_alone_is_cited() -> None:
    found = narrow(UNET, [says(prediction=V)])
    assert (found.prediction_type, found.evidence[-1].found) == (V, "says 'words'")


def test_a_base_that_nothing_speaks_against_is_cited_and_not_taken() -> None:
    found = narrow(ADAPTER, [says(BaseModelType.SD_1)])
    assert (found.bases, found.evidence[-1].found) == ((), "says 'words'")


@pytest.mark.parametrize(
    ("identity", "is_open"),
    [
        (UNET, True),
        (replace(UNET, evidence=()), False),
        (replace(UNET, evidence=(), prediction_type=None), True),
        (replace(UNET, evidence=(Evidence("sd-1/main/ldm", "out.2.weight", "[4]"),)), False),
        (ADAPTER, False),
        (replace(ADAPTER, candidates=(BaseModelType.SD_1, BaseModelType.SD_2)), True),
    ],
)
def test_a_name_is_asked_where_a_base_or_the_prediction_is_open(
    identity: Identity, *, is_open: bool
) -> None:
    assert is_left_open(identity) is is_open


def test_metadata_is_asked_field_by_field() -> None:
    """Or no run over many files remembers one that a rule asks about: each would be evaluated anew."""

    class Fields(dict[str, str]):
        def __len__(self) -> int:
            raise AssertionError

    (claim,) = claims_of(Fields({"ss_base_model_version": "sdxl_base_v1-0"}))
    assert claim.bases == (BaseModelType.SDXL,)
