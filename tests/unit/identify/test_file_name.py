from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.formats import read_tree
from modelshelf.identify import Recollection, identify
from modelshelf.identify.file_name import claims_of_name, name_of
from modelshelf.schema.declared import Declared, Trust
from modelshelf.schema.identity import IdentityStatus
from modelshelf.schema.taxonomy import BaseModelType, SchedulerPredictionType
from modelshelf.testing import tiny
from tests.sweeps.adapters import ADAPTED
from tests.unit.formats.headers import write_safetensors
from tests.unit.identify.adapter_layouts import KINDS, adapter
from tests.unit.identify.layouts import SD_1, SDXL, UNet, checkpoint

SD_KINDS = ["sd-1", "sd-2", "sdxl"]


def vae(path: Path) -> Path:
    """Write a VAE that SD 1, SD 2 and SDXL have in common, tensor for tensor."""
    return tiny.vae(path, base="sd-1", style="ldm", full=True, hollow=True)


@pytest.mark.parametrize(
    ("name", "bases"),
    [
        ("sdxl_vae.safetensors", ["sdxl"]),
        ("SDXL-VAE-FP16-Fix", ["sdxl"]),
        ("stable-diffusion-2-1", ["sd-2"]),
        ("Wan2_1_VAE_bf16.safetensors", ["wan"]),
        ("wan_2.1_vae.safetensors", ["wan"]),
        ("flux.2-klein-4b.safetensors", ["flux2"]),
        ("qwen_image_vae.safetensors", ["qwen-image"]),
        ("ponyDiffusionV6XL.safetensors", ["sdxl"]),
        ("EasyAnimate-lora.safetensors", ["unknown"]),
        # The second file about FLUX, or one about FLUX.2.
        ("flux_2.safetensors", ["flux2", "flux"]),
        ("FLUX.2.safetensors", ["flux2"]),
        ("1.flux.safetensors", ["flux"]),
        # Copies that browsers make, and files that people count.
        ("flux (2).safetensors", ["flux"]),
        ("sd(2).safetensors", []),
        ("sd(15).safetensors", []),
        ("sd(1500).safetensors", []),
        ("latte_1.safetensors", []),
        ("latte-t2v.safetensors", ["unknown"]),
        # Two models, and what both mean.
        ("sdxl-illustriousXL.safetensors", ["sdxl"]),
        ("sd15_to_sdxl.safetensors", []),
        # Words of other things, and parts of words.
        ("obi-wan.safetensors", []),
        ("my_pony_girl.safetensors", []),
        ("fluxus-art.safetensors", []),
        ("vae-ft-mse-840000-ema-pruned.ckpt", []),
        ("", []),
        ("...", []),
        ("日本語.safetensors", []),
    ],
)
def test_words_of_a_name_name_bases(name: str, bases: list[str]) -> None:
    assert [base.value for claim in claims_of_name(name) for base in claim.bases] == bases


@pytest.mark.parametrize(
    "word",
    [
        *("anima", "chroma", "cosmos", "helios", "latte", "lumina", "mochi", "ovi", "pony"),
        *("sana", "wan"),
    ],
)
def test_a_word_of_other_things_names_no_model(word: str) -> None:
    """Alone, and before a number that may count files."""
    assert claims_of_name(f"my-{word}-art") == claims_of_name(f"{word}_2.safetensors") == ()


def test_a_name_is_read_up_to_160_letters() -> None:
    """Untrusted text, of which a line is kept too."""
    (claim,) = claims_of_name("x" * 155 + "_sdxl" + "_soft")
    assert (claim.bases, claim.said) == ((BaseModelType.SDXL,), "x" * 155 + "_sdxl")
    assert claims_of_name("x" * 156 + "_sdxl") == ()


def test_what_a_name_says_is_a_hint() -> None:
    """Its base and what it predicts are two statements."""
    assert claims_of_name("sdxl-vpred") == (
        Declared(Trust.HINT, "name", "sdxl-vpred", bases=(BaseModelType.SDXL,)),
        Declared(
            Trust.HINT,
            "name",
            "sdxl-vpred",
            prediction_type=SchedulerPredictionType.V_PREDICTION,
        ),
    )


@pytest.mark.parametrize(
    ("name", "predictions"),
    [
        ("NoobAI-XL-Vpred-v1.0.safetensors", ["v_prediction"]),
        ("v2-1_768-v-ema.ckpt", ["v_prediction"]),
        ("model_v-prediction.safetensors", ["v_prediction"]),
        ("noobai-eps-pred.safetensors", ["epsilon"]),
        ("soft_v_pred.safetensors", ["v_prediction"]),
        ("vprediction", ["v_prediction"]),
        ("epsilon_prediction-soft.safetensors", ["epsilon"]),
        ("epspred", ["epsilon"]),
        ("eps-pred-to-v-pred.safetensors", []),
        ("steps_pred.safetensors", []),
        ("epsilon_predictions.safetensors", []),
        ("mv_pred.safetensors", []),
        ("1768_v.safetensors", []),
        ("768_vae.safetensors", []),
        ("vpredator.safetensors", []),
        ("prediction.safetensors", []),
    ],
)
def test_words_of_a_name_tell_the_prediction_type(name: str, predictions: list[str]) -> None:
    found = [claim.prediction_type for claim in claims_of_name(name)]
    assert [one.value for one in found if one is not None] == predictions


def test_a_name_chooses_among_what_tensors_leave_open(tmp_path: Path) -> None:
    named = identify(vae(tmp_path / "sdxl_vae.safetensors"))
    assert (named.base.value, named.status) == ("sdxl", IdentityStatus.IDENTIFIED)
    assert named.evidence[-1].rule == "claim/hint"
    nameless = identify(vae(tmp_path / "soft.safetensors"))
    assert [base.value for base in nameless.candidates] == SD_KINDS


def test_a_name_adds_nothing_to_what_is_left(tmp_path: Path) -> None:
    """Flux has another VAE: structure comes first."""
    identity = identify(vae(tmp_path / "flux_vae.safetensors"))
    assert [base.value for base in identity.candidates] == SD_KINDS


def test_a_name_counts_less_than_all_that_is_said_elsewhere(tmp_path: Path) -> None:
    sidecar = Declared(
        Trust.SIDECAR, "sdxl_vae.civitai.info:baseModel", "SD 1.5", (BaseModelType.SD_1,)
    )
    identity = identify(vae(tmp_path / "sdxl_vae.safetensors"), declared=[sidecar])
    assert identity.base.value == "sd-1"


def test_a_wrong_name_changes_nothing_where_tensors_decide(tmp_path: Path) -> None:
    """Neither the answer nor the reasons: what is decided asks no name."""
    right = identify(write_safetensors(tmp_path / "soft.safetensors", checkpoint(SD_1)))
    wrong = identify(write_safetensors(tmp_path / "sdxl_flux_vae.safetensors", checkpoint(SD_1)))
    assert wrong == right


@pytest.mark.parametrize(
    ("unet", "name", "prediction"),
    [
        (SD_1, "soft.safetensors", SchedulerPredictionType.EPSILON),
        (SD_1, "soft-vpred.safetensors", SchedulerPredictionType.V_PREDICTION),
        (SDXL, "soft.safetensors", None),
        (SDXL, "soft-vpred.safetensors", SchedulerPredictionType.V_PREDICTION),
    ],
)
def test_a_name_tells_what_a_model_predicts_where_nothing_proves_it(
    unet: UNet, name: str, prediction: SchedulerPredictionType | None, tmp_path: Path
) -> None:
    assert (
        identify(write_safetensors(tmp_path / name, checkpoint(unet))).prediction_type is prediction
    )


@pytest.mark.parametrize(
    ("name", "base"),
    [("mochi-film.safetensors", "mochi"), ("EasyAnimateV5.1-film.safetensors", "unknown")],
)
def test_a_name_tells_a_stranger_from_the_base_that_has_its_modules(
    name: str, base: str, tmp_path: Path
) -> None:
    """Attentions of EasyAnimate and of Mochi are equal in name, width and number."""
    attentions = {
        path: shape for path, shape in ADAPTED["mochi"].modules.items() if "attn1.to_" in path
    }
    path = write_safetensors(tmp_path / name, adapter(attentions, "peft", KINDS["peft"][1]))
    assert identify(path).base.value == base


def test_what_a_run_has_seen_of_other_names_is_no_answer(tmp_path: Path) -> None:
    """The same tensors under three names, in one run."""
    known = Recollection()
    names = ["sdxl_vae.safetensors", "sd15_vae.safetensors", "soft.safetensors"]
    found = [identify(vae(tmp_path / name), known=known) for name in names]
    assert [one.base.value for one in found[:2]] == ["sdxl", "sd-1"]
    assert [base.value for base in found[2].candidates] == SD_KINDS


def test_a_file_that_loaders_name_has_its_folders_name(tmp_path: Path) -> None:
    path = vae(tmp_path / "sdxl-vae" / "diffusion_pytorch_model.safetensors")
    assert identify(path).base.value == "sdxl"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("sd15/model.safetensors", "sd15"),
        ("sd15/model.fp16.safetensors", "sd15"),
        ("sd15/model-00001-of-00002.safetensors", "sd15"),
        ("sd15/pytorch_lora_weights.fp32.safetensors", "sd15"),
        ("sd15/adapter_model.safetensors", "sd15"),
        ("sd15/learned_embeds.bf16.safetensors", "sd15"),
        ("sd15/ip_adapter-int8.safetensors", "sd15"),
        ("sd15/open_clip_pytorch_model.ema.safetensors", "sd15"),
        ("sd15/pytorch_model.non_ema.safetensors", "sd15"),
        ("sd15/diffusion_pytorch_model.fp8_e4m3fn.safetensors", "sd15"),
        ("sd15/model.fp16-00001-of-00002.safetensors", "sd15"),
        ("sd15/model.safetensors.index.json", "sd15"),
        ("sd15/model.safetensors.index.fp16.json", "sd15"),
        ("sd15/model.safetensors.json", "model.safetensors.json"),
        ("sd15/model.fp64.safetensors", "model.fp64.safetensors"),
        ("sd15/model_fp16.safetensors", "model_fp16.safetensors"),
        ("sd15/model.sdxl.safetensors", "model.sdxl.safetensors"),
        ("sd15/model-sdxl-vae.safetensors", "model-sdxl-vae.safetensors"),
        ("sd15/my_model.safetensors", "my_model.safetensors"),
        ("models--acme--sdxl/refs/soft.safetensors", "soft.safetensors"),
    ],
)
def test_only_what_loaders_ask_for_has_its_folders_name(
    path: str, name: str, tmp_path: Path
) -> None:
    assert name_of(read_tree(vae(tmp_path / path))) == name


def test_a_folder_that_is_called_as_a_file_has_its_own_name(tmp_path: Path) -> None:
    folder = vae(tmp_path / "sd15" / "model.diffusers" / "soft.safetensors").parent
    assert name_of(read_tree(folder)) == "model.diffusers"


def test_a_folder_of_somebodys_snapshots_is_no_cache(tmp_path: Path) -> None:
    """Trainers and people keep snapshots too, and what the folder above is called says little."""
    path = vae(tmp_path / "sdxl" / "snapshots" / "sd15_vae.safetensors")
    assert identify(path).base.value == "sd-1"


@pytest.mark.parametrize(
    ("word", "base"), [("genmo/mochi-1-preview", "mochi"), ("acme/soft", "unknown")]
)
@pytest.mark.parametrize("is_folder", [True, False])
def test_what_lies_beside_an_adapter_counts_more_than_its_name(
    word: str, base: str, *, is_folder: bool, tmp_path: Path
) -> None:
    """The folder and the file in it are the same model, and have the same answer."""
    attentions = {
        path: shape for path, shape in ADAPTED["mochi"].modules.items() if "attn1.to_" in path
    }
    path = write_safetensors(
        tmp_path / "EasyAnimateV5.1-film" / "adapter_model.safetensors",
        adapter(attentions, "peft", KINDS["peft"][1]),
    )
    path.with_name("adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": word}), encoding="utf-8"
    )
    assert identify(path.parent if is_folder else path).base.value == base


def test_a_snapshot_has_its_repositorys_name(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--acme--sdxl-vae" / "snapshots" / ("ab" * 20)
    assert name_of(read_tree(vae(snapshot / "soft.safetensors").parent)) == "sdxl-vae"
