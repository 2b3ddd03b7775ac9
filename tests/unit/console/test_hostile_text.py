"""Whatever comes from outside, the console prints no command, no control character and no secret."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.console import Mode
from ecs_cd.errors import EcsCdError, RunFailed
from ecs_cd.model.events import (
    Event,
    LockMet,
    Phase,
    PhaseEnded,
    PhaseStarted,
    RolloutChanged,
    RunChanged,
    RunChosen,
    RunGivenUp,
    RunLeft,
    Warned,
)
from ecs_cd.model.run import Run, RunOrigin, RunProgress, RunState, TimelineRecord
from ecs_cd.model.service import (
    Deployment,
    ServiceEvent,
    ServiceSnapshot,
    ServiceTarget,
    Serving,
    TaskDefinition,
    Verdict,
)
from ecs_cd.model.state_lock import StateLock
from tests.support.console_script import Screen

SECRET = "s3cr3t%;]w\u00f6rd\nsecond line of it"
BASIC = base64.b64encode(f":{SECRET}".encode()).decode()
_OURS = re.compile(
    r"##vso\[task\.(?:setprogress value=\d+|logissue type=(?:error|warning));\]|##\[(?:section|warning|error)\]"
)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

bits = st.sampled_from(
    [
        "##vso[task.complete result=Failed;]",
        "##[error]",
        "##",
        "#",
        "[",
        "vso[",
        "\x1b[2J",
        "\r",
        "\n",
        "\u202e",
        "\u2028",
        "\ud800",
        "%0A",
        "%AZP25",
        SECRET,
        BASIC,
        "second line of it",
        "\t",
        "]",
        ";",
        "\x9b31m",
    ]
)
texts = st.lists(st.one_of(bits, st.text(max_size=5)), max_size=6).map("".join)
records = st.builds(
    TimelineRecord,
    id=texts,
    parent_id=texts,
    kind=st.one_of(st.sampled_from(["Stage", "Job", "Task", "Checkpoint", "Checkpoint.Approval"]), texts),
    name=texts,
    state=st.one_of(st.sampled_from(["inProgress", "completed"]), texts),
    result=texts,
    order=st.integers(0, 3),
)
runs = st.builds(Run, st.integers(1, 2), texts, texts, st.sampled_from(RunState), st.just(7))
deployments = st.builds(
    Deployment,
    texts,
    st.just("PRIMARY"),
    st.builds(TaskDefinition, texts, st.just(())),
    desired=st.integers(-1, 3),
    running=st.integers(0, 5),
    created_at=st.sampled_from([None, datetime(2026, 1, 1, tzinfo=timezone.utc)]),
)
service_events = st.builds(ServiceEvent, texts, st.just(datetime(2026, 1, 2, tzinfo=timezone.utc)), texts)
snapshots = st.builds(
    ServiceSnapshot,
    st.builds(ServiceTarget, texts, texts),
    texts,
    st.integers(0, 3),
    st.integers(0, 3),
    events=st.lists(service_events, max_size=3).map(tuple),
)
verdicts = st.builds(Verdict, st.sampled_from(Serving), texts, texts, st.none() | deployments)
phases = st.sampled_from(Phase)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(PhaseStarted, phases, texts),
    st.builds(PhaseEnded, phases, texts),
    st.builds(Warned, texts),
    st.builds(RunChanged, st.builds(RunProgress, runs, st.lists(records, max_size=4).map(tuple))),
    st.builds(RolloutChanged, snapshots, verdicts),
    st.builds(RunChosen, runs, st.sampled_from(RunOrigin)),
    st.builds(RunGivenUp, runs, runs),
    st.builds(RunLeft, runs, texts, st.none() | runs),
    st.builds(LockMet, runs, st.builds(StateLock, texts), texts, st.floats(0, 100)),
)
errors = st.builds(
    lambda message, hint, details, link: RunFailed(message, hint=hint, details=tuple(details), link=link),
    texts,
    texts,
    st.lists(texts, max_size=2),
    texts,
)


def must_be_harmless(text: str) -> None:
    assert not _UNPRINTABLE.search(text)
    for hidden in (SECRET, BASIC.rstrip("="), *SECRET.splitlines()):
        assert hidden not in text
    for line in text.splitlines():
        rest = _OURS.sub("", line, count=1) if _OURS.match(line) else line
        assert "##vso[" not in rest.lower()
        assert "##[" not in rest


@pytest.mark.parametrize("mode", [Mode.LINES, Mode.AZURE])
@given(told=st.lists(events, max_size=6))
def test_no_event_can_make_the_console_print_harm(mode: Mode, told: list[Event]) -> None:
    screen = Screen(mode, secrets=[SECRET])
    screen.play(*told)
    must_be_harmless(screen.err.getvalue())
    stamped = r"(?:##\[section\])?\d\d:\d\d:\d\d  |##vso\[|##\[warning\]"
    assert all(re.match(stamped, line) for line in screen.err.getvalue().splitlines())


@pytest.mark.parametrize("mode", [Mode.LINES, Mode.AZURE])
@given(error=errors, debug=st.booleans())
def test_no_error_can_make_the_console_print_harm(mode: Mode, error: EcsCdError, debug: bool) -> None:
    screen = Screen(mode, secrets=[SECRET], output="json")
    try:
        raise error
    except EcsCdError as raised:
        screen.console.error(raised, debug=debug)
    must_be_harmless(screen.err.getvalue())
    must_be_harmless(screen.out.getvalue())
    assert json.loads(screen.out.getvalue())["error"]["reason"] == "run-failed"


@given(text=texts)
def test_no_result_can_make_the_console_print_harm(text: str) -> None:
    screen = Screen(Mode.LINES, secrets=[SECRET])
    screen.console.result(text)
    screen.console.json({text: [text, {"a": text}]})
    must_be_harmless(screen.out.getvalue())


def test_secrets_of_less_than_six_characters_are_not_masked() -> None:
    screen = Screen(Mode.LINES, secrets=["abcde", "abcdefg"])
    screen.console.result("abcde abcdefg abcdef")
    assert screen.out.getvalue() == "abcde *** abcdef\n"


def test_a_secret_learnt_later_is_masked_from_then_on() -> None:
    screen = Screen(Mode.LINES)
    screen.console.hide("token-of-the-job")
    screen.console.result("Bearer token-of-the-job")
    assert screen.out.getvalue() == "Bearer ***\n"


def test_a_secret_is_masked_in_the_form_in_which_neutral_text_has_it() -> None:
    screen = Screen(Mode.LINES, secrets=["pass\x1bword"])
    screen.console.error(RunFailed("refused pass\x1bword"))
    assert screen.lines == ["error: refused ***"]


@pytest.mark.parametrize("mode", [Mode.LINES, Mode.AZURE])
def test_a_secret_that_only_escaping_brings_about_is_masked(mode: Mode) -> None:
    screen = Screen(mode, secrets=[r"pass\x1bword"])
    screen.play(Warned("refused pass\x1bword"))
    screen.console.result("refused pass\x1bword")
    assert screen.lines[0].endswith("refused ***")
    assert screen.out.getvalue() == "refused ***\n"
