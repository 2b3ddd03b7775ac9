"""What a text for people says, sentence by sentence: to see that none is said twice."""

from __future__ import annotations

import re
from collections import Counter

_TIME = re.compile(r"^\d\d:\d\d:\d\d  (?:[\w-]+ +)?(?:check|parameter|run|rollout) +")
_COMMAND = re.compile(r"^##(?:vso\[[^\]]*\]|\[\w+\])")
_LABEL = re.compile(r"^(?:  \w[\w ]{0,8} +| +|error: |OK +|HELD +|do next: |- |\*\*[^*]+\*\* ?|event: )")
_ENTITY = re.compile(r"&#(\d+);")
_FEWEST_WORDS = 3


def sentences(text: str) -> list[str]:
    """Return the sentences of a report, a log or a summary, without times, labels and logging commands."""
    found = []
    for line in text.splitlines():
        plain = _ENTITY.sub(lambda match: chr(int(match[1])), line)
        plain = _TIME.sub("", _COMMAND.sub("", plain))
        plain = re.sub(r"^[\w-]+ [\w.]+ (?:to|in) [\w-]+: ", "", _LABEL.sub("", _LABEL.sub("", plain)))
        found += [one.strip() for one in re.split(r"(?<=[.?!]) ", plain)]
    return [one for one in found if len(one.split()) >= _FEWEST_WORDS and not one.startswith(("|", "http", "["))]


def said_twice(text: str) -> list[str]:
    """Return the sentences that a text has more than once."""
    return [sentence for sentence, times in Counter(sentences(text)).items() if times > 1]
