"""The parameters users know."""

from __future__ import annotations

import pytest

from metier.core.errors import ConfigError
from metier.core.i18n import LANGUAGES, translate
from metier.core.specs import parse_spec
from metier.predict import PredictSpec


def test_parameters_of_vllm_infer_are_taken_as_they_are() -> None:
    values = {
        "model_name_or_path": "m",
        "adapter_name_or_path": "a",
        "dataset_dir": "d",
        "dataset": "x",
        "template": "llama3",
        "cutoff_len": 2048,
        "max_samples": 500,
        "save_name": "p.jsonl",
        "temperature": 0.1,
        "top_p": 0.9,
        "top_k": 40,
        "max_new_tokens": 512,
        "repetition_penalty": 1.1,
        "batch_size": 8,
        "seed": 42,
        "vllm_config": '{"tensor_parallel_size": 4}',
    }
    spec = parse_spec(PredictSpec, values, source="command line")
    assert spec.vllm_config == {"tensor_parallel_size": 4}
    assert (spec.sampling.repetition_penalty, spec.sampling.top_k, spec.sampling.seed) == (1.1, 40, 42)


@pytest.mark.parametrize("text", ["{tensor: 4}", "[1]", "4"])
def test_server_settings_that_are_no_json_object_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"vllm_config.*JSON"):
        parse_spec(PredictSpec, {"vllm_config": text}, source="command line")


def test_every_field_has_label_and_help_in_both_languages() -> None:
    for name in PredictSpec.model_fields:
        for kind in ("label", "help"):
            for language in LANGUAGES:
                assert translate(f"predict.PredictSpec.{name}.{kind}", language=language)
