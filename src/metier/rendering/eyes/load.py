"""From a model's folder to its eyes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from metier.core.registry import Registry
from metier.rendering.eyes.base import Eyes

FAMILIES: Registry[type[Eyes]] = Registry(
    "vision model",
    {
        "mllama": "metier.rendering.eyes.mllama:MllamaEyes",
        "gemma3": "metier.rendering.eyes.gemma3:Gemma3Eyes",
        "internvl": "metier.rendering.eyes.internvl:InternVLEyes",
        "qwen2_vl": "metier.rendering.eyes.qwen_vl:QwenEyes",
        "qwen2_5_vl": "metier.rendering.eyes.qwen_vl:QwenEyes",
        "qwen3_vl": "metier.rendering.eyes.qwen_vl:QwenEyes",
        "qwen3_vl_moe": "metier.rendering.eyes.qwen_vl:QwenEyes",
        "smolvlm": "metier.rendering.eyes.smolvlm:SmolVLMEyes",
    },
)
_QWEN = "qwen2_vl.image_processing_pil_qwen2_vl:Qwen2VLImageProcessorPil"
_PROCESSORS = {
    "mllama": "mllama.image_processing_pil_mllama:MllamaImageProcessorPil",
    "gemma3": "gemma3.image_processing_pil_gemma3:Gemma3ImageProcessorPil",
    "internvl": "got_ocr2.image_processing_pil_got_ocr2:GotOcr2ImageProcessorPil",
    "smolvlm": "smolvlm.image_processing_pil_smolvlm:SmolVLMImageProcessorPil",
    **dict.fromkeys(("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe"), _QWEN),
}
# Where transformers keeps what an image processor needs: on its own, or (newer) inside the processor's file.
SETTINGS = ("preprocessor_config.json", "processor_config.json")


def load_eyes(folder: Path | None, tokenizer: Any) -> Eyes | str | None:
    """The eyes of the model in `folder`; None for a model of text; the key of a reason why it takes no pictures."""
    config = _json(folder / "config.json") if folder is not None else {}
    if folder is None or not config.get("vision_config"):
        return None
    kind = str(config.get("model_type"))
    if kind not in FAMILIES:
        return "rendering.reason_family"
    if not any((folder / name).is_file() for name in SETTINGS):
        return "rendering.reason_no_processor"
    settings = {key: value for name in SETTINGS for key, value in _json(folder / name).items()}
    return FAMILIES.get(kind)(_image_processor(kind, folder), tokenizer, settings)


def copy_settings(folder: Path, target: Path) -> None:
    """Copies what says how pictures are prepared, if a model has it, beside weights that were trained from its own."""
    for name in (*SETTINGS, "chat_template.json"):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, target / name)


def _image_processor(kind: str, folder: Path) -> Any:
    from importlib import import_module

    module, _, name = _PROCESSORS[kind].partition(":")
    return getattr(import_module(f"transformers.models.{module}"), name).from_pretrained(folder, local_files_only=True)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
