"""The words that say what a model is: the enums of both specification documents.

Members compare equal to their string values, so `info.type == "lora"` works and every
public call accepts either. Values are the documents'; what later InvokeAI versions and other
programs call the same thing is mapped where it is read, never added here as a second spelling.

Sources: `spec/model-manager-v2.md` ("What's in a Model?", "ModelRepoVariant"),
`spec/normalized-model-manager.md` (part types such as `unet` and `safety_checker`).
"""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "BaseModelType",
    "ExportLayout",
    "ExportMethod",
    "ModelFormat",
    "ModelRepoVariant",
    "ModelType",
    "ModelVariantType",
    "SchedulerPredictionType",
    "SubModelType",
]


class BaseModelType(StrEnum):
    """The architecture a model belongs to or works with."""

    ANY = "any"
    """Works with every base: a safety checker, a CLIP vision encoder."""
    Any = "any"
    """*ANY*, as the document's own text writes it."""
    SD_1 = "sd-1"
    SD_2 = "sd-2"
    SD_3 = "sd-3"
    SDXL = "sdxl"
    SDXL_REFINER = "sdxl-refiner"
    STABLE_CASCADE = "stable-cascade"
    SVD = "svd"
    KOLORS = "kolors"
    PIXART = "pixart"
    SANA = "sana"
    HUNYUAN_DIT = "hunyuan-dit"
    HUNYUAN_IMAGE = "hunyuan-image-2.1"
    HUNYUAN_VIDEO = "hunyuan-video"
    HUNYUAN_VIDEO_1_5 = "hunyuan-video-1.5"
    FRAMEPACK = "framepack"
    FLUX = "flux"
    FLUX_2 = "flux2"
    CHROMA = "chroma"
    AURAFLOW = "auraflow"
    LUMINA = "lumina"
    LUMINA_2 = "lumina2"
    Z_IMAGE = "z-image"
    OMNIGEN_2 = "omnigen2"
    QWEN_IMAGE = "qwen-image"
    COGVIEW_4 = "cogview4"
    COGVIDEOX = "cogvideox"
    HIDREAM = "hidream"
    KANDINSKY_2 = "kandinsky-2"
    KANDINSKY_5 = "kandinsky-5"
    DEEPFLOYD_IF = "deepfloyd-if"
    LTX_VIDEO = "ltx-video"
    WAN = "wan"
    COSMOS = "cosmos"
    ANIMA = "anima"
    MOCHI = "mochi"
    KREA_2 = "krea-2"
    IDEOGRAM_4 = "ideogram-4"
    ERNIE_IMAGE = "ernie-image"
    BOOGU = "boogu"
    MINIMAX_H3 = "minimax-h3"
    UNKNOWN = "unknown"
    """Nothing that was read decides it; kept honest rather than guessed."""


class ModelType(StrEnum):
    """What a model does: the stand-alone kinds and the components of a pipeline."""

    MAIN = "main"
    """A whole pipeline, as a diffusers folder or as one checkpoint file."""
    ONNX = "onnx"
    VAE = "vae"
    LORA = "lora"
    CONTROLNET = "controlnet"
    EMBEDDING = "embedding"
    """A textual inversion."""
    IP_ADAPTER = "ip_adapter"
    CLIP_VISION = "clip_vision"
    CLIP_EMBED = "clip_embed"
    T2I_ADAPTER = "t2i_adapter"
    CONTROL_LORA = "control_lora"
    """A LoRA that also widens the input of its base to take a control image."""
    FLUX_REDUX = "flux_redux"
    MOTION_ADAPTER = "motion_adapter"
    """AnimateDiff's motion modules."""
    T5_ENCODER = "t5_encoder"
    SPANDREL_IMAGE_TO_IMAGE = "spandrel_image_to_image"
    UNET = "unet"
    TRANSFORMER = "transformer"
    TEXT_ENCODER = "text_encoder"
    TOKENIZER = "tokenizer"
    SCHEDULER = "scheduler"
    SAFETY_CHECKER = "safety_checker"
    FEATURE_EXTRACTOR = "feature_extractor"
    IMAGE_ENCODER = "image_encoder"
    PIPELINE_FILES = "pipeline_files"
    """What a pipeline folder holds outside its components: `model_index.json`, README, LICENSE."""
    ORIGINAL_FILE = "original_file"
    """What brings a converted checkpoint back: its recipe, and the bytes that no component holds."""
    UNKNOWN = "unknown"
    """Kept, with the nearest misses as evidence; probed again when the rules change."""


class SubModelType(StrEnum):
    """The component folders of a pipeline that a caller can ask for by name.

    A pipeline may have folders beyond these; `get_pipeline_by_name` accepts any folder name
    that the pipeline has.
    """

    UNET = "unet"
    TRANSFORMER = "transformer"
    TEXT_ENCODER = "text_encoder"
    TEXT_ENCODER_2 = "text_encoder_2"
    TEXT_ENCODER_3 = "text_encoder_3"
    TOKENIZER = "tokenizer"
    TOKENIZER_2 = "tokenizer_2"
    TOKENIZER_3 = "tokenizer_3"
    VAE = "vae"
    VAE_DECODER = "vae_decoder"
    VAE_ENCODER = "vae_encoder"
    SCHEDULER = "scheduler"
    SAFETY_CHECKER = "safety_checker"
    FEATURE_EXTRACTOR = "feature_extractor"
    IMAGE_ENCODER = "image_encoder"


class ModelFormat(StrEnum):
    """How a model lies on disk; also the discriminator of MM2's configs."""

    DIFFUSERS = "diffusers"
    CHECKPOINT = "checkpoint"
    LYCORIS = "lycoris"
    """A LoRA file in kohya's or LyCORIS' names."""
    GGUF = "gguf"
    """One file of quantised tensors, as llama.cpp and stable-diffusion.cpp read it."""
    ONNX = "onnx"
    OLIVE = "olive"
    EMBEDDING_FILE = "embedding_file"
    EMBEDDING_FOLDER = "embedding_folder"
    INVOKEAI = "invokeai"
    """An IP-Adapter folder: weights and the name of its image encoder."""
    TRANSFORMERS = "transformers"
    """A folder that `transformers` saved: `config.json` with `architectures`, and weights."""
    UNKNOWN = "unknown"


class ModelVariantType(StrEnum):
    """What a main model was trained to take besides text."""

    NORMAL = "normal"
    INPAINT = "inpaint"
    DEPTH = "depth"
    INSTRUCT = "instruct"
    """Edits the image that it is given: InstructPix2Pix and its kin."""
    UPSCALER = "upscaler"
    DEV = "dev"
    SCHNELL = "schnell"
    DEV_FILL = "dev_fill"
    DEV_CONTROL = "dev_control"
    """FLUX.1 Depth or Canny, which no header tells apart."""
    KLEIN_4B = "klein_4b"
    KLEIN_9B = "klein_9b"
    LAYERED = "layered"
    T2V = "t2v"
    I2V = "i2v"
    FLF2V = "flf2v"
    VACE = "vace"
    CONTROL = "control"
    CAMERA = "camera"
    ANIMATE = "animate"
    S2V = "s2v"
    LARGE = "large"
    """CLIP-L."""
    GIGANTIC = "gigantic"
    """CLIP-G."""


class ModelRepoVariant(StrEnum):
    """Which of a repository's several forms of the same weights a folder holds."""

    DEFAULT = "default"
    FP16 = "fp16"
    FP32 = "fp32"
    ONNX = "onnx"
    OPENVINO = "openvino"
    FLAX = "flax"


class SchedulerPredictionType(StrEnum):
    """What the denoiser predicts."""

    EPSILON = "epsilon"
    V_PREDICTION = "v_prediction"
    SAMPLE = "sample"
    FLOW = "flow"
    """Rectified flow, and the flow matching of the models after SDXL."""
    EDM = "edm"
    """Karras et al. 2022, as Playground v2.5 was trained."""


class ExportLayout(StrEnum):
    """What an export of a converted checkpoint looks like; anything else is given back as it came."""

    ORIGINAL = "original"
    """The checkpoint, byte for byte."""
    DIFFUSERS = "diffusers"
    """The pipeline that it became."""


class ExportMethod(StrEnum):
    """How an export gets its bytes."""

    LINK = "link"
    """The cheapest real link: a reflink, else a hard link, else a checked copy."""
    COPY = "copy"
    """Always a copy, checked against the stored digest on the way out."""
