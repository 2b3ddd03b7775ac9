from __future__ import annotations

import pickle
import re

import pytest

import ecs_cd.errors
from ecs_cd.errors import DeliveryFailed, EcsCdError, Interrupted, RunFailed, Throttled, TryLater, WrongInput

HOSTILE = "##vso[task.setvariable variable=x]y \x1b[2J \u202e"


def tree(kind: type[EcsCdError] = EcsCdError) -> list[type[EcsCdError]]:
    below = [
        one for one in kind.__subclasses__() if one.__module__ == kind.__module__
    ]  # the sandbox has one of its own
    return [kind, *(further for one in below for further in tree(one))]


def drawn() -> dict[str, str]:
    """Return each class of the drawing with its parent's name."""
    parents: dict[str, str] = {}
    above: list[str] = []
    for line in (ecs_cd.errors.__doc__ or "").splitlines():
        match = re.match(r"    ((?:\|   |    )*)(?:[|`]-- )?([A-Z]\w+)(?:\s{2,}|$)", line)
        if not match:
            continue
        depth = 0 if match[2] == "EcsCdError" else len(match[1]) // 4 + 1
        above[depth:] = [match[2]]
        parents[match[2]] = above[depth - 1] if depth else ""
    return parents


def test_the_drawn_tree_is_the_real_one() -> None:
    real = {kind.__name__: kind.__mro__[1].__name__ for kind in tree()[1:]}
    assert drawn() == {"EcsCdError": "", **real}


def test_every_reason_is_one_classs_own() -> None:
    reasons = [kind.reason for kind in tree()]
    assert len(set(reasons)) == len(reasons)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", reason) for reason in reasons)


@pytest.mark.parametrize("kind", tree())
def test_the_exit_code_is_the_one_of_the_branch(kind: type[EcsCdError]) -> None:
    table = {WrongInput: 2, DeliveryFailed: 1, TryLater: 3, Interrupted: 130}
    codes = [code for branch, code in table.items() if branch in kind.__mro__] or [1]
    assert [kind.exit_code] == codes


@pytest.mark.parametrize("kind", tree())
def test_trying_again_is_said_to_help_where_it_may_pass_by_itself(kind: type[EcsCdError]) -> None:
    assert kind.retryable is issubclass(kind, TryLater)


def test_nothing_an_error_says_is_a_command() -> None:
    error = RunFailed(HOSTILE, hint=HOSTILE, details=(HOSTILE, HOSTILE), link=HOSTILE)
    error.add((HOSTILE,), link=HOSTILE)
    assert len(error.details) == 3
    for said in (str(error), repr(error), error.message, error.hint, error.link, *error.details):
        assert "##vso" not in said
        assert "\x1b" not in said
        assert "\u202e" not in said


def test_evidence_is_added_and_the_link_kept_unless_there_is_a_new_one() -> None:
    error = RunFailed("It failed.", details=("first",), link="https://one")
    error.add(("second",))
    assert (error.details, error.link) == (("first", "second"), "https://one")
    error.add((), link="https://two")
    assert (error.details, error.link) == (("first", "second"), "https://two")


def test_a_traceback_shows_message_and_hint() -> None:
    assert str(RunFailed("It failed.", hint="Fix it.")) == "It failed. Fix it."
    assert str(RunFailed("It failed.")) == "It failed."


def test_a_service_that_did_not_say_how_long_to_wait_asked_for_nothing() -> None:
    assert Throttled("Slow down.").after == 0


def test_an_error_survives_the_way_between_processes() -> None:
    error = Throttled("Slow down.", hint="Wait.", details=("a",), link="https://x")
    error.after = 3
    again = pickle.loads(pickle.dumps(error))
    assert vars(again) == vars(error)
    assert str(again) == str(error)
