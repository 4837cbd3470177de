"""The `hf` engine: a transformers model in this process. The embedded default, simple and right."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from metier.core.errors import ConfigError
from metier.engines.base import Completion, EngineOptions
from metier.engines.decoding import Decoder
from metier.engines.incremental import IncrementalText
from metier.engines.network import Network
from metier.engines.row import Row
from metier.engines.sampling import Sampling
from metier.engines.scheduling import places_in_memory
from metier.models import hardware
from metier.rendering.eyes.remembering import remembering

if TYPE_CHECKING:
    from pathlib import Path

    from metier.models import ResolvedModel
    from metier.rendering import Prompt, Renderer
    from metier.rendering.eyes import Eyes

# Rows at once where memory allows more: beyond these, a step takes longer in proportion.
_MOST_ROWS = {"cpu": 64, "cuda": 256}
# Padded tokens of one prefill pass.
_PREFILL_TOKENS = {"cpu": 2048, "cuda": 8192}
# Of the machine's memory, for what was seen on the last pictures.
_SIGHT_SHARE = 1 / 64


class HFEngine:
    """Generates with a loaded transformers (or PEFT) model.

    model: in evaluation mode; renderer: makes its prompts; merge_adapter: True folds a LoRA adapter into the weights
    (faster; the given model is changed), None does so in fp32 only, where answers stay the same within rounding.
    """

    def __init__(self, model: Any, renderer: Renderer, *, merge_adapter: bool | None = None) -> None:
        network = Network(model)
        if network.peft and any(config.is_prompt_learning for config in model.peft_config.values()):
            raise ConfigError("engines.adapter_kind", kind=", ".join(c.peft_type for c in model.peft_config.values()))
        if network.peft and (merge_adapter or (merge_adapter is None and network.dtype == torch.float32)):
            network = Network(model.merge_and_unload())
        self._network = network
        self._renderer = renderer
        self._eyes = self._looking()

    @classmethod
    def open(cls, resolved: ResolvedModel, options: EngineOptions) -> HFEngine:
        """Loads the model. Raises ConfigError for settings that only a server engine has."""
        from metier.models import load_model
        from metier.rendering import load_renderer

        refuse_server_settings(options.vllm_config)
        renderer = load_renderer(resolved, template=options.template)
        model = load_model(resolved, dtype=options.dtype, device=options.device)
        return cls(model, renderer, merge_adapter=options.merge_adapter)

    def _looking(self) -> Eyes | None:
        """What looks at pictures: at each once for as long as it is kept, unless an adapter may change what is seen."""
        eyes, network = self._renderer.eyes, self._network
        if eyes is None or network.peft:
            return eyes
        return remembering(eyes, network.core, int(hardware().memory * _SIGHT_SHARE), newest=True)

    @property
    def renderer(self) -> Renderer:
        return self._renderer

    @property
    def context_length(self) -> int:
        return self._network.context_length

    @property
    def has_adapter(self) -> bool:
        """Whether an adapter is attached that `without_adapter` could switch off."""
        return self._network.peft

    def without_adapter(self) -> HFEngine:
        """An engine over the same weights that answers as the base model. Both may be used in turn."""
        if not self.has_adapter:
            raise ConfigError("engines.no_adapter")
        sibling = HFEngine.__new__(HFEngine)
        sibling._network = Network(self._network.model, adapter=False, lock=self._network.lock)
        sibling._renderer = self._renderer
        sibling._eyes = self._renderer.eyes
        return sibling

    def with_adapter(self, folder: Path, name: str) -> HFEngine:
        """An engine over the same weights with an adapter of its own, beside others. This one keeps answering as the
        base. Both may be used in turn; `name` is the adapter's, unique here."""
        from metier.models import attach_adapter

        network = self._network
        with network.lock:
            # What the network calls lies inside: wrapping it adds the adapter's layers to the same modules.
            network.model = attach_adapter(network.model, folder, _adapter_name(name))
            network.peft, network.adapter = True, False
            self._eyes = self._renderer.eyes
        sibling = HFEngine.__new__(HFEngine)
        sibling._network = Network(network.model, adapter=_adapter_name(name), lock=network.lock)
        sibling._renderer = self._renderer
        sibling._eyes = self._renderer.eyes
        return sibling

    def drop_adapter(self) -> None:
        """Frees this engine's adapter of several. It must not be used afterwards."""
        network = self._network
        if isinstance(network.adapter, str):
            with network.lock:
                network.model.delete_adapter(network.adapter)

    def generate(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        *,
        batch_size: int | None = None,
        seeds: Sequence[int] | None = None,
    ) -> Iterator[list[tuple[int, Completion]]]:
        """Yields (index, answer) as answers end. Raises ConfigError for a prompt longer than the model's context."""
        rows = [
            self._row(index, prompt, sampling, sampling.seed + index if seeds is None else seeds[index])
            for index, prompt in enumerate(prompts)
        ]
        if not rows:
            return
        decoder = self._decoder(sampling)
        for touched in decoder.steps(rows, batch_size or self._places(rows)):
            finished = [(row.index, self._completion(row)) for row in touched if row.finish]
            if finished:
                yield finished

    def stream(self, prompt: Prompt, sampling: Sampling) -> Generator[str, None, Completion]:
        """Yields text as soon as it is certain and returns the whole; closing it stops generation."""
        row = self._row(0, prompt, sampling, sampling.seed)
        if row.text is None:
            row = replace(row, text=IncrementalText(self._renderer))
        for _ in self._decoder(sampling).steps([row], 1):
            if row.piece:
                yield row.piece
        return self._completion(row)

    def _row(self, index: int, prompt: Prompt, sampling: Sampling, seed: int) -> Row:
        room = self.context_length - len(prompt.input_ids)
        if room < 1 or not prompt.input_ids:
            raise ConfigError(
                "engines.prompt_too_long", number=index + 1, tokens=len(prompt.input_ids), context=self.context_length
            )
        text = IncrementalText(self._renderer, sampling.stop) if sampling.stop else None
        eyes = self._renderer.eyes
        extra = eyes.cost(len(prompt.pictures)) if eyes is not None else 0
        limit = min(sampling.max_new_tokens, room)
        return Row(index, prompt.input_ids, seed, limit, text, pictures=prompt.pictures, extra=extra)

    def _decoder(self, sampling: Sampling) -> Decoder:
        return Decoder(
            self._network,
            sampling,
            stop_ids=self._renderer.stop_ids,
            pad_id=self._renderer.pad_id,
            token_budget=_PREFILL_TOKENS.get(self._network.device.type, 2048),
            eyes=self._eyes,
        )

    def _places(self, rows: Sequence[Row]) -> int:
        network = self._network
        longest = max(len(row.prompt_ids) + row.limit + (row.extra if network.looking_layers else 0) for row in rows)
        return places_in_memory(
            free_bytes=network.free_bytes,
            bytes_per_token=network.bytes_per_token,
            bytes_per_row=16 * int(network.config.vocab_size),
            tokens_per_row=longest,
            most=_MOST_ROWS.get(network.device.type, 64),
        )

    def _completion(self, row: Row) -> Completion:
        text = self._renderer.decode(row.ids) if row.text is None else row.text.text
        assert row.finish is not None  # noqa: S101 - the caller asks for finished rows only
        return Completion(text, row.ids, row.finish, len(row.prompt_ids))


def _adapter_name(name: str) -> str:
    """A name that PEFT takes as part of a module's name."""
    return f"a{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def refuse_server_settings(vllm_config: dict[str, Any]) -> None:
    """Raises ConfigError where settings are given that need a server engine."""
    if vllm_config:
        raise ConfigError("engines.server_setting", settings=", ".join(vllm_config))
