"""Documents that come with the product, so that a specialist can be tried before one's own are there.

Written for this project in its own words; each says of itself, in its title too, that it is a sample, so that citations
do. They have bases of their own: what an owner brings is not mixed with them.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from metier.core.errors import ConfigError
from metier.core.registry import nearest

# Knowledge base → folder beside this file.
SAMPLE_BASES: dict[str, str] = {"labour-law-samples": "legal"}


def sample_documents(base: str) -> list[tuple[str, bytes]]:
    """The sample documents of a knowledge base, by name. Raises ConfigError where none come for it."""
    if base not in SAMPLE_BASES:
        known = ", ".join(SAMPLE_BASES)
        raise ConfigError("specialists.no_samples", name=base, known=known, hint=nearest(base, list(SAMPLE_BASES)))
    with as_file(files("metier.specialists.samples").joinpath(SAMPLE_BASES[base])) as folder:
        return [(path.name, path.read_bytes()) for path in sorted(Path(folder).rglob("*.md"))]
