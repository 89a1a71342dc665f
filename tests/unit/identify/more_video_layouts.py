"""The rest of `video_layouts`: Cosmos, Kandinsky, MiniMax, LongCat, SVD, AnimateDiff."""

from __future__ import annotations

from tests.unit.identify.layouts import SD_1, SD_2, Shapes, diffusers_unet, ldm_unet, prefixed
from tests.unit.identify.other_video_layouts import attention
from tests.unit.identify.video_layouts import (
    HEAD,
    feed_forward,
    layer,
    norm,
    pair,
    renamed,
    repeat,
    stack,
)


def _unbiased(shapes: Shapes) -> Shapes:
    return {name: shape for name, shape in shapes.items() if not name.endswith(".bias")}


def cosmos_diffusers(
    width: int, blocks: int, *, inputs: int = 68, has_positions: bool = False, head: int = HEAD
) -> Shapes:
    """Cosmos 1 (with positions) and Predict2 (without) in diffusers' names; nothing has a bias."""
    block = stack(
        *(layer(f"norm{n}.linear_1", 256, width) for n in (1, 2, 3)),
        *(layer(f"norm{n}.linear_2", 3 * width, 256) for n in (1, 2, 3)),
        attention("attn1", width, norms=head),
        attention("attn2", width, norms=head, context=1024),
        feed_forward("ff", width, 4 * width),
    )
    found = stack(
        layer("patch_embed.proj", width, inputs),
        layer("time_embed.t_embedder.linear_1", width, width),
        layer("time_embed.t_embedder.linear_2", 3 * width, width),
        norm("time_embed.norm", width),
        repeat("transformer_blocks", blocks, block),
        layer("norm_out.linear_1", 256, width),
        layer("norm_out.linear_2", 2 * width, 256),
        layer("proj_out", 64, width),
    )
    if has_positions:
        for axis, length in (("t", 128), ("h", 120), ("w", 120)):
            found[f"learnable_pos_embed.pos_emb_{axis}"] = (length, width)
    return _unbiased(found)


COSMOS_1_7B, COSMOS_1_14B = (4096, 28), (5120, 36)
COSMOS_2_06B, COSMOS_2_2B, COSMOS_2_14B = (1280, 20), (2048, 28), (5120, 36)


def cosmos_1(shapes: Shapes) -> Shapes:
    """Cosmos 1 in NVIDIA's names, which number blocks in words."""
    names = tuple(
        (f".{inner}", f".blocks.{n}.{name}")
        for n, attn in enumerate(("attn1", "attn2", "ff"))
        for inner, name in (
            (f"norm{n + 1}.linear_", "adaLN_modulation."),
            (f"{attn}.", "block." if attn == "ff" else "block.attn."),
        )
    )
    ends = (
        ("transformer_blocks.", "blocks.block"),
        ("to_q.", "to_q.0."),
        ("to_k.", "to_k.0."),
        ("to_v.", "to_v.0."),
        ("norm_q", "to_q.1"),
        ("norm_k", "to_k.1"),
        ("net.0.proj", "layer1"),
        ("net.2", "layer2"),
        ("patch_embed.proj", "x_embedder.proj.1"),
        ("learnable_pos_embed", "extra_pos_embedder"),
        ("time_embed.t_embedder", "t_embedder.1"),
        ("time_embed.norm", "affline_norm"),
        ("norm_out.linear_", "final_layer.adaLN_modulation."),
        ("proj_out", "final_layer.linear"),
    )
    return prefixed("net.", renamed(shapes, (*names, *ends)))


def cosmos_2(shapes: Shapes) -> Shapes:
    """Predict2 in NVIDIA's names."""
    names = (
        ("transformer_blocks", "blocks"),
        ("norm1.linear_", "adaln_modulation_self_attn."),
        ("norm2.linear_", "adaln_modulation_cross_attn."),
        ("norm3.linear_", "adaln_modulation_mlp."),
        ("to_out.0", "output_proj"),
        ("to_q", "q_proj"),
        ("to_k", "k_proj"),
        ("to_v", "v_proj"),
        ("norm_q", "q_norm"),
        ("norm_k", "k_norm"),
        ("attn1", "self_attn"),
        ("attn2", "cross_attn"),
        ("ff.net.0.proj", "mlp.layer1"),
        ("ff.net.2", "mlp.layer2"),
        ("patch_embed.proj", "x_embedder.proj.1"),
        ("time_embed.t_embedder", "t_embedder.1"),
        ("time_embed.norm", "t_embedding_norm"),
        ("norm_out.linear_", "final_layer.adaln_modulation."),
        ("proj_out", "final_layer.linear"),
    )
    return prefixed("net.", renamed(shapes, names))


def cosmos_transfer() -> Shapes:
    """Transfer2.5 in NVIDIA's names: Predict2.5, and the same blocks again for a control."""
    width, _ = COSMOS_2_2B
    base = cosmos_diffusers(*COSMOS_2_2B, inputs=72)
    control = {
        name.replace("transformer_blocks", "control_blocks"): shape
        for name, shape in cosmos_diffusers(width, 4).items()
        if name.startswith("transformer_blocks")
    }
    named = cosmos_2(base | layer("crossattn_proj.0", 1024, 100352) | control)
    return stack(
        named,
        layer("net.control_embedder.proj.1", width, 520),
        layer("net.control_blocks.0.before_proj", width, width),
        *(layer(f"net.control_blocks.{number}.after_proj", width, width) for number in range(4)),
    )


def kandinsky_5(
    width: int, blocks: int, *, texts: int = 2, time: int = 512, head: int = 64, inputs: int = 132
) -> Shapes:
    """Kandinsky 5, in the one way of naming that it has."""

    def attend(name: str) -> Shapes:
        inner = (f"{name}.to_{one}" for one in ("query", "key", "value"))
        return stack(
            *(layer(one, width, width) for one in (*inner, f"{name}.out_layer")),
            norm(f"{name}.query_norm", head),
            norm(f"{name}.key_norm", head),
        )

    def block(kind: str, modulations: int, *attentions: str) -> Shapes:
        return stack(
            layer(f"{kind}_modulation.out_layer", modulations * width, time),
            *(attend(one) for one in attentions),
            layer("feed_forward.in_layer", 4 * width, width, bias=False),
            layer("feed_forward.out_layer", width, 4 * width, bias=False),
        )

    return stack(
        layer("time_embeddings.in_layer", time, width),
        layer("time_embeddings.out_layer", time, time),
        layer("text_embeddings.in_layer", width, 3584),
        norm("text_embeddings.norm", width, bias=True),
        layer("pooled_text_embeddings.in_layer", time, 768),
        norm("pooled_text_embeddings.norm", time, bias=True),
        layer("visual_embeddings.in_layer", width, inputs),
        repeat("text_transformer_blocks", texts, block("text", 6, "self_attention")),
        repeat(
            "visual_transformer_blocks",
            blocks,
            block("visual", 9, "self_attention", "cross_attention"),
        ),
        layer("out_layer.modulation.out_layer", 2 * width, time),
        layer("out_layer.out_layer", 64, width),
    )


def minimax_h3() -> Shapes:
    """MiniMax-H3 as it was published."""
    width, inner, ffn, time = 5376, 7168, 14336, 2688

    block = stack(
        norm("norm1", width),
        norm("norm2", width),
        layer("attn.qkv_proj", 3 * inner, width, bias=False),
        norm("attn.q_norm", HEAD),
        norm("attn.k_norm", HEAD),
        layer("attn.out_proj", width, inner, bias=False),
        layer("mlp.fc1", 2 * ffn, width, bias=False),
        layer("mlp.fc2", width, ffn, bias=False),
    )
    return stack(
        layer("video_patch_proj", width, 96),
        layer("audio_patch_proj", width, 32),
        layer("condition_proj", width, 5120),
        layer("time_embedder.proj_in", width, 256),
        layer("time_embedder.proj_out", time, width),
        {"rope.inv_freq": (16,)},
        repeat("token_refiner.blocks", 2, block),
        norm("token_refiner.final_norm", width),
        repeat("blocks", 50, block | layer("adaln_proj.linear", 18 * width, time)),
        norm("final_layer.norm", width),
        layer("final_layer.adaln_proj.linear", 4 * width // 2, time),
        layer("final_layer.video_out", 96, width),
        layer("final_layer.audio_out", 32, width),
    )


def minimax_h3_diffusers() -> Shapes:
    """MiniMax-H3 in diffusers' names, which split what is fused."""
    found: Shapes = {}
    names = (
        ("token_refiner.blocks", "token_refiner.refiner_blocks"),
        ("video_patch_proj", "proj_in"),
        ("audio_patch_proj", "audio_proj_in"),
        ("condition_proj", "context_embedder"),
        ("time_embedder.proj_in", "time_embedder.linear_1"),
        ("time_embedder.proj_out", "time_embedder.linear_2"),
        ("q_norm", "norm_q"),
        ("k_norm", "norm_k"),
        ("out_proj", "to_out.0"),
        ("mlp.fc1", "ff.net.0.proj"),
        ("mlp.fc2", "ff.net.2"),
        ("final_layer.norm", "norm_out.norm"),
        ("final_layer.adaln_proj.linear", "norm_out.linear"),
        ("final_layer.video_out", "proj_out"),
        ("final_layer.audio_out", "audio_proj_out"),
    )
    for name, shape in renamed(minimax_h3(), names).items():
        own = f"transformer_{name}" if name.startswith("blocks.") else name
        if own == "rope.inv_freq":
            continue
        if "qkv_proj" not in own:
            found[own] = shape
            continue
        for one in "qkv":
            found[own.replace("qkv_proj", f"to_{one}")] = (shape[0] // 3, shape[1])
    return found


def longcat_video() -> Shapes:
    """LongCat-Video's transformer."""
    width, ffn = 4096, 11008
    block = stack(
        layer("adaLN_modulation.1", 6 * width, 512),
        norm("pre_crs_attn_norm", width, bias=True),
        layer("attn.qkv", 3 * width, width),
        layer("attn.proj", width, width),
        layer("cross_attn.q_linear", width, width),
        layer("cross_attn.kv_linear", 2 * width, width),
        layer("cross_attn.proj", width, width),
        *(norm(f"{a}.{b}_norm", HEAD) for a in ("attn", "cross_attn") for b in "qk"),
        layer("ffn.w1", ffn, width, bias=False),
        layer("ffn.w2", width, ffn, bias=False),
        layer("ffn.w3", ffn, width, bias=False),
    )
    return stack(
        layer("x_embedder.proj", width, 16, 1, 2, 2),
        layer("t_embedder.mlp.0", 512, 256),
        layer("t_embedder.mlp.2", 512, 512),
        layer("y_embedder.y_proj.0", width, width),
        layer("y_embedder.y_proj.2", width, width),
        repeat("blocks", 48, block),
        layer("final_layer.linear", 64, width),
        layer("final_layer.adaLN_modulation.1", 2 * width, 512),
    )


def svd(label: int = 768) -> Shapes:
    """The denoiser of Stable Video Diffusion in the original names; what decides, not all of it."""
    found = ldm_unet(SD_2, inputs=8)
    found["label_emb.0.0.weight"] = (1280, label)
    for name, shape in list(found.items()):
        if "transformer_blocks" in name:
            found[name.replace("transformer_blocks", "time_stack")] = shape
    for place in ("input_blocks.1.0", "output_blocks.11.0"):
        found[f"{place}.time_mixer.mix_factor"] = (1,)
    return found


def svd_diffusers(label: int = 768) -> Shapes:
    """The same in diffusers' names."""
    found = diffusers_unet(SD_2, inputs=8)
    found |= pair("add_embedding", 1280, label)
    for name, shape in list(found.items()):
        if "transformer_blocks" in name:
            found[name.replace("transformer_blocks", "temporal_transformer_blocks")] = shape
    for place in ("down_blocks.0.resnets.0", "up_blocks.3.resnets.2"):
        found[f"{place}.time_mixer.mix_factor"] = (1,)
    return found


def motion_modules(frames: int = 32, *, has_middle: bool = False, is_sdxl: bool = False) -> Shapes:
    """AnimateDiff's motion modules in diffusers' names."""
    widths = (320, 640, 1280) if is_sdxl else (320, 640, 1280, 1280)
    places = [(f"down_blocks.{n}", width, 2) for n, width in enumerate(widths)]
    places += [(f"up_blocks.{n}", width, 3) for n, width in enumerate(reversed(widths))]
    places += [("mid_block", 1280, 1)] if has_middle else []
    found: Shapes = {}
    for place, width, count in places:
        inner = stack(
            *(attention(f"attn{n}", width) for n in (1, 2)),
            {"pos_embed.pe": (1, frames, width)},
            *(norm(f"norm{n}", width, bias=True) for n in (1, 2, 3)),
            layer("ff.net.0.proj", 8 * width, width),
            layer("ff.net.2", width, 4 * width),
        )
        found |= repeat(
            f"{place}.motion_modules",
            count,
            stack(
                norm("norm", width, bias=True),
                layer("proj_in", width, width),
                prefixed("transformer_blocks.0.", inner),
                layer("proj_out", width, width),
            ),
        )
    return {
        name: shape
        for name, shape in found.items()
        if not name.endswith(("to_q.bias", "to_k.bias", "to_v.bias"))
    }


def motion_modules_original(shapes: Shapes) -> Shapes:
    """The same in AnimateDiff's names, which give each attention a table of positions."""
    found = {
        name.replace("pos_embed", f"attention_blocks.{n}.pos_encoder"): shape
        for name, shape in shapes.items()
        for n in range(2 if "pos_embed" in name else 1)
    }
    found = renamed(
        found,
        (
            ("transformer_blocks.0.norm1", "transformer_blocks.0.norms.0"),
            ("transformer_blocks.0.norm2", "transformer_blocks.0.norms.1"),
            ("transformer_blocks.0.norm3", "transformer_blocks.0.ff_norm"),
            ("attn1", "attention_blocks.0"),
            ("attn2", "attention_blocks.1"),
        ),
    )
    return {_inside(name): shape for name, shape in found.items()}


def _inside(name: str) -> str:
    place, _, inner = name.partition(".motion_modules.")
    number, _, rest = inner.partition(".")
    return f"{place}.motion_modules.{number}.temporal_transformer.{rest}"


def sparse_control() -> Shapes:
    """SparseCtrl: a ControlNet of SD 1 with motion modules."""
    down = {
        name: shape
        for name, shape in (diffusers_unet(SD_1) | motion_modules()).items()
        if not name.startswith("up_blocks")
    }
    return down | stack(
        layer("controlnet_cond_embedding", 320, 5, 3, 3),
        layer("controlnet_down_blocks.0", 320, 320, 1, 1),
        layer("controlnet_mid_block", 1280, 1280, 1, 1),
    )
