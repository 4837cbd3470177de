"""A model's opinion where words alone do not decide whether a passage bears out a sentence.

Asked only about sentences that are neither plainly borne out nor plainly not, and only of a model that has told true
from false on pairs whose answer is known; a model that cannot is never asked again.
"""

from __future__ import annotations

from collections.abc import Sequence

from metier.core.errors import MetierError
from metier.core.i18n import Language, translate
from metier.data.messages import message
from metier.engines.chatmodel import ChatModel, Request, Turn, whole_answer
from metier.engines.sampling import Sampling

# Lexical support between these leaves the question open.
DOUBTFUL = (0.15, 0.6)
_SHORT = Sampling(temperature=0.0, max_new_tokens=8)
# passage, sentence, whether the passage bears it out; the second differs from the first in what matters.
_CONTROLS: dict[Language, tuple[tuple[str, str, bool], ...]] = {
    "en": (
        ("The tenant returns the keys within three days after the lease has ended.",
         "When the lease is over, keys must be handed back inside of three days.", True),
        ("The tenant returns the keys within three days after the lease has ended.",
         "The landlord must pay for new keys when the lease is over.", False),
        ("Dogs are welcome in the garden, but not in the dining room.",
         "You may take your dog into the garden.", True),
        ("Dogs are welcome in the garden, but not in the dining room.",
         "You may take your dog into the dining room.", False),
    ),
    "zh": (
        ("租期届满后三日内，承租人应当交还钥匙。", "租约到期以后，租客要在三天之内把钥匙还回来。", True),
        ("租期届满后三日内，承租人应当交还钥匙。", "租约到期以后，房东要在三天之内支付换锁的费用。", False),
        ("宠物可以进入花园，但不得进入餐厅。", "您可以带狗到花园里去。", True),
        ("宠物可以进入花园，但不得进入餐厅。", "您可以带狗到餐厅里去。", False),
    ),
}  # fmt: skip
_ABLE: dict[tuple[str, Language], bool] = {}


async def opinion(model: ChatModel, sentence: str, texts: Sequence[str], language: Language) -> bool | None:
    """Whether a model finds that texts bear out a sentence; None where it cannot tell, or cannot be trusted to."""
    known = (model.name, language)
    if known not in _ABLE:
        said = [await _ask(model, said, [text], language) for text, said, _ in _CONTROLS[language]]
        _ABLE[known] = said == [right for _, _, right in _CONTROLS[language]]
    return await _ask(model, sentence, texts, language) if _ABLE[known] else None


async def _ask(model: ChatModel, sentence: str, texts: Sequence[str], language: Language) -> bool | None:
    passage = "\n\n".join(texts).replace("<<<", "‹‹‹").replace(">>>", "›››")
    asked = translate("specialists.bears_out", language=language, passage=passage, sentence=sentence)
    request = Request((Turn(message("user", asked)),), _SHORT, enable_thinking=False)
    try:
        told = await whole_answer(model, request)
    except MetierError:
        return None
    word = told.strip().lower().lstrip("\"'“*")
    if word.startswith(("yes", "是")):
        return not word.startswith("是否")
    return False if word.startswith(("no", "否", "不")) else None
