"""The summary is Markdown in which no text from outside is more than text."""

from __future__ import annotations

import pytest

from ecs_cd.azure_task.command_result import CommandResult, failed_result
from ecs_cd.azure_task.summary import escaped, summary_of
from ecs_cd.errors import RunFailed
from ecs_cd.sanitize import sanitize

HOSTILE = [
    "# heading",
    "- entry",
    "1. entry",
    "[link](http://evil.example)",
    "![image](http://evil.example/x.png)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt;",
    "`code` **bold** _it_ ~~gone~~",
    "| cell | cell |",
    "two\nlines\n\n# and more",
    "javascript:alert(1)",
    "@somebody #123 !45",
    "\\[x\\]",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_character_of_a_hostile_text_means_anything(text: str) -> None:
    shown = escaped(text)
    assert not set("<>[]()*_`|#!\\~@:{}^$\n") & set(shown.replace("&#", ""))
    assert not shown.startswith(("-", "+", "=", "1"))


@pytest.mark.parametrize("text", HOSTILE)
def test_evidence_stands_in_a_block_that_nothing_ends(text: str) -> None:
    error = RunFailed("It failed.", details=(f"before\n{text}\n```\n</pre>", text))
    told = summary_of(failed_result(error), "deploy", sanitize)
    block = told.partition("**Because**\n\n")[2]
    assert block
    assert all(line.startswith("    ") for line in block.rstrip("\n").split("\n"))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://x/) [a](b", "http://x/<b>", "http://x y", ""])
def test_a_link_is_made_of_an_address_alone(url: str) -> None:
    assert "](" not in summary_of(CommandResult("Done.", "queued", outputs={"runUrl": url}), "queue-pipeline", sanitize)


def test_a_run_is_linked() -> None:
    result = CommandResult("Done.", "queued", outputs={"runUrl": "https://x/_build?id=1&a=b"})
    told = summary_of(result, "queue-pipeline", sanitize)
    assert "(https://x/_build?id=1&a=b)" in told
