from __future__ import annotations

import pytest

from modelshelf.schema.taxonomy import BaseModelType, ModelType
from modelshelf.schema.vocabulary import base_meant, gguf_meant, prediction_meant, type_meant

CIVITAI = {
    "sd-1": "SD 1.4; SD 1.5; SD 1.5 LCM; SD 1.5 Hyper",
    "sd-2": "SD 2.0; SD 2.0 768; SD 2.1; SD 2.1 768; SD 2.1 Unclip",
    "sd-3": "SD 3; SD 3.5; SD 3.5 Large; SD 3.5 Large Turbo; SD 3.5 Medium",
    "sdxl": "SDXL 0.9; SDXL 1.0; SDXL 1.0 LCM; SDXL Distilled; SDXL Turbo; SDXL Lightning; "
    "SDXL Hyper; Pony; Illustrious; NoobAI; Playground v2",
    "svd": "SVD; SVD XT",
    "stable-cascade": "Stable Cascade",
    "pixart": "PixArt a; PixArt E",
    "flux": "Flux.1 D; Flux.1 S; Flux.1 Krea; Flux.1 Kontext",
    "flux2": "Flux.2 D; Flux.2 Klein 9B; Flux.2 Klein 9B-base; Flux.2 Klein 4B; Flux.2 Klein 4B-base",
    "auraflow": "AuraFlow; Pony V7",
    "hunyuan-dit": "Hunyuan 1",
    "wan": "Wan Video; Wan Video 1.3B t2v; Wan Video 14B i2v 480p; Wan Video 2.2 TI2V-5B; "
    "Wan Video 2.2 I2V-A14B; Wan Video 2.2 T2V-A14B",
    "ltx-video": "LTXV; LTXV2; LTXV 2.3",
    "z-image": "ZImageTurbo; ZImageBase",
    "qwen-image": "Qwen",
    "minimax-h3": "MiniMax H3",
}
TRAINERS = {
    "sd-1": "sd_v1; sd_1.5; stable-diffusion-v1",
    "sd-2": "sd_v2; sd_v2_v; stable-diffusion-v2-512; stable-diffusion-v2-768-v",
    "sd-3": "sd3; sd3m; stable-diffusion-3-m; stable-diffusion-3-5-large",
    "sdxl": "sdxl_base_v1-0; sdxl_1.0; stable-diffusion-xl-v1-base",
    "sdxl-refiner": "stable-diffusion-xl-v1-refiner",
    "flux": "flux1; flux.1; flux-1-dev; flux-1-schnell; Flux.1-dev",
    "flux2": "flux2_klein_9b",
    "lumina2": "lumina2; lumina-2",
    "hunyuan-video": "hunyuan-video",
    "hunyuan-video-1.5": "hunyuan-video-1.5",
    "wan": "wan2.1; wan_2.2_14b",
    "z-image": "zimage; Z-Image",
    "qwen-image": "Qwen-Image; Qwen-Image-Edit",
}
REPOSITORIES = {
    "sd-1": "runwayml/stable-diffusion-v1-5",
    "sdxl": "stabilityai/stable-diffusion-xl-base-1.0; stabilityai/sdxl-turbo; "
    "Laxhar/noobai-XL-Vpred-1.0; OnomaAIResearch/Illustrious-xl-early-release-v0",
    "flux": "black-forest-labs/FLUX.1-dev; black-forest-labs/FLUX.1-Kontext-dev",
    "qwen-image": "Qwen/Qwen-Image-Edit-2509",
    "wan": "Wan-AI/Wan2.1-T2V-14B-Diffusers; Wan-AI/Wan2.2-I2V-A14B",
    "z-image": "Tongyi-MAI/Z-Image-Turbo",
    "sana": "Efficient-Large-Model/Sana_1600M_1024px_diffusers",
    "unknown": "Efficient-Large-Model/SANA-Video_2B_480p_diffusers",
}


@pytest.mark.parametrize(
    ("word", "base"),
    [
        (word, base)
        for vocabulary in (CIVITAI, TRAINERS, REPOSITORIES)
        for base, words in vocabulary.items()
        for word in words.split("; ")
    ],
)
def test_words_of_other_programs_name_our_bases(word: str, base: str) -> None:
    """Web sites, trainers and repositories write one base in many ways."""
    meaning = base_meant(word)
    assert meaning is not None
    assert [str(each) for each in meaning.bases] == [base]
    assert base_meant(word.upper()) == base_meant(f"  {word} ") == meaning


@pytest.mark.parametrize(
    "word",
    [
        *("", "/", "lora", "sd", "xl", "Other", "Upscaler", "unknown", "meta-llama/Llama-3"),
        *("Qwen 3", "Wan Video 2.5 T2V", "HiDream-O1", "Flux 3 Video", "LTXV 2.5"),
        *("é" * 50, "sd" * 500_000),
    ],
)
def test_words_that_name_no_base_of_ours_mean_nothing(word: str) -> None:
    """A newer model of a known name is another model; a wrong base is worse than none."""
    assert base_meant(word) is None


def test_a_family_below_a_base_keeps_its_name() -> None:
    """Pony, Illustrious and NoobAI are sdxl by their tensors."""
    found = [base_meant(word) for word in ("Pony", "Illustrious", "NoobAI")]
    assert [one and one.architecture for one in found] == ["pony", "illustrious", "noobai"]


def test_an_architecture_id_may_name_a_type() -> None:
    """ModelSpec writes it behind a stroke; the variant is that of the model below it."""
    lora, embedding = (
        base_meant("Flux.1-dev/lora"),
        base_meant("stable-diffusion-v1/textual-inversion"),
    )
    assert lora is not None
    assert embedding is not None
    assert (lora.type, lora.variant, embedding.type) == (ModelType.LORA, None, ModelType.EMBEDDING)


def test_a_gguf_word_may_mean_several_bases() -> None:
    """Converters write `lumina2` on Z-Image and `flux` on Chroma."""
    meaning = gguf_meant("lumina2")
    assert meaning is not None
    assert meaning.bases == (BaseModelType.LUMINA_2, BaseModelType.Z_IMAGE)
    assert gguf_meant("llama") is None


def test_types_and_predictions() -> None:
    """What says too little says nothing."""
    assert type_meant("LoCon") is ModelType.LORA
    assert type_meant("Workflows") is None
    assert prediction_meant("v") == "v_prediction"
    assert prediction_meant("x0?") is None
