from __future__ import annotations

import ast
import copy
import json
import pickle
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ecs_cd
from ecs_cd.azure_task.inputs import COMMANDS, input_name
from ecs_cd.azure_task.wording import task_wording
from ecs_cd.cli import main as command_line
from ecs_cd.cli.wording import command_line_wording
from ecs_cd.errors import DeliveryFailed, RunFailed
from ecs_cd.messages import (
    ArgumentRef,
    CallRef,
    CommandRef,
    Message,
    Reference,
    Right,
    SettingRef,
    Wording,
    library_wording,
    sanitized,
    sentences,
    worded,
)
from ecs_cd.report.facts import Failure
from ecs_cd.settings import BY_NAME

HERE = Path(ecs_cd.__file__).parent
FRONT_ENDS = ("cli", "azure_task", "sandbox")
WORDINGS = (library_wording, command_line_wording, task_wording)
COMMAND = CommandRef("rollback", "my-api", "development")


@pytest.mark.parametrize(
    ("reference", "library", "typed", "task"),
    [
        (SettingRef("timeout"), "`timeout=`", "--timeout", "input 'timeout'"),
        (SettingRef("order", "semver"), "`order='semver'`", "--order semver", "input 'order': semver"),
        (SettingRef("variables"), "`variables=`", "--variable", "input 'variables'"),
        (SettingRef("service"), "`service=`", "SERVICE", "input 'service'"),
        (SettingRef("promote_from"), "`promote_from=`", "--from", "input 'promoteFrom'"),
        (SettingRef("ecs_service"), "`ecs_service=`", "--ecs-service", "input 'ecsService'"),
        (
            SettingRef("azure_devops_pat"),
            "`connection=` or ECS_CD_AZURE_DEVOPS_PAT",
            "ECS_CD_AZURE_DEVOPS_PAT",
            "input 'azureDevOpsConnection' or ECS_CD_AZURE_DEVOPS_PAT",
        ),
        (ArgumentRef("to"), "`to=`", "--to", "input 'tag'"),
        (CallRef("deploy_many"), "deploy_many()", "`ecs-cd deploy-many`", "the task"),
        (
            CallRef("deploy", "my-api", "development"),
            "deploy('my-api', 'development')",
            "`ecs-cd deploy my-api development`",
            "service: my-api, environment: development",
        ),
        (CallRef("get_parameter"), "get_parameter()", "`ecs-cd parameter get`", "the task"),
        (CallRef("set_parameter"), "set_parameter()", "`ecs-cd parameter set`", "the task"),
        (CallRef("queue_run"), "queue_run()", "`ecs-cd pipeline queue`", "the task"),
        (CommandRef("verify", "a", "b"), "`ecs_cd.verify('a', 'b')`", "`ecs-cd verify a b`", "command 'verify'"),
        (ArgumentRef("service"), "`service=`", "--service", "input 'service'"),
        (CommandRef("history"), "`ecs_cd.history()`", "`ecs-cd history`", "`ecs-cd history`"),
        (Right("ecs:ListTasks"), "ecs:ListTasks", "ecs:ListTasks", "ecs:ListTasks"),
        (Right("ssm:GetParameter", "/a/b"), *["ssm:GetParameter on /a/b"] * 3),
    ],
)  # fmt: skip
def test_each_front_end_writes_a_reference_in_its_own_form(
    reference: Reference, library: str, typed: str, task: str
) -> None:
    message = Message("See ", reference, ".")
    assert message == f"See {library}."
    assert [message.worded(wording) for wording in WORDINGS] == [f"See {library}.", f"See {typed}.", f"See {task}."]


@pytest.mark.parametrize("wording", WORDINGS)
def test_every_setting_can_be_written_by_every_front_end(wording: Wording) -> None:
    for name in BY_NAME:
        assert wording(SettingRef(name))


def test_a_message_within_a_message_keeps_its_references() -> None:
    whole = Message("First ", Message("name ", SettingRef("timeout"), "."), " Then stop.")
    assert whole.worded(command_line_wording) == "First name --timeout. Then stop."


def test_sentences_stand_one_after_another_and_keep_their_references() -> None:
    told = sentences("", "One.", "", Message("Set ", SettingRef("order"), "."))
    assert told == "One. Set `order=`."
    assert worded(told, command_line_wording) == "One. Set --order."
    assert sentences("", "") == ""


def test_an_error_keeps_references_in_message_hint_and_details() -> None:
    reference = Message("give ", SettingRef("region"))
    error = DeliveryFailed(reference, hint=reference, details=(reference, "plain"))
    error.add(hint=Message("First ", SettingRef("timeout"), "."))
    assert str(error) == "give `region=` First `timeout=`. give `region=`"
    failure = worded(Failure.of(error), command_line_wording)
    assert failure.message == "give --region"
    assert failure.hint == "First --timeout. give --region"
    assert failure.details == ("give --region", "plain")


def test_json_of_a_failure_holds_plain_text() -> None:
    hint = Message("Allow more with ", SettingRef("timeout"), ".")
    plain = json.loads(json.dumps(asdict(Failure.of(RunFailed("It failed.", hint=hint)))))
    assert plain["hint"] == "Allow more with `timeout=`."


def test_a_copy_keeps_its_references() -> None:
    message = Message("See ", COMMAND, ".")
    for copied in (copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert copied == message
        assert copied.worded(command_line_wording) == "See `ecs-cd rollback my-api development`."


@dataclass(frozen=True)
class _Nested:
    texts: tuple[str, ...]
    inner: _Nested | None = None
    number: int = 0


def test_all_messages_of_a_value_are_worded_and_a_value_without_one_is_left_as_it_is() -> None:
    message = Message(SettingRef("timeout"))
    value = _Nested(("plain", message), _Nested((message,), number=1))
    assert worded(value, command_line_wording) == _Nested(("plain", "--timeout"), _Nested(("--timeout",), number=1))
    plain = _Nested(("plain",), _Nested(()))
    assert worded(plain, command_line_wording) is plain


TEXT = st.text(st.sampled_from("ab \x1b\n##vso[]"), max_size=12)
REFERENCE = st.builds(CommandRef, st.just("rollback"), TEXT, TEXT) | st.builds(Right, TEXT, TEXT)


@given(parts=st.lists(TEXT | REFERENCE, max_size=5))
def test_nothing_in_a_sanitized_message_is_obeyed_in_any_wording(parts: list[str | Reference]) -> None:
    message = sanitized(Message(*parts))
    for wording in WORDINGS:
        told = worded(message, wording)
        assert "\x1b" not in told
        assert "##vso[" not in told


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(HERE.rglob("*.py")):
        yield path.relative_to(HERE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the sentences of a module: its string constants but docstrings, single words and foreign commands."""
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            text = re.sub(r"`(aws|git|terraform) [^`]*`", "", node.value)
            if " " in text:
                yield node.lineno, text


def test_no_text_outside_the_front_ends_spells_a_flag_or_a_command() -> None:
    commands = "|".join(command_line._COMMANDS)
    spelled = re.compile(rf"(?<![\w-])--(?=[a-z]|$)|ecs-cd ({commands})\b")
    found = [
        f"{name}:{line}: {text!r}"
        for name, tree in modules()
        if not name.startswith(FRONT_ENDS)
        for line, text in texts(tree)
        if spelled.search(text)
    ]
    assert not found, "name them by SettingRef, ArgumentRef and CommandRef"


def test_no_text_of_the_task_spells_a_flag_of_the_command_line() -> None:
    flags = "|".join(setting.switch for setting in BY_NAME.values() if setting.switch)
    found = [
        f"{name}:{line}: {text!r}"
        for name, tree in modules()
        if name.startswith("azure_task")
        for line, text in texts(tree)
        if re.search(rf"(?<![\w-])({flags})\b", text)
    ]
    assert not found


def references() -> Iterator[tuple[str, str]]:
    """Yield the kind and name of each reference in the library."""
    for _, tree in modules():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            kind, name = node.func.id, node.args[0]
            if kind in ("SettingRef", "ArgumentRef", "CommandRef") and isinstance(name, ast.Constant):
                yield kind, str(name.value)


def test_what_is_referred_to_exists() -> None:
    found = set(references())
    assert {kind for kind, _ in found} >= {"SettingRef", "ArgumentRef", "CommandRef"}
    for kind, name in found:
        if kind == "SettingRef":
            assert name in BY_NAME
        elif kind == "CommandRef":
            assert name in command_line._COMMANDS
            assert CommandRef(name).function in dir(ecs_cd)
        else:
            told, flag = task_wording(ArgumentRef(name)), command_line_wording(ArgumentRef(name))
            assert any(told == f"input '{input_name(known)}'" for names in COMMANDS.values() for known in names)
            assert flag in flags_of_commands()


def flags_of_commands() -> set[str]:
    """Return every flag of the command line."""
    commands = [
        command_line.commands.get_command(click.Context(command_line.commands), name) for name in command_line._COMMANDS
    ]
    groups = [list(one.commands.values()) if isinstance(one, click.Group) else [one] for one in commands if one]
    return {flag for group in groups for command in group for option in command.params for flag in option.opts}
