"""One vision training with TRL's SFTTrainer, in its own environment: `python run_trl_vision.py settings.json`.

With the collator that TRL's and transformers' guides write for Llama 3.2 Vision: the processor on a batch's texts and
pictures, labels on the answers alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from clock import Clock
from datasets import Dataset
from peft import LoraConfig
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor
from trl import SFTConfig, SFTTrainer


class RowClock(Clock):
    """Counts rows: their tokens are not known before they are collated."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **extra: Any) -> None:
        import time

        self.record["rows"] = len(extra["train_dataloader"].dataset)
        self.began = (time.perf_counter(), time.process_time())


def collator(processor: Any) -> Any:
    """Rows to a padded batch whose labels are the answers."""

    def text(row: dict[str, str], *, answered: bool) -> str:
        question = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": row["question"]}]}
        answer = {"role": "assistant", "content": [{"type": "text", "text": row["answer"]}]}
        if answered:
            return str(processor.apply_chat_template([question, answer]))
        return str(processor.apply_chat_template([question], add_generation_prompt=True))

    def collate(rows: list[dict[str, str]]) -> dict[str, Any]:
        pictures = [[Image.open(row["image"]).convert("RGB")] for row in rows]
        texts = [text(row, answered=True) for row in rows]
        options = {"return_tensors": "pt", "padding": True, "padding_side": "right", "add_special_tokens": False}
        batch = processor(images=pictures, text=texts, **options)
        labels = batch["input_ids"].clone()
        labels[batch["attention_mask"] == 0] = -100
        for number, row in enumerate(rows):
            prompt = processor.tokenizer(text(row, answered=False), add_special_tokens=False)["input_ids"]
            labels[number, : len(prompt)] = -100
        batch["labels"] = labels
        return dict(batch)

    return collate


def main() -> None:
    given: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    clock = RowClock()
    processor = AutoProcessor.from_pretrained(given["model"])
    arguments = SFTConfig(
        output_dir=given["output"],
        per_device_train_batch_size=given["rows_per_step"],
        num_train_epochs=given["epochs"],
        train_sampling_strategy="sequential",
        learning_rate=given["learning_rate"],
        lr_scheduler_type="constant",
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        bf16=False,
        gradient_checkpointing=False,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_pin_memory=False,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        seed=given["seed"],
        disable_tqdm=True,
        max_length=None,
    )
    trainer = SFTTrainer(
        model=AutoModelForImageTextToText.from_pretrained(given["model"], dtype="float32"),
        args=arguments,
        data_collator=collator(processor),
        train_dataset=Dataset.from_list(json.loads(Path(given["rows"]).read_text(encoding="utf-8"))),
        processing_class=processor,
        peft_config=LoraConfig(
            r=8, lora_alpha=16, lora_dropout=0.0, target_modules=given["targets"], task_type="CAUSAL_LM"
        ),
        callbacks=[clock],
    )
    trainer.train()
    clock.write(Path(given["result"]))


if __name__ == "__main__":
    main()
