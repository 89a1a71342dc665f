"""What each text or vision encoder is: its tensors, type, base and architecture."""

from __future__ import annotations

from tests.unit.identify.layouts import Shapes, prefixed
from tests.unit.identify.parts import encoder_layouts as layouts

__all__ = ["ENCODERS", "LANGUAGE_MODELS"]

Answer = tuple[Shapes, str, str, str]
"""Tensors, type, base, architecture."""

LANGUAGE_MODELS: dict[str, tuple[tuple[int, int, int, int, int], str]] = {
    "qwen2.5-7b": ((3584, 28, 152064, 18944, 512), "bias"),
    "qwen2.5-3b": ((2048, 36, 151936, 11008, 256), "bias"),
    "qwen3-0.6b": ((1024, 28, 151936, 3072, 1024), "norm"),
    "qwen3-embedding-0.6b": ((1024, 28, 151669, 3072, 1024), "norm"),
    "qwen3-embedding-4b": ((2560, 36, 151665, 9728, 1024), "norm"),
    "qwen3-embedding-8b": ((4096, 36, 151665, 12288, 1024), "norm"),
    "qwen3-1.7b": ((2048, 28, 151936, 6144, 1024), "norm"),
    "qwen3-4b": ((2560, 36, 151936, 9728, 1024), "norm"),
    "qwen3-8b": ((4096, 36, 151936, 12288, 1024), "norm"),
    "qwen3-14b": ((5120, 40, 151936, 17408, 1024), "norm"),
    "qwen3-32b": ((5120, 64, 151936, 25600, 1024), "norm"),
    "mistral-small-24b": ((5120, 40, 131072, 32768, 1024), ""),
    "mistral-nemo-12b": ((5120, 40, 131072, 14336, 1024), ""),
    "gemma-2b": ((2048, 18, 256000, 16384, 256), ""),
    "gemma-2-2b": ((2304, 26, 256000, 9216, 1024), "four"),
    "gemma-3-1b": ((1152, 26, 262144, 6912, 256), "norm four"),
    "gemma-3-4b": ((2560, 34, 262208, 10240, 1024), "norm four"),
    "gemma-3-12b": ((3840, 48, 262208, 15360, 2048), "norm four"),
    "llama-3.1-8b": ((4096, 32, 128256, 14336, 1024), ""),
    "llama-3.2-1b": ((2048, 16, 128256, 8192, 512), ""),
    "smollm3-3b": ((2048, 36, 128256, 11008, 512), ""),
    "ministral-3-3b": ((3072, 26, 131072, 9216, 1024), ""),
    "llava-llama-3-8b": ((4096, 32, 128320, 14336, 1024), ""),
}
"""Name → (width, layers, vocabulary, gate, keys), and what its blocks have besides."""

_WITH_VISION = {
    "qwen2-vl-7b": ("qwen2.5-7b", "visual.blocks.0.mlp.fc1.weight"),
    "qwen2.5-vl-7b": ("qwen2.5-7b", "visual.blocks.0.attn.qkv.weight"),
    "qwen2.5-vl-3b": ("qwen2.5-3b", "visual.blocks.0.attn.qkv.weight"),
    "qwen3-vl-4b": ("qwen3-4b", "visual.deepstack_merger_list.0.norm.weight"),
    "qwen3-vl-8b": ("qwen3-8b", "visual.deepstack_merger_list.0.norm.weight"),
}
_CLIP = (("clip-l", 768, 12, "any"), ("clip-h", 1024, 24, "sd-2"), ("clip-g", 1280, 32, "any"))
_T5 = (
    ("t5-v1.1-xxl", 4096, 24, 32128, 1),
    ("t5-v1.1-xl", 2048, 24, 32128, 1),
    ("umt5-xxl", 4096, 24, 256384, 24),
    ("mt5-xl", 2048, 24, 250112, 1),
    ("pile-t5-xl", 2048, 24, 32128, 24),
)

ENCODERS: dict[str, Answer] = {
    **{
        f"{name} {naming}": (layouts.clip_text(width, layers, naming), "clip_embed", base, name)
        for name, width, layers, base in _CLIP
        for naming in ("transformers", "novelai", "open-clip")
    },
    "gemma-4-12b gguf": (
        {"token_embd.weight": (262144, 3840), "output_norm.weight": (3840,)}
        | {f"blk.{n}.layer_output_scale.weight": (1,) for n in range(48)}
        | {f"blk.{n}.ffn_gate.weight": (15360, 3840) for n in range(48)},
        "text_encoder",
        "any",
        "gemma-4-12b",
    ),
    **{
        f"gemma-4-12b {prefix or 'as LTX 2.5 ships it'}": (
            {f"{prefix}embed_tokens.weight": (262144, 3840), f"{prefix}norm.weight": (3840,)}
            | {f"{prefix}layers.{n}.layer_scalar": (1,) for n in range(48)}
            | {f"{prefix}layers.{n}.mlp.gate_proj.weight": (15360, 3840) for n in range(48)}
            | {"audio_projector.embedding_projection.weight": (3840, 640)},
            "text_encoder",
            "any",
            "gemma-4-12b",
        )
        for prefix in ("", "language_model.")
    },
    "clip-l and clip-g": (
        prefixed("text_encoder.", layouts.clip_text(768, 12))
        | prefixed("text_encoder_2.", layouts.clip_text(1280, 32)),
        "clip_embed",
        "sdxl|sd-3",
        "",
    ),
    "both halves of clip-l": (
        layouts.clip_text(768, 12) | layouts.vision(1024, 24),
        "clip_embed",
        "any",
        "clip-l",
    ),
    "both halves of clip-g": (
        layouts.clip_text(1280, 32, "open-clip") | layouts.open_clip_vision(1664, 48),
        "clip_embed",
        "any",
        "clip-g",
    ),
    **{
        f"both halves of clip-h {naming}": (halves, "clip_vision", "any", "clip-vision-h")
        for naming, halves in (
            ("transformers", layouts.clip_text(1024, 24) | layouts.vision(1280, 32)),
            (
                "open-clip",
                layouts.clip_text(1024, 24, "open-clip") | layouts.open_clip_vision(1280, 32),
            ),
        )
    },
    "safety checker": (
        layouts.vision(1024, 24, start="vision_model.vision_model.")
        | {
            "visual_projection.weight": (768, 1024),
            "concept_embeds": (17, 768),
            "special_care_embeds": (3, 768),
        },
        "safety_checker",
        "any",
        "",
    ),
    "clip-h without its last layer": (
        layouts.clip_text(1024, 23),
        "clip_embed",
        "sd-2",
        "clip-h",
    ),
    **{
        f"{name} {naming}": (
            layouts.t5_encoder(width, layers, vocabulary, naming=naming, biases=biases),
            "t5_encoder",
            "any",
            name,
        )
        for name, width, layers, vocabulary, biases in _T5
        for naming in ("transformers", "gguf", "wan")
        if naming != "wan" or biases > 1
    },
    **{
        f"{name} {naming} with its decoder": (
            layouts.t5_encoder(width, layers, vocabulary, naming=naming, biases=biases)
            | layouts.t5_decoder(width, layers, naming),
            "t5_encoder",
            "any",
            name,
        )
        for name, width, layers, vocabulary, biases in (_T5[0], _T5[2])
        for naming in ("transformers", "gguf")
    },
    "byt5": (layouts.t5_encoder(1472, 12, 1510), "t5_encoder", "any", "byt5-small"),
    "byt5 gguf": (
        layouts.t5_encoder(1472, 12, 384, naming="gguf"),
        "t5_encoder",
        "any",
        "byt5-small",
    ),
    "t5 of another size": (layouts.t5_encoder(1536, 8, 5000), "t5_encoder", "any", ""),
    **{
        f"{name} {naming.strip('.')}": (
            layouts.language_model(sizes, extras, naming=naming),
            "text_encoder",
            "any",
            name,
        )
        for name, (sizes, extras) in LANGUAGE_MODELS.items()
        for naming in ("model.", "", "model.language_model.", "language_model.model.", "gguf")
    },
    **{
        name: (
            layouts.language_model(
                *LANGUAGE_MODELS[language], naming="model.language_model.", visual=f"model.{visual}"
            ),
            "text_encoder",
            "any",
            name,
        )
        for name, (language, visual) in _WITH_VISION.items()
    },
    "mistral-small without its last layers": (
        layouts.language_model((5120, 30, 131072, 32768, 1024)),
        "text_encoder",
        "any",
        "mistral-small-24b",
    ),
    "qwen3-vl of another size": (
        layouts.language_model(
            (3000, 50, 151936, 9000, 1024),
            "norm",
            naming="model.language_model.",
            visual="model.visual.deepstack_merger_list.0.norm.weight",
        ),
        "text_encoder",
        "any",
        "qwen3-vl",
    ),
    "a language model with all that is shipped with one": (
        layouts.language_model(
            *LANGUAGE_MODELS["gemma-3-12b"],
            naming="model.",
            visual="vision_model.encoder.layers.0.mlp.fc1.weight",
        )
        | {
            "model.norm.weight": (3840,),
            "lm_head.weight": (262208, 3840),
            "multi_modal_projector.mm_input_projection_weight": (1152, 3840),
            "text_embedding_projection.aggregate_embed.weight": (3840, 188160),
            "spiece_model": (4689074,),
        },
        "text_encoder",
        "any",
        "gemma-3-12b",
    ),
    **{
        f"t5-11b {naming}": (layouts.t5_11b(naming), "t5_encoder", "any", "t5-11b")
        for naming in ("transformers", "gguf")
    },
    "ul2": (layouts.ul2(), "t5_encoder", "any", "ul2"),
    **{
        f"{name} {naming}": (
            layouts.qwen_3_5(width, layers, naming),
            "text_encoder",
            "any",
            name,
        )
        for name, width, layers in (("qwen3.5-2b", 2048, 24), ("qwen3.5-4b", 2560, 32))
        for naming in ("model.", "model.language_model.")
    },
    **{
        name: (
            layouts.gemma_4(width, layers, gate, "model.language_model."),
            "text_encoder",
            "any",
            name,
        )
        for name, width, layers, gate in (
            ("gemma-4-e2b", 1536, 35, 6144),
            ("gemma-4-e4b", 2560, 42, 10240),
            ("gemma-4-31b", 5376, 60, 21504),
        )
    },
    "gpt-oss-20b": (layouts.gpt_oss(), "text_encoder", "any", "gpt-oss-20b"),
    **{
        f"{name} {start}": (layouts.t5_gemma(width, layers, start), "text_encoder", "any", name)
        for name, width, layers in (("t5gemma-b-b", 768, 12), ("t5gemma-2b-2b", 2304, 26))
        for start in ("encoder.", "model.encoder.")
    },
    "t5gemma-2": (
        layouts.t5_gemma(1152, 26, "text_model.")
        | {"text_model.embed_tokens.eoi_embedding": (1152,)}
        | {f"text_model.layers.{n}.self_attn.k_norm.weight": (256,) for n in range(26)},
        "text_encoder",
        "any",
        "t5gemma-2",
    ),
    "jina-clip-v2": (layouts.jina_clip(), "text_encoder", "any", "jina-clip-v2"),
    "m-clip": (layouts.m_clip(), "text_encoder", "any", "m-clip-xlm-roberta-large"),
    "minimax-h3's qwen3-vl-32b": (
        layouts.language_model(
            (5120, 50, 151936, 25600, 1024),
            "norm",
            naming="model.",
            visual="visual.deepstack_merger_list.0.norm.weight",
        ),
        "text_encoder",
        "any",
        "qwen3-vl-32b",
    ),
    "glm-4-9b": (layouts.glm_4(), "text_encoder", "any", "glm-4-9b"),
    "chatglm3-6b": (layouts.chatglm_3(), "text_encoder", "any", "chatglm3-6b"),
    **{
        f"{name} {start or 'bare'}": (
            layouts.vision(width, layers, start=start, is_siglip="siglip" in name),
            "clip_vision",
            "any",
            name,
        )
        for name, width, layers in (
            ("clip-vision-l", 1024, 24),
            ("clip-vision-h", 1280, 32),
            ("clip-vision-bigg", 1664, 48),
            ("siglip-large", 1024, 24),
            ("siglip-so400m", 1152, 27),
        )
        for start in ("vision_model.", "")
    },
    **{
        f"all of {name} {'as patches' if is_flat else ''}": (
            layouts.siglip(width, layers, is_flat=is_flat),
            "clip_vision",
            "any",
            name,
        )
        for name, width, layers in (
            ("siglip-base", 768, 12),
            ("siglip-so400m", 1152, 27),
            ("siglip-giant", 1536, 40),
        )
        for is_flat in (False, True)
    },
    **{
        f"all of {name}": (
            layouts.vision(width, layers, start="vision_model.") | layouts.clip_text(text, depth),
            "clip_vision",
            "any",
            name,
        )
        for name, width, layers, text, depth in (
            ("clip-vision-b", 768, 12, 512, 12),
            ("clip-vision-h", 1280, 32, 1024, 24),
        )
    },
    "all of clip-vision-b in open clip": (
        layouts.open_clip_vision(768, 12) | layouts.clip_text(512, 12, "open-clip"),
        "clip_vision",
        "any",
        "clip-vision-b",
    ),
    "clip-vision-h open clip": (
        layouts.open_clip_vision(1280, 32),
        "clip_vision",
        "any",
        "clip-vision-h",
    ),
    "clip-vision-h of wan": (layouts.wan_vision(), "clip_vision", "any", "clip-vision-h"),
    **{
        f"hunyuan-dit's clip {start or 'bare'}": (
            layouts.bert(start),
            "text_encoder",
            "any",
            "hunyuan-dit-clip",
        )
        for start in ("bert.", "")
    },
    "redux": (
        {"redux_up.weight": (12288, 1152), "redux_down.weight": (4096, 12288)},
        "flux_redux",
        "flux",
        "",
    ),
}
"""What it is → its tensors, type, base and architecture."""
