"""Tiny random models of real architectures, made on the fly in well under a second."""

from __future__ import annotations

from pathlib import Path

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def byte_tokenizer(chat_template: str = CHATML):
    """A byte-level tokenizer (one token a byte, all text round-trips) with ChatML's special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    vocabulary = {token: index for index, token in enumerate(specials)}
    for character in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary[character] = len(vocabulary)
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
    )
    tokenizer.chat_template = chat_template
    return tokenizer


def tiny_llama(folder: Path, *, seed: int = 0, hidden_size: int = 32, layers: int = 2, **config: object) -> Path:
    """Writes a random Llama with `byte_tokenizer` to `folder` as safetensors, and returns the folder."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = byte_tokenizer()
    values: dict[str, object] = {
        "vocab_size": len(tokenizer),
        "hidden_size": hidden_size,
        "intermediate_size": hidden_size * 2,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 2048,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "tie_word_embeddings": True,
        **config,
    }
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig(**values))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_talker(folder: Path) -> Path:
    """A random Llama whose likeliest answers wander through letters and never end by themselves."""
    import torch
    from safetensors.torch import load_file, save_file

    tiny_llama(folder, tie_word_embeddings=False, initializer_range=0.3, max_position_embeddings=16_384)
    tokenizer = byte_tokenizer()
    weights = load_file(folder / "model.safetensors")
    letters = [tokenizer.convert_tokens_to_ids(letter) for letter in "abcdefghijklmnopqrstuvwxyz"]
    kept = torch.zeros_like(weights["lm_head.weight"])
    kept[letters] = weights["lm_head.weight"][letters]
    weights["lm_head.weight"] = kept
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
