"""The seedling's files, as any Mllama has them: tokenizer, template, picture processor, configuration, weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from metier.core.files import write_manifest
from tools.seedling.words import corpus

IMAGE_SIZE, PATCH = 112, 16
VOCABULARY = 1024
BEGIN, END, PAD = "<|begin_of_text|>", "<|eot_id|>", "<|finetune_right_pad_id|>"
SPECIAL = (
    BEGIN,
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    END,
    "<|eom_id|>",
    "<|python_tag|>",
    PAD,
)
IMAGE = "<|image|>"
TEMPLATE = (
    "{{- bos_token }}"
    "{%- for message in messages %}"
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}"
    "{%- if message['content'] is string %}{{- message['content'] | trim }}"
    "{%- else %}{%- for part in message['content'] %}"
    "{%- if part['type'] == 'image' %}{{- '<|image|>' }}"
    "{%- elif part['type'] == 'text' %}{{- part['text'] | trim }}{%- endif %}"
    "{%- endfor %}{%- endif %}"
    "{{- '<|eot_id|>' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"
)
MEAN, SPREAD = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


def build_tokenizer(seed: int) -> Any:
    """A byte-level BPE of about a thousand tokens; numbers stay whole, as they are few."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    # The picture's token stands last, outside of the head's rows, as Mllama wants it.
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL),
        special_tokens=[],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(seed), trainer)
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.add_special_tokens([IMAGE])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PAD,
        model_max_length=512,
    )
    fast.chat_template = TEMPLATE
    return fast


def chat_prompt(question: str) -> str:
    """A question about one picture, as the chat template writes it."""
    user, assistant = (f"<|start_header_id|>{role}<|end_header_id|>\n\n" for role in ("user", "assistant"))
    return f"<|begin_of_text|>{user}{IMAGE}{question}<|eot_id|>{assistant}"


def new_model(tokenizer: Any) -> Any:
    """The seedling before it has seen anything."""
    from transformers import MllamaConfig, MllamaForConditionalGeneration
    from transformers.models.mllama.configuration_mllama import MllamaTextConfig, MllamaVisionConfig

    vision = MllamaVisionConfig(
        hidden_size=160,
        num_hidden_layers=4,
        num_global_layers=1,
        attention_heads=5,
        intermediate_size=400,
        vision_output_dim=320,
        image_size=IMAGE_SIZE,
        patch_size=PATCH,
        max_num_tiles=1,
        intermediate_layers_indices=[2],
        supported_aspect_ratios=[[1, 1]],
    )
    image_id = tokenizer.convert_tokens_to_ids(IMAGE)
    text = MllamaTextConfig(
        vocab_size=image_id,
        hidden_size=128,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=4,
        intermediate_size=320,
        cross_attention_layers=[1, 3, 4],
        max_position_embeddings=512,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = MllamaForConditionalGeneration(
        MllamaConfig(vision_config=vision, text_config=text, image_token_index=image_id)
    )
    _start_wide(model)
    model.set_attn_implementation("eager")  # at this size quicker than the fused kinds, by half
    return model.train()


def load(folder: Path) -> Any:
    """A seedling that was saved, ready to learn on."""
    from transformers import MllamaForConditionalGeneration

    model = MllamaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return model.train()


@torch.no_grad()
def _start_wide(model: Any) -> None:
    """Weights for a narrow model that learns from nothing.

    The usual start (0.02 everywhere) suits thousands of channels; here, layers would begin as next to nothing. Gates
    stand open, as nothing is there yet that a picture could disturb; a patch's place is as loud as its content.
    """
    for name, item in model.named_parameters():
        if "gate" in name and item.numel() == 1 and not name.endswith("embedding.gate"):
            item.fill_(1.0)
        elif "positional_embedding.embedding" in name or name.endswith("class_embedding"):
            item.normal_(std=0.5)
        elif item.ndim == 2 and "embed" not in name and "lm_head" not in name:
            item.normal_(std=item.shape[1] ** -0.5)


def pixels(picture: Image.Image) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A square picture as the processor sees it before it makes numbers from -1 to 1 of it: size × size × 3."""
    return np.asarray(picture.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR))


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Writes the folder of a model: bfloat16 weights, configuration, tokenizer, template, processor."""
    from transformers import GenerationConfig

    folder.mkdir(parents=True, exist_ok=True)
    half = {name: item.detach().to(torch.bfloat16) for name, item in model.state_dict().items()}
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        max_new_tokens=32,
        do_sample=False,
    )
    model.save_pretrained(folder, state_dict=half)
    tokenizer.save_pretrained(folder)
    processor = {
        "image_processor_type": "MllamaImageProcessor",
        "processor_class": "MllamaProcessor",
        "size": {"height": IMAGE_SIZE, "width": IMAGE_SIZE},
        "max_image_tiles": 1,
        "image_mean": list(MEAN),
        "image_std": list(SPREAD),
        "do_convert_rgb": True,
        "do_resize": True,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "do_pad": True,
        "resample": 2,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n", encoding="utf-8")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8")) | {"dtype": "bfloat16"}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    write_manifest(folder)
