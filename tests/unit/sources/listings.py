"""Names of files as well-known repositories have them: layouts, no contents."""

from __future__ import annotations

__all__ = [
    "FLUX_DEV",
    "FLUX_PARTS",
    "SDXL",
    "SDXL_PARTS",
    "SD_1_5",
    "SD_1_5_PARTS",
    "forms",
]


def forms(folder: str, stem: str, *words: str) -> list[str]:
    """Return `folder/stem` followed by each of *words*, such as `.fp16.bin`."""
    return [f"{folder}/{stem}{word}" for word in words]


_ALL = (".bin", ".safetensors", ".fp16.bin", ".fp16.safetensors")
_TOKENIZER = ("merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json")

SD_1_5 = [
    ".gitattributes",
    "README.md",
    "feature_extractor/preprocessor_config.json",
    "model_index.json",
    "safety_checker/config.json",
    *forms("safety_checker", "model", ".safetensors", ".fp16.safetensors"),
    *forms("safety_checker", "pytorch_model", ".bin", ".fp16.bin"),
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    *forms("text_encoder", "model", ".safetensors", ".fp16.safetensors"),
    *forms("text_encoder", "pytorch_model", ".bin", ".fp16.bin"),
    *(f"tokenizer/{name}" for name in _TOKENIZER),
    "unet/config.json",
    *forms("unet", "diffusion_pytorch_model", *_ALL, ".non_ema.bin", ".non_ema.safetensors"),
    "v1-5-pruned-emaonly.ckpt",
    "v1-5-pruned-emaonly.safetensors",
    "v1-5-pruned.ckpt",
    "v1-5-pruned.safetensors",
    "v1-inference.yaml",
    "vae/config.json",
    *forms("vae", "diffusion_pytorch_model", *_ALL),
]
SD_1_5_PARTS = {
    "feature_extractor",
    "safety_checker",
    "scheduler",
    "text_encoder",
    "tokenizer",
    "unet",
    "vae",
}

_XL_WEIGHTS = (".safetensors", ".fp16.safetensors")
_OTHERS = ("openvino_model.bin", "openvino_model.xml", "model.onnx")
SDXL = [
    ".gitattributes",
    "01.png",
    "LICENSE.md",
    "README.md",
    "comparison.png",
    "model_index.json",
    "pipeline.png",
    "scheduler/scheduler_config.json",
    "sd_xl_base_1.0.safetensors",
    "sd_xl_base_1.0_0.9vae.safetensors",
    "sd_xl_offset_example-lora_1.0.safetensors",
    "text_encoder/config.json",
    "text_encoder/flax_model.msgpack",
    *(f"text_encoder/{name}" for name in _OTHERS),
    *forms("text_encoder", "model", *_XL_WEIGHTS),
    "text_encoder_2/config.json",
    "text_encoder_2/flax_model.msgpack",
    *(f"text_encoder_2/{name}" for name in _OTHERS),
    "text_encoder_2/model.onnx_data",
    *forms("text_encoder_2", "model", *_XL_WEIGHTS),
    *(f"tokenizer/{name}" for name in _TOKENIZER),
    *(f"tokenizer_2/{name}" for name in _TOKENIZER),
    "unet/config.json",
    "unet/diffusion_flax_model.msgpack",
    *(f"unet/{name}" for name in _OTHERS),
    "unet/model.onnx_data",
    *forms("unet", "diffusion_pytorch_model", *_XL_WEIGHTS),
    "vae/config.json",
    "vae/diffusion_flax_model.msgpack",
    *forms("vae", "diffusion_pytorch_model", *_XL_WEIGHTS),
    "vae_1_0/config.json",
    *forms("vae_1_0", "diffusion_pytorch_model", *_XL_WEIGHTS),
    "vae_decoder/config.json",
    *(f"vae_decoder/{name}" for name in _OTHERS),
    "vae_encoder/config.json",
    *(f"vae_encoder/{name}" for name in _OTHERS),
]
SDXL_PARTS = {
    "scheduler",
    "text_encoder",
    "text_encoder_2",
    "tokenizer",
    "tokenizer_2",
    "unet",
    "vae",
}

FLUX_DEV = [
    ".gitattributes",
    "LICENSE.md",
    "README.md",
    "ae.safetensors",
    "dev_grid.jpg",
    "flux1-dev.safetensors",
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "text_encoder_2/config.json",
    *forms("text_encoder_2", "model", "-00001-of-00002.safetensors", "-00002-of-00002.safetensors"),
    "text_encoder_2/model.safetensors.index.json",
    *(f"tokenizer/{name}" for name in _TOKENIZER),
    "tokenizer_2/special_tokens_map.json",
    "tokenizer_2/spiece.model",
    "tokenizer_2/tokenizer.json",
    "tokenizer_2/tokenizer_config.json",
    "transformer/config.json",
    *(f"transformer/diffusion_pytorch_model-0000{n}-of-00003.safetensors" for n in (1, 2, 3)),
    "transformer/diffusion_pytorch_model.safetensors.index.json",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
]
FLUX_PARTS = {
    "scheduler",
    "text_encoder",
    "text_encoder_2",
    "tokenizer",
    "tokenizer_2",
    "transformer",
    "vae",
}
