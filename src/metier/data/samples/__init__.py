"""The shipped sample sets (made by `tools/make_samples.py`) and the control that goes with them.

`index.yaml` lists the sets; each is a gzipped file of OpenAI messages. They are samples to try the software
with: general textbook knowledge, not medical advice.
"""

from metier.data.samples.control import shuffled_labels

__all__ = ["shuffled_labels"]
