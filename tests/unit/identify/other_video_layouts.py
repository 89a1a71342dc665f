"""More of `video_layouts`: LTX-Video and LTX-2, CogVideoX, Mochi."""

from __future__ import annotations

from tests.unit.identify.layouts import Shapes, prefixed
from tests.unit.identify.video_layouts import (
    HEAD,
    feed_forward,
    layer,
    norm,
    pair,
    perceptron,
    renamed,
    repeat,
    stack,
)


def attention(name: str, width: int, *, norms: int = 0, context: int = 0) -> Shapes:
    """One attention in diffusers' names, with norms so wide where it has any."""
    text = context or width
    return stack(
        layer(f"{name}.to_q", width, width),
        layer(f"{name}.to_k", width, text),
        layer(f"{name}.to_v", width, text),
        layer(f"{name}.to_out.0", width, width),
        *(norm(f"{name}.norm_{one}", norms) for one in "qk" if norms),
    )


def _timed(name: str, width: int, count: int) -> Shapes:
    return stack(
        pair(f"{name}.emb.timestep_embedder", width, 256),
        layer(f"{name}.linear", count * width, width),
    )


def ltx_video(width: int, blocks: int) -> Shapes:
    """LTX-Video in diffusers' names."""
    block = stack(
        {"scale_shift_table": (6, width)},
        attention("attn1", width, norms=width),
        attention("attn2", width, norms=width),
        feed_forward("ff", width, 4 * width),
    )
    return stack(
        {"scale_shift_table": (2, width)},
        layer("proj_in", width, 128),
        _timed("time_embed", width, 6),
        pair("caption_projection", width, 4096),
        repeat("transformer_blocks", blocks, block),
        layer("proj_out", 128, width),
    )


LTX_2B, LTX_13B = (2048, 28), (4096, 48)


def _across(name: str, width: int, inputs: int, context: int) -> Shapes:
    return stack(
        norm(f"{name}.norm_q", width),
        norm(f"{name}.norm_k", width),
        layer(f"{name}.to_q", width, inputs),
        layer(f"{name}.to_k", width, context),
        layer(f"{name}.to_v", width, context),
        layer(f"{name}.to_out.0", inputs, width),
    )


def ltx_2() -> Shapes:
    """LTX-2 in diffusers' names."""
    video, audio = 4096, 2048
    block = stack(
        *(
            stack(
                {f"{prefix}scale_shift_table": (6, width)},
                {f"{name}_a2v_cross_attn_scale_shift_table": (5, width)},
                attention(f"{prefix}attn1", width, norms=width),
                attention(f"{prefix}attn2", width, norms=width),
                feed_forward(f"{prefix}ff", width, 4 * width),
            )
            for prefix, name, width in (("", "video", video), ("audio_", "audio", audio))
        ),
        _across("audio_to_video_attn", audio, video, audio),
        _across("video_to_audio_attn", audio, audio, video),
    )
    ends = (
        stack(
            {f"{prefix}scale_shift_table": (2, width)},
            layer(f"{prefix}proj_in", width, 128),
            layer(f"{prefix}proj_out", 128, width),
            pair(f"{prefix}caption_projection", width, 3840),
            _timed(f"{prefix}time_embed", width, 6),
            _timed(f"av_cross_attn_{name}_scale_shift", width, 4),
            _timed(f"av_cross_attn_{gate}_gate", width, 1),
        )
        for prefix, name, gate, width in (
            ("", "video", "video_a2v", video),
            ("audio_", "audio", "audio_v2a", audio),
        )
    )
    return stack(*ends, repeat("transformer_blocks", 48, block))


def ltx_2_3() -> Shapes:
    """Of LTX-2.3 a table of each block that is longer, as prompts are modulated too."""
    longer = (".scale_shift_table", ".audio_scale_shift_table")
    return {
        name: (9, *shape[1:])
        if name.startswith("transformer_") and name.endswith(longer)
        else shape
        for name, shape in ltx_2().items()
    }


def ltx_2_5() -> Shapes:
    """LTX-2.5 has a place for keyframes as well."""
    return stack(ltx_2_3(), {"keyframes_abs_pos_embedding": (1, 4096)})


def ltx_original(shapes: Shapes) -> Shapes:
    """Either of them in Lightricks' names."""
    return renamed(
        shapes,
        (
            ("time_embed.", "adaln_single."),
            ("av_cross_attn_video_scale_shift", "av_ca_video_scale_shift_adaln_single"),
            ("av_cross_attn_audio_scale_shift", "av_ca_audio_scale_shift_adaln_single"),
            ("av_cross_attn_video_a2v_gate", "av_ca_a2v_gate_adaln_single"),
            ("av_cross_attn_audio_v2a_gate", "av_ca_v2a_gate_adaln_single"),
            ("video_a2v_cross_attn_scale_shift_table", "scale_shift_table_a2v_ca_video"),
            ("audio_a2v_cross_attn_scale_shift_table", "scale_shift_table_a2v_ca_audio"),
            ("proj_in", "patchify_proj"),
            ("norm_q", "q_norm"),
            ("norm_k", "k_norm"),
        ),
    )


def cogvideox(
    width: int,
    blocks: int,
    *,
    frames: int = 1,
    has_time_patches: bool = False,
    learned: bool = False,
) -> Shapes:
    """CogVideoX in diffusers' names; *frames* latents lie beside each other."""
    block = stack(
        *(layer(f"norm{n}.linear", 6 * width, 512) for n in (1, 2)),
        *(norm(f"norm{n}.norm", width, bias=True) for n in (1, 2)),
        attention("attn1", width),
        norm("attn1.norm_q", 64, bias=True),
        norm("attn1.norm_k", 64, bias=True),
        feed_forward("ff", width, 4 * width),
    )
    patch = (16 * frames * 8,) if has_time_patches else (16 * frames, 2, 2)
    found = stack(
        layer("patch_embed.proj", width, *patch),
        layer("patch_embed.text_proj", width, 4096),
        layer("time_embedding.linear_1", 512, width),
        layer("time_embedding.linear_2", 512, 512),
        repeat("transformer_blocks", blocks, block),
        norm("norm_final", width, bias=True),
        layer("norm_out.linear", 2 * width, 512),
        norm("norm_out.norm", width, bias=True),
        layer("proj_out", 128 if has_time_patches else 64, width),
    )
    if learned:
        found["patch_embed.pos_embedding"] = (1, 17776, width)
    if has_time_patches and frames > 1:
        found |= pair("ofs_embedding", 512, 512)
    return found


COGVIDEOX_2B, COGVIDEOX_5B = (1920, 30), (3072, 42)


def cogvideox_original(width: int, blocks: int) -> Shapes:
    """CogVideoX in the names of SwissArmyTransformer."""
    block = stack(
        norm("input_layernorm", width, bias=True),
        norm("post_attention_layernorm", width, bias=True),
        layer("attention.query_key_value", 3 * width, width),
        layer("attention.dense", width, width),
        layer("mlp.dense_h_to_4h", 4 * width, width),
        layer("mlp.dense_4h_to_h", width, 4 * width),
    )
    adaptive = "mixins.adaln_layer"
    return prefixed(
        "model.diffusion_model.",
        stack(
            perceptron("time_embed", 512, width),
            repeat("transformer.layers", blocks, block),
            norm("transformer.final_layernorm", width, bias=True),
            layer("mixins.patch_embed.proj", width, 16, 2, 2),
            layer("mixins.patch_embed.text_proj", width, 4096),
            repeat(f"{adaptive}.adaLN_modulations", blocks, layer("1", 12 * width, 512)),
            *(
                norm(f"{adaptive}.{one}_layernorm_list.{n}", 64, bias=True)
                for one in ("query", "key")
                for n in range(blocks)
            ),
            layer("mixins.final_layer.linear", 64, width),
        ),
    )


def mochi() -> Shapes:
    """Mochi 1 in its own names; its last block leaves the text as it is."""
    video, text = 3072, 1536
    found: Shapes = {}
    for number in range(48):
        is_last = number == 47
        block = stack(
            layer("mod_x", 4 * video, video),
            layer("mod_y", text if is_last else 4 * text, video),
            layer("attn.qkv_x", 3 * video, video, bias=False),
            layer("attn.qkv_y", 3 * video, text, bias=False),
            layer("attn.proj_x", video, video),
            *(norm(f"attn.{one}_norm_{of}", HEAD) for one in "qk" for of in "xy"),
            layer("mlp_x.w1", 16384, video, bias=False),
            layer("mlp_x.w2", video, 8192, bias=False),
        )
        if not is_last:
            block |= layer("attn.proj_y", text, video)
            block |= layer("mlp_y.w1", 8192, text, bias=False)
            block |= layer("mlp_y.w2", text, 4096, bias=False)
        found |= prefixed(f"blocks.{number}.", block)
    return stack(
        found,
        {"pos_frequencies": (3, 24, 64)},
        layer("x_embedder.proj", video, 12, 2, 2),
        perceptron("t_embedder.mlp", video, 256),
        layer("t5_y_embedder.to_kv", 8192, 4096),
        layer("t5_y_embedder.to_q", 4096, 4096),
        layer("t5_y_embedder.to_out", video, 4096),
        layer("t5_yproj", text, 4096),
        layer("final_layer.mod", 2 * video, video),
        layer("final_layer.linear", 48, video),
    )


def mochi_diffusers() -> Shapes:
    """Mochi 1 in diffusers' names."""
    video, text = 3072, 1536
    found: Shapes = {}
    for number in range(48):
        is_last = number == 47
        context = "norm1_context.linear_1" if is_last else "norm1_context.linear"
        block = stack(
            layer("norm1.linear", 4 * video, video),
            layer(context, text if is_last else 4 * text, video),
            *(layer(f"attn1.to_{one}", video, video, bias=False) for one in "qkv"),
            *(layer(f"attn1.add_{one}_proj", video, text, bias=False) for one in "qkv"),
            *(norm(f"attn1.norm_{one}", HEAD) for one in ("q", "k", "added_q", "added_k")),
            layer("attn1.to_out.0", video, video),
            layer("ff.net.0.proj", 16384, video, bias=False),
            layer("ff.net.2", video, 8192, bias=False),
        )
        if not is_last:
            block |= layer("attn1.to_add_out", text, video)
            block |= layer("ff_context.net.0.proj", 8192, text, bias=False)
            block |= layer("ff_context.net.2", text, 4096, bias=False)
        found |= prefixed(f"transformer_blocks.{number}.", block)
    return stack(
        found,
        {"pos_frequencies": (3, 24, 64)},
        layer("patch_embed.proj", video, 12, 2, 2),
        pair("time_embed.timestep_embedder", video, 256),
        layer("time_embed.pooler.to_kv", 8192, 4096),
        layer("time_embed.pooler.to_q", 4096, 4096),
        layer("time_embed.pooler.to_out", video, 4096),
        layer("time_embed.caption_proj", text, 4096),
        layer("norm_out.linear", 2 * video, video),
        layer("proj_out", 48, video),
    )
