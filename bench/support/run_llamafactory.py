"""One training with LLaMA-Factory, in its own environment: `python run_llamafactory.py settings.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from clock import Clock
from llamafactory.train.tuner import run_exp


def main() -> None:
    given: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    clock = Clock()
    run_exp(
        {
            "stage": "sft",
            "do_train": True,
            "model_name_or_path": given["model"],
            "template": "smollm2",
            "dataset_dir": given["data"],
            "dataset": "train",
            "cutoff_len": given["cutoff_len"],
            "overwrite_cache": True,
            "disable_shuffling": True,
            "finetuning_type": "lora",
            "lora_rank": given["lora_rank"],
            "lora_alpha": given["lora_alpha"],
            "lora_dropout": 0.0,
            "lora_target": "all",
            "disable_gradient_checkpointing": True,
            "per_device_train_batch_size": given["per_device"],
            "gradient_accumulation_steps": given["rows_per_step"] // given["per_device"],
            "num_train_epochs": 1.0,
            "learning_rate": given["learning_rate"],
            "lr_scheduler_type": "constant",
            "max_grad_norm": 1.0,
            "optim": "adamw_torch_fused",
            "logging_steps": 1,
            "save_strategy": "no",
            "report_to": "none",
            "use_cpu": True,
            "dataloader_num_workers": 0,
            "seed": given["seed"],
            "output_dir": given["output"],
            "disable_tqdm": True,
        },
        callbacks=[clock],
    )
    clock.write(Path(given["result"]))


if __name__ == "__main__":
    main()
