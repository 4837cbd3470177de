"""One training with TRL's SFTTrainer, in its own environment: `python run_trl.py settings.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from clock import Clock
from datasets import Dataset
from peft import LoraConfig
from trl import SFTConfig, SFTTrainer


def conversations(path: Path) -> Dataset:
    """Alpaca rows as TRL's prompt and completion: the loss is on the completion."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return Dataset.from_list(
        [
            {
                "prompt": [{"role": "user", "content": "\n".join(filter(None, (row["instruction"], row["input"])))}],
                "completion": [{"role": "assistant", "content": row["output"]}],
            }
            for row in rows
        ]
    )


def main() -> None:
    given: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    clock = Clock()
    arguments = SFTConfig(
        output_dir=given["output"],
        max_length=given["cutoff_len"],
        packing=given["packing"],
        completion_only_loss=True,
        model_init_kwargs={"dtype": "float32"},
        per_device_train_batch_size=given["per_device"],
        gradient_accumulation_steps=given["accumulation"],
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        learning_rate=given["learning_rate"],
        lr_scheduler_type="constant",
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        bf16=False,
        gradient_checkpointing=False,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        seed=given["seed"],
        disable_tqdm=True,
    )
    lora = LoraConfig(
        r=given["lora_rank"],
        lora_alpha=given["lora_alpha"],
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    trainer = SFTTrainer(
        model=given["model"],
        args=arguments,
        train_dataset=conversations(Path(given["data"]) / "train.json"),
        peft_config=lora,
        callbacks=[clock],
    )
    trainer.train()
    trainer.save_model(given["output"])
    clock.write(Path(given["result"]))


if __name__ == "__main__":
    main()
