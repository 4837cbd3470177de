"""What the whole house agrees on: every text in two languages, every field explained, nothing forbidden."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
import yaml

import metier
from metier.cli.options import switches
from metier.core.i18n import catalogue
from metier.recipes.recipe import SECTIONS, load_recipe, shipped_recipes

ROOT = Path(metier.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))
CATALOGUES = sorted([*ROOT.glob("*/locale.yaml"), *ROOT.glob("*/locale/*.yaml")])
TEMPLATES = sorted(ROOT.glob("web/templates/*.html"))
KEY = re.compile(r"^[a-z]+\.[a-zA-Z_][\w.-]*$")


@cache
def texts(path: Path) -> dict[str, dict[str, str]]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_is_there_in_both_languages_with_the_same_placeholders(path: Path) -> None:
    for key, entry in texts(path).items():
        assert set(entry) == {"en", "zh"}, key
        fields = {lang: {name for _, name, _, _ in Formatter().parse(text) if name} for lang, text in entry.items()}
        assert fields["en"] == fields["zh"], key


def test_no_key_of_a_package_stands_in_two_of_its_files() -> None:
    """The later file would win, and whoever meant the other text would tell the wrong thing, or fail."""
    owners: dict[tuple[str, str], Path] = {}
    for path in CATALOGUES:
        package = path.relative_to(ROOT).parts[0]
        for key in texts(path):
            assert owners.setdefault((package, key), path) == path, f"{package}.{key}: {path.name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_message_that_the_source_names_exists(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        key = node.args[0].value
        if (name.endswith("Error") or name == "translate") and isinstance(key, str) and KEY.match(key):
            package, _, rest = key.partition(".")
            if (ROOT / package).is_dir():
                assert rest in catalogue(package), key


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_text_that_a_template_names_exists_and_none_is_typed_in_it(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    for key in re.findall(r"""\bt\(\s*'([^'~]+)'\s*[,)]""", source):
        package, _, rest = key.partition(".") if "." in key else ("web", ".", key)
        assert rest in catalogue(package), key
    plain = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}|<!--.*?-->", " ", source, flags=re.DOTALL)
    plain = re.sub(r"<(script|style|code|pre|kbd)\b.*?</\1>|<[^>]*>", " ", plain, flags=re.DOTALL)
    plain = re.sub(r"\b[\w*]+\.(json|jsonl|csv|yaml|txt|html|xlsx)\b", " ", plain)
    words = set(re.findall(r"[^\W\d_]{2,}", plain)) - {
        "Métier",
        "中文",
        "English",
        "CSV",
        "YAML",
        "JSON",
        "JSONL",
        "API",
    }
    assert not words, f"words outside the catalogue: {sorted(words)[:8]}"


@pytest.mark.parametrize("section", SECTIONS)
def test_every_parameter_has_a_label_and_a_help(section: str) -> None:
    spec = SECTIONS[section]
    known = catalogue(spec.__module__.split(".")[1])
    for field in spec.model_fields:
        for part in ("label", "help"):
            assert f"{spec.__name__}.{field}.{part}" in known, field


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_comes_from_data(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("eval", "exec", "pickle.load", "pickle.loads", "yaml.load", "torch.load", "os.system")
            for keyword in node.keywords:
                assert not (keyword.arg in ("trust_remote_code", "shell") and ast.unparse(keyword.value) == "True")


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_profile_loads(name: str) -> None:
    for profile in yaml.safe_load(shipped_recipes()[name])["profiles"]:
        assert load_recipe(name, profile=profile).profile == profile


def test_switches_are_known_by_name() -> None:
    assert {"packing", "train_on_history", "allow_truncated_answers"} <= switches()


def test_every_file_of_the_package_is_installed_with_it() -> None:
    """Package data is named by patterns: a file of a new kind would be missing from an installed Métier."""
    import tomllib

    root = Path(__file__).resolve().parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["metier"]
    suffixes = {Path(pattern).suffix for pattern in patterns if pattern.startswith("**/")} | {".py", ".pyc", ".typed"}
    files = [path for path in (root / "src" / "metier").rglob("*") if path.is_file()]
    assert sorted(str(path) for path in files if path.suffix not in suffixes) == []
