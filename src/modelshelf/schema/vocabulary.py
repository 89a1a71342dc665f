"""What other programs call the bases and types: their words, and which of ours each one means.

Trainers, web sites and converters name a base in words of their own: `sdxl_base_v1-0`, `SDXL 1.0`,
`stable-diffusion-xl-v1-base`, `stabilityai/stable-diffusion-xl-base-1.0`. All four mean `sdxl`. A word
that is not listed means nothing here: a wrong base is worse than none.

Sources: Civitai's base models (`civitai/civitai` packages/civitai-shared/src/basemodel.constants.ts, 2026),
ModelSpec's and sd-scripts' architecture ids (`kohya-ss/sd-scripts` library/sai_model_spec.py,
`kohya-ss/musubi-tuner`), ai-toolkit's `get_base_model_version`, and repository names of the Hugging Face Hub.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from modelshelf.schema.taxonomy import BaseModelType as Base
from modelshelf.schema.taxonomy import ModelType, ModelVariantType, SchedulerPredictionType

__all__ = ["Meaning", "base_meant", "gguf_meant", "prediction_meant", "type_meant"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one word says about a model; a field it says nothing about is empty."""

    bases: tuple[Base, ...]
    """All bases that the word may stand for."""
    variant: ModelVariantType | None = None
    """None where the word is silent."""
    prediction_type: SchedulerPredictionType | None = None
    """None where the word is silent."""
    architecture: str = ""
    """What is finer than the base, such as `pony`."""
    type: ModelType | None = None
    """What the word adds behind a stroke, as `…/lora` does; else None."""


_LONGEST = 200
"""Characters; a longer text is no name of a base."""
_V = SchedulerPredictionType.V_PREDICTION
_SD = r"(?:sd|stablediffusion)v?"
_XL = r"(?:v?(?:09|10?))?"
_WAN = r"wan(?:video|ai)?"

_WORDS: tuple[tuple[str, Meaning], ...] = (
    (_SD + r"1(?:x|[1-5])?(?:lcm|hyper|base|emaonly|pruned)*", Meaning((Base.SD_1,))),
    (_SD + r"1(?:x|[1-5])?inpaint(?:ing)?", Meaning((Base.SD_1,), ModelVariantType.INPAINT)),
    (r"instructpix2pix", Meaning((Base.SD_1,), ModelVariantType.INSTRUCT)),
    (_SD + r"2(?:x|[01])?(?:512)?(?:base|unclip(?:small)?|turbo|768)?", Meaning((Base.SD_2,))),
    (_SD + r"2(?:[01])?(?:768)?v", Meaning((Base.SD_2,), prediction_type=_V)),
    (_SD + r"2(?:[01])?inpaint(?:ing)?", Meaning((Base.SD_2,), ModelVariantType.INPAINT)),
    (_SD + r"2(?:[01])?depth", Meaning((Base.SD_2,), ModelVariantType.DEPTH)),
    (_SD + r"35?(?:m|medium|l|large|largeturbo|medium(?:amd)?)?", Meaning((Base.SD_3,))),
    (
        _SD + "xl" + _XL + "(?:base)?" + _XL + "(?:lcm|lightning|hyper|turbo|distilled|vpred)*",
        Meaning((Base.SDXL,)),
    ),
    (
        r"(?:sd|stablediffusion)xl(?:v?1|10)?inpaint(?:ing)?(?:01)?",
        Meaning((Base.SDXL,), ModelVariantType.INPAINT),
    ),
    (r"(?:sd|stablediffusion)xl(?:v?1|v?10)?refiner(?:v?(?:1|10))?", Meaning((Base.SDXL_REFINER,))),
    (r"(?:sdxl)?pony(?:diffusion)?(?:xl|v6|v6xl|sdxl)?", Meaning((Base.SDXL,), architecture="pony")),
    (
        r"(?:sdxl)?illustrious(?:xl)?(?:v?[0-3][0-9]?|earlyreleasev0)?",
        Meaning((Base.SDXL,), architecture="illustrious"),
    ),
    (
        r"(?:sdxl)?noobai?(?:xl)?(?:v?[0-9]{1,2})?(?:eps|epsilon)?",
        Meaning((Base.SDXL,), architecture="noobai"),
    ),
    (
        r"(?:sdxl)?noobai?(?:xl)?(?:v?[0-9]{1,2})?vpred(?:[0-9]{1,2})?",
        Meaning((Base.SDXL,), prediction_type=_V, architecture="noobai"),
    ),
    (r"playgroundv2(?:1024pxaesthetic)?", Meaning((Base.SDXL,), architecture="playground-v2")),
    (
        r"playgroundv25(?:1024pxaesthetic)?",
        Meaning(
            (Base.SDXL,),
            prediction_type=SchedulerPredictionType.EDM,
            architecture="playground-v2.5",
        ),
    ),
    (r"s(?:table)?cascade(?:v1)?(?:stagec)?", Meaning((Base.STABLE_CASCADE,))),
    (r"(?:svd|stablevideodiffusion)(?:img2vid)?(?:xt)?(?:11)?", Meaning((Base.SVD,))),
    (r"kolors", Meaning((Base.KOLORS,))),
    (r"pixart(?:a|e|alpha|sigma)?(?:xl2?)?(?:[0-9]{3,4}ms?)?", Meaning((Base.PIXART,))),
    (r"sana(?:sprint)?(?:[0-9]{1,4}[mb])?(?:[0-9]{3,4}px)?", Meaning((Base.SANA,))),
    # No bases of ours, and their adapters look like those of one: whoever names them says that they are not.
    (r"sanavideo(?:[0-9]b)?(?:[0-9]{3,4}p)?", Meaning((Base.UNKNOWN,), architecture="sana-video")),
    (r"sanawm(?:[0-9]b)?", Meaning((Base.UNKNOWN,), architecture="sana-wm")),
    (r"easyanimate(?:v?[1-9][0-9]?)?(?:[0-9]{1,2}b)?(?:zh)?(?:inp|control(?:camera)?)?",
     Meaning((Base.UNKNOWN,), architecture="easyanimate")),
    (r"consisid(?:preview)?", Meaning((Base.UNKNOWN,), architecture="consisid")),
    (r"helios(?:14b)?(?:base|mid|distilled)?", Meaning((Base.UNKNOWN,), architecture="helios")),
    (r"anyflow(?:far)?(?:wan(?:21|22)?)?(?:[ti]2v)?(?:14b|13b)?",
     Meaning((Base.UNKNOWN,), architecture="anyflow")),
    (r"latte(?:1|t2v)?", Meaning((Base.UNKNOWN,), architecture="latte")),
    (r"ditxl2?(?:256|512)?", Meaning((Base.UNKNOWN,), architecture="dit")),
    (r"motifvideo(?:[0-9]b)?", Meaning((Base.UNKNOWN,), architecture="motif-video")),
    (r"stableaudio(?:open)?(?:10|small)?", Meaning((Base.UNKNOWN,), architecture="stable-audio")),
    (r"joyimage(?:edit)?(?:plus)?", Meaning((Base.UNKNOWN,), architecture="joyimage")),
    (r"ovi(?:v?1[01])?", Meaning((Base.UNKNOWN,), architecture="ovi")),
    (r"(?:modelscope)?texttovideoms17b(?:legacy)?|modelscopet2v|zeroscope(?:v?[12](?:[0-9]{3}w|xl)?)?",
     Meaning((Base.UNKNOWN,), architecture="modelscope-t2v")),
    (r"i2vgenxl", Meaning((Base.UNKNOWN,), architecture="i2vgen-xl")),
    (r"(?:hunyuan1|hunyuandit(?:v1[12]?|12)?(?:distilled)?|hydit1?)", Meaning((Base.HUNYUAN_DIT,))),
    (r"hunyuanimage21?", Meaning((Base.HUNYUAN_IMAGE,))),
    (r"(?:hunyuanvideo(?:t2v|i2v)?|hyvid|hyv1)", Meaning((Base.HUNYUAN_VIDEO,))),
    (r"hunyuanvideo15", Meaning((Base.HUNYUAN_VIDEO_1_5,))),
    (r"framepack(?:f1)?", Meaning((Base.FRAMEPACK,))),
    (r"flux(?:1|v1)?", Meaning((Base.FLUX,))),
    (r"flux1?(?:d|dev)", Meaning((Base.FLUX,), ModelVariantType.DEV)),
    (r"flux1?(?:s|schnell)", Meaning((Base.FLUX,), ModelVariantType.SCHNELL)),
    (r"flux1?fill(?:dev)?", Meaning((Base.FLUX,), ModelVariantType.DEV_FILL)),
    (r"flux1?(?:canny|depth)(?:dev)?", Meaning((Base.FLUX,), ModelVariantType.DEV_CONTROL)),
    (r"flux1?krea(?:dev)?", Meaning((Base.FLUX,), architecture="flux-krea")),
    (r"flux1?kontext(?:dev)?", Meaning((Base.FLUX,), architecture="flux-kontext")),
    (r"flux2(?:d|dev)?", Meaning((Base.FLUX_2,))),
    (r"flux2klein(?:base)?4b(?:base)?", Meaning((Base.FLUX_2,), ModelVariantType.KLEIN_4B)),
    (r"flux2klein(?:base)?9b(?:base)?", Meaning((Base.FLUX_2,), ModelVariantType.KLEIN_9B)),
    (r"(?:flux1?)?chroma(?:1)?(?:hd|base|flash)?", Meaning((Base.CHROMA,))),
    (r"auraflow(?:v?0[0-9])?", Meaning((Base.AURAFLOW,))),
    (r"ponyv7(?:base)?", Meaning((Base.AURAFLOW,), architecture="pony-v7")),
    (r"lumina", Meaning((Base.LUMINA, Base.LUMINA_2))),
    (r"lumina(?:image)?(?:2|20)", Meaning((Base.LUMINA_2,))),
    (r"zimage(?:turbo|base|deturbo)?", Meaning((Base.Z_IMAGE,))),
    (r"omnigen(?:2|v2)", Meaning((Base.OMNIGEN_2,))),
    (r"qwen(?:image)?(?:2512)?", Meaning((Base.QWEN_IMAGE,))),
    (r"qwenimageedit(?:plus|25[0-9]{2})?", Meaning((Base.QWEN_IMAGE,))),
    (r"qwenimagelayered", Meaning((Base.QWEN_IMAGE,), ModelVariantType.LAYERED)),
    (r"cogview4(?:6b)?", Meaning((Base.COGVIEW_4,))),
    (r"cogvideox(?:15)?(?:[25]b)?(?:i2v)?", Meaning((Base.COGVIDEOX,))),
    (r"hidream(?:i1)?(?:full|dev|fast)?", Meaning((Base.HIDREAM,))),
    (r"kandinsky2[012]?(?:decoder|prior)?", Meaning((Base.KANDINSKY_2,))),
    (r"kandinsky5(?:0)?", Meaning((Base.KANDINSKY_5,))),
    (r"ltx(?:v|video)?(?:2|23|09[0-9]?)?", Meaning((Base.LTX_VIDEO,))),
    (_WAN + r"(?:2[12])?(?:5b|14b|13b|a14b)?", Meaning((Base.WAN,))),
    (_WAN + r"(?:2[12])?(?:(?:a?14b|13b)t2v|t2v(?:a?14b|13b)?)", Meaning((Base.WAN,), ModelVariantType.T2V)),
    (
        _WAN + r"(?:2[12])?(?:14bi2v|i2v(?:a?14b)?)(?:480p|720p)?",
        Meaning((Base.WAN,), ModelVariantType.I2V),
    ),
    (_WAN + r"22ti2v5b", Meaning((Base.WAN,), architecture="wan-2.2-ti2v-5b")),
    (_WAN + r"21vace(?:13b|14b)", Meaning((Base.WAN,), ModelVariantType.VACE)),
    (r"cosmos(?:predict)?(?:1|2)(?:[27]b|14b)?(?:t2i|text2image|video2world)?", Meaning((Base.COSMOS,))),
    (r"anima(?:preview|base)?[0-9]*", Meaning((Base.ANIMA,))),
    (r"mochi(?:1)?(?:preview)?", Meaning((Base.MOCHI,))),
    (r"krea2(?:raw|turbo)?", Meaning((Base.KREA_2,))),
    (r"ideogram4(?:0)?", Meaning((Base.IDEOGRAM_4,))),
    (r"ernie(?:image)?(?:turbo)?", Meaning((Base.ERNIE_IMAGE,))),
    (r"boogu(?:image)?", Meaning((Base.BOOGU,))),
    (r"minimaxh3", Meaning((Base.MINIMAX_H3,))),
)  # fmt: skip
"""A name without its case, blanks and punctuation → what it means. No name fits two."""

_PUNCTUATION = re.compile(r"[^a-z0-9]+")
_TYPE_SUFFIXES: Mapping[str, ModelType] = {
    "lora": ModelType.LORA,
    "textual-inversion": ModelType.EMBEDDING,
    "controlnet": ModelType.CONTROLNET,
    "control-lora": ModelType.CONTROL_LORA,
    "vae": ModelType.VAE,
}
"""What ModelSpec writes behind the architecture's stroke."""
_TYPES: Mapping[str, ModelType] = {
    "lora": ModelType.LORA,
    "vae": ModelType.VAE,
    "checkpoint": ModelType.MAIN,
    "diffusion_model": ModelType.MAIN,
    "locon": ModelType.LORA,
    "dora": ModelType.LORA,
    "lycoris": ModelType.LORA,
    "textualinversion": ModelType.EMBEDDING,
    "embedding": ModelType.EMBEDDING,
    "motionmodule": ModelType.MOTION_ADAPTER,
    "upscaler": ModelType.SPANDREL_IMAGE_TO_IMAGE,
}
"""Civitai's and the sidecars' types in lower case. Those that say too little are left out: a Controlnet
there may be a T2I adapter or a LoRA."""
_PREDICTIONS: Mapping[str, SchedulerPredictionType] = {
    "epsilon": SchedulerPredictionType.EPSILON,
    "eps": SchedulerPredictionType.EPSILON,
    "v": _V,
    "v_prediction": _V,
    "v-prediction": _V,
    "vpred": _V,
    "sample": SchedulerPredictionType.SAMPLE,
    "edm": SchedulerPredictionType.EDM,
    "flow": SchedulerPredictionType.FLOW,
    "flow_prediction": SchedulerPredictionType.FLOW,
}
_GGUF: Mapping[str, tuple[Base, ...]] = {
    "sd1": (Base.SD_1,),
    "sdxl": (Base.SDXL,),
    "sd3": (Base.SD_3,),
    "flux": (Base.FLUX, Base.FLUX_2, Base.CHROMA),
    "aura": (Base.AURAFLOW,),
    "hidream": (Base.HIDREAM,),
    "cosmos": (Base.COSMOS, Base.ANIMA),
    "ltxv": (Base.LTX_VIDEO,),
    "hyvid": (Base.HUNYUAN_VIDEO, Base.HUNYUAN_VIDEO_1_5, Base.HUNYUAN_IMAGE, Base.FRAMEPACK),
    "wan": (Base.WAN,),
    "lumina2": (Base.LUMINA_2, Base.Z_IMAGE),
    "qwen_image": (Base.QWEN_IMAGE,),
}
"""`general.architecture`, and every base under whose files writers have put it."""


@lru_cache(maxsize=1024)
def base_meant(words: str) -> Meaning | None:
    """Say which base *words* name, whoever wrote them.

    Case, blanks and punctuation do not count, nor does what a repository id has before its stroke;
    behind the last stroke may stand a type, as ModelSpec writes it.

    Args:
        words: A base model's name, an architecture id, a repository id. Untrusted text.

    Returns:
        What is meant; None where the words are not known, or name a model that is no base.

    Example:
        >>> [str(base_meant(each).bases[0]) for each in ("SDXL 1.0", "sdxl_base_v1-0", "Flux.1 D")]
        ['sdxl', 'sdxl', 'flux']
        >>> base_meant("Pony").architecture, base_meant("stable-diffusion-v1/lora").type.value
        ('pony', 'lora')
        >>> base_meant("Qwen 3") is None
        True
    """
    if len(words) > _LONGEST:
        return None
    name, _, suffix = words.strip().rpartition("/")
    adapted = _TYPE_SUFFIXES.get(suffix.lower()) if name else None
    last = name.rpartition("/")[2] if adapted else suffix
    compact = _PUNCTUATION.sub("", last.lower()).removesuffix("diffusers")
    found = _compiled().fullmatch(compact)
    if found is None or found.lastindex is None:
        return None
    return _with_type(_WORDS[found.lastindex - 1][1], adapted)


@cache
def _compiled() -> re.Pattern[str]:
    """Return all words as one pattern, with a group for each."""
    # Not at once: most models are looked at without anybody's words.
    return re.compile("|".join(f"({pattern})" for pattern, _ in _WORDS))


def _with_type(meaning: Meaning, adapted: ModelType | None) -> Meaning:
    if adapted is None:
        return meaning
    # The variant is that of the model that was trained on; an adapter of it has none.
    return Meaning(
        meaning.bases,
        None,
        meaning.prediction_type,
        meaning.architecture,
        adapted,
    )


def gguf_meant(architecture: str) -> Meaning | None:
    """Say which bases a GGUF file's `general.architecture` leaves possible; None for any other word.

    Converters reuse an id for related families, so a word may mean several bases.
    """
    bases = _GGUF.get(architecture)
    return None if bases is None else Meaning(bases)


def type_meant(word: str) -> ModelType | None:
    """Say which type of ours Civitai's or a sidecar's *word* is; None where it says too little."""
    return _TYPES.get(word.strip().lower())


def prediction_meant(word: str) -> SchedulerPredictionType | None:
    """Say which prediction type *word* is, as ModelSpec and schedulers write it; None if no one."""
    return _PREDICTIONS.get(word.strip().lower())
