"""Tiny random vision models of real architectures, whole folders with tokenizer, image processor and template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# The sizes of all that are not asked for otherwise.
_TEXT: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
}
_VISION: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}

# In the manner of Llama 3.2 Vision's own: parts or text, no system message beside pictures.
MLLAMA = """\
{{- bos_token }}
{%- set seen = namespace(pictures=false) %}
{%- for message in messages %}{% for part in message['content'] %}
{%- if part['type'] == 'image' %}{% set seen.pictures = true %}{% endif %}{% endfor %}{% endfor %}
{%- if seen.pictures and messages[0]['role'] == 'system' %}
    {{- raise_exception('Prompting with images is incompatible with system messages.') }}
{%- endif %}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}
    {%- if message['content'] is string %}
        {{- message['content'] }}
    {%- else %}
        {%- for part in message['content'] %}
            {%- if part['type'] == 'image' %}{{ '<|image|>' }}{% else %}{{ part['text'] }}{% endif %}
        {%- endfor %}
    {%- endif %}
    {{- '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
"""

# In the manner of Qwen's: a default system message, pictures between two tokens.
QWEN = """\
{%- if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}
{%- for message in messages %}
    {{- '<|im_start|>' + message['role'] + '\n' }}
    {%- if message['content'] is string %}
        {{- message['content'] }}
    {%- else %}
        {%- for part in message['content'] %}
            {%- if part['type'] == 'image' %}{{ '<|vision_start|><|image_pad|><|vision_end|>' }}
            {%- else %}{{ part['text'] }}{% endif %}
        {%- endfor %}
    {%- endif %}
    {{- '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}
"""


def byte_tokenizer(specials: Sequence[str], template: str, last: Sequence[str] = (), **named: str) -> Any:
    """One token a byte, `specials` first; `last`: special tokens behind all others."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = [*specials, *sorted(pre_tokenizers.ByteLevel.alphabet()), *last]
    backend = Tokenizer(models.BPE(vocab={name: number for number, name in enumerate(names)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in [*specials, *last]])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **named)
    tokenizer.chat_template = template
    return tokenizer


def tiny_mllama(
    folder: Path,
    *,
    seed: int = 0,
    hidden_size: int = 32,
    layers: int = 4,
    image_size: int = 28,
    vision: Mapping[str, Any] | None = None,
    **text: Any,
) -> Path:
    """Writes a random Llama 3.2 Vision with every fourth layer, from the second on, looking at up to four tiles."""
    import torch
    from transformers import MllamaConfig, MllamaForConditionalGeneration, MllamaProcessor
    from transformers.models.mllama.image_processing_pil_mllama import MllamaImageProcessorPil

    specials = [
        "<|begin_of_text|>",
        "<|eot_id|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|finetune_right_pad_id|>",
    ]
    tokenizer = byte_tokenizer(
        specials,
        MLLAMA,
        ["<|image|>"],
        bos_token=specials[0],
        eos_token=specials[1],
        pad_token=specials[4],
    )
    vocabulary = len(tokenizer) - 1  # the picture's token has no logit: it is never written
    config = MllamaConfig(
        image_token_index=vocabulary,
        text_config={
            "vocab_size": vocabulary,
            **_TEXT,
            "hidden_size": hidden_size,
            "intermediate_size": hidden_size * 2,
            "num_hidden_layers": layers,
            "cross_attention_layers": list(range(1, layers, 4)),
            "bos_token_id": 0,
            "eos_token_id": 1,
            "pad_token_id": 4,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
            **text,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_global_layers": 1,
            "attention_heads": 2,
            "image_size": image_size,
            "patch_size": 14,
            "intermediate_layers_indices": [0, 1],
            "vision_output_dim": 48,
            "max_num_tiles": 4,
            **(vision or {}),
        },
    )
    torch.manual_seed(seed)
    model = MllamaForConditionalGeneration(config)
    with torch.no_grad():  # gates begin closed: nothing that is looked at would be seen
        for name, parameter in model.named_parameters():
            if "gate" in name and parameter.numel() == 1:
                parameter.fill_(0.7)
    model.save_pretrained(folder)
    process = MllamaImageProcessorPil(size={"height": image_size, "width": image_size}, max_image_tiles=4)
    MllamaProcessor(process, tokenizer, chat_template=MLLAMA).save_pretrained(folder)
    process.save_pretrained(folder)  # as the makers publish it: in a file of its own
    return folder


def tiny_gemma3(folder: Path, *, seed: int = 0, template: str, **text: Any) -> Path:
    """Writes a random Gemma 3 with one sliding and one full layer, and pictures of 28 × 28 as 4 tokens."""
    import torch
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3Processor
    from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

    named = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    specials = ["<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>", *named.values()]
    tokenizer = byte_tokenizer(
        specials, template, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", extra_special_tokens=named
    )
    config = Gemma3Config(
        text_config={
            "vocab_size": len(tokenizer),
            **_TEXT,
            "head_dim": 8,
            "layer_types": ["sliding_attention", "full_attention"],
            "sliding_window": 24,
            "query_pre_attn_scalar": 8,
            **text,
        },
        vision_config=_VISION,
        mm_tokens_per_image=4,
        boi_token_index=tokenizer.convert_tokens_to_ids("<start_of_image>"),
        eoi_token_index=tokenizer.convert_tokens_to_ids("<end_of_image>"),
        image_token_index=tokenizer.convert_tokens_to_ids("<image_soft_token>"),
        eos_token_id=[1, 4],
        pad_token_id=0,
    )
    torch.manual_seed(seed)
    Gemma3ForConditionalGeneration(config).save_pretrained(folder)
    process = Gemma3ImageProcessorPil(size={"height": 28, "width": 28})
    Gemma3Processor(process, tokenizer, chat_template=template, image_seq_length=4).save_pretrained(folder)
    process.save_pretrained(folder)
    return folder


def tiny_qwen_vl(folder: Path, kind: str, *, seed: int = 0, **text: Any) -> Path:
    """Writes a random Qwen2.5-VL or Qwen3-VL (kind: as `model_type`) that looks at 4 to 36 tokens a picture.

    Its folder has no processor, which torch alone cannot make: tokenizer and image processor as they are published.
    """
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"]
    specials += ["<|image_pad|>", "<|video_pad|>"]
    tokenizer = byte_tokenizer(specials, QWEN, pad_token="<|endoftext|>", eos_token="<|im_end|>")
    newer = kind == "qwen3_vl"
    patch = 16 if newer else 14
    vision = {
        "depth": 2,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_heads": 2,
        "patch_size": patch,
        "out_hidden_size": 32,
        **(
            {"deepstack_visual_indexes": [0], "num_position_embeddings": 64}
            if newer
            else {"fullatt_block_indexes": [1]}
        ),
    }
    config = AutoConfig.for_model(
        kind,
        text_config={
            "vocab_size": len(tokenizer),
            **_TEXT,
            "head_dim": 8,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 1, 1]},
            "eos_token_id": 2,
            "pad_token_id": 0,
            **text,
        },
        vision_config=vision,
        image_token_id=5,
        video_token_id=6,
        vision_start_token_id=3,
        vision_end_token_id=4,
    )
    torch.manual_seed(seed)
    AutoModelForImageTextToText.from_config(config).save_pretrained(folder)
    side = 2 * patch
    size = {"shortest_edge": 4 * side * side, "longest_edge": 36 * side * side}
    Qwen2VLImageProcessorPil(size=size, patch_size=patch).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_internvl(folder: Path, *, seed: int = 0, **text: Any) -> Path:
    """Writes a random InternVL 3 that looks at up to 4 tiles of 28 × 28, each 1 token, and at the whole.

    Like Qwen's, its folder has no processor: that one wants torchvision.
    """
    import torch
    from transformers import InternVLConfig, InternVLForConditionalGeneration
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

    named = {"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>"}
    named |= {"video_token": "<video>"}
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *named.values()]
    template = QWEN.replace("<|vision_start|><|image_pad|><|vision_end|>", "<IMG_CONTEXT>\n")
    tokenizer = byte_tokenizer(
        specials, template, pad_token="<|endoftext|>", eos_token="<|im_end|>", extra_special_tokens=named
    )
    config = InternVLConfig(
        text_config={
            "model_type": "qwen2",
            "vocab_size": len(tokenizer),
            **_TEXT,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": 0,
            **text,
        },
        vision_config={**_VISION, "image_size": [28, 28], "patch_size": [14, 14]},
        image_token_id=5,
        image_seq_length=1,
    )
    torch.manual_seed(seed)
    InternVLForConditionalGeneration(config).save_pretrained(folder)
    size = {"height": 28, "width": 28}
    GotOcr2ImageProcessorPil(size=size, max_patches=4).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "processor_config.json").write_text('{"image_seq_length": 1, "processor_class": "InternVLProcessor"}')
    return folder


# In the manner of SmolVLM's.
SMOLVLM = """\
<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}
{%- if message['content'] is string %}{{ ': ' + message['content'] }}{% else %}
{%- if message['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}
{%- for part in message['content'] %}
{%- if part['type'] == 'image' %}{{ '<image>' }}{% else %}{{ part['text'] }}{% endif %}
{%- endfor %}{% endif %}{{ '<end_of_utterance>\n' }}{% endfor %}
{%- if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}
"""


def tiny_smolvlm(folder: Path, *, seed: int = 0, **text: Any) -> Path:
    """Writes a random SmolVLM that looks at up to 2 × 2 tiles of 28 × 28, each 1 token. Without a processor."""
    import torch
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration
    from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

    named = {"fake_image_token": "<fake_token_around_image>", "image_token": "<image>"}
    named |= {"global_image_token": "<global-img>", "end_of_utterance_token": "<end_of_utterance>"}
    places = [f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)]
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *named.values(), "<video>", *places]
    tokenizer = byte_tokenizer(
        specials,
        SMOLVLM,
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        pad_token="<|im_end|>",
        extra_special_tokens=named,
    )
    config = SmolVLMConfig(
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            **_TEXT,
            "bos_token_id": 1,
            "eos_token_id": 6,
            "pad_token_id": 2,
            **text,
        },
        vision_config=_VISION,
        image_token_id=4,
        scale_factor=2,
        pad_token_id=2,
    )
    torch.manual_seed(seed)
    SmolVLMForConditionalGeneration(config).save_pretrained(folder)
    sizes = {"size": {"longest_edge": 56}, "max_image_size": {"longest_edge": 28}}
    SmolVLMImageProcessorPil(**sizes).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "processor_config.json").write_text('{"image_seq_len": 1, "processor_class": "SmolVLMProcessor"}')
    return folder


def drawing(width: int = 64, height: int = 40, *, seed: int = 0) -> Any:
    """A picture of random boxes."""
    import random

    from PIL import Image, ImageDraw

    draw = random.Random(seed)
    picture = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(picture)
    for _ in range(6):
        left, top = draw.randrange(width), draw.randrange(height)
        colour = tuple(draw.randrange(256) for _ in range(3))
        pen.rectangle((left, top, left + draw.randrange(4, 30), top + draw.randrange(4, 30)), fill=colour)
    return picture
