"""The summary is Markdown in which no text from outside is more than text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_cd.azure_task.command_result import CommandResult, failed_result, result_of, result_of_several
from ecs_cd.azure_task.summary import escaped, summary_of
from ecs_cd.errors import RunFailed
from ecs_cd.report.combined import Reports
from ecs_cd.report.facts import LinkFact
from ecs_cd.sanitize import sanitize
from tests.unit.report.test_report import FAILED

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


@pytest.mark.parametrize("of", ["api", "a](http://evil.example) ", "<b>"])
def test_pages_of_the_aws_console_are_linked(of: str) -> None:
    report = replace(
        FAILED, links=(LinkFact("logs", of, "https://console/#$252Fecs"), LinkFact("service", of, "no url"))
    )
    told = summary_of(result_of(report), "deploy", sanitize)
    assert told.count("](https://console/#$252Fecs)") == 1
    assert "evil.example)](" not in told and "<b>" not in told and "no url" not in told


def test_of_several_each_has_its_own_links() -> None:
    one, other = (replace(FAILED, service=name, links=(LinkFact("logs", name, f"https://{name}"),)) for name in "ab")
    told = summary_of(result_of_several(Reports.of([one, other], seconds=1)), "deploy", sanitize)
    assert told.index("**a**") < told.index("](https://a)") < told.index("**b**") < told.index("](https://b)")
    assert told.count("**Do next:**") == 2, "one for each service"
