"""The product's own YAML files, read safely and ten times faster: libyaml's parser where PyYAML was built with it.

Users' files go through `yaml.safe_load`: nested a hundred thousand deep, they would overflow libyaml's stack.
"""

from __future__ import annotations

from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(text: str) -> Any:
    """The value that `text` describes: mappings, lists, text and numbers. Raises yaml.YAMLError with its place."""
    loader = _LOADER(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
