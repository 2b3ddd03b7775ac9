"""Inputs: their names, their values, and what is wrong with them."""

from __future__ import annotations

import pytest

from ecs_cd.azure_task.inputs import input_name, names_by_command, read
from ecs_cd.errors import SettingsError
from tests.integration.azure_task.library_side import DIRECT, Task
from tests.support.simulated_clouds import SimulatedClouds


def refused(**inputs: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(inputs)
    return "\n".join([caught.value.message, *caught.value.details])


def test_an_input_is_a_setting_in_camel_case() -> None:
    assert [input_name(n) for n in ("wait_for_image", "service", "settings", "region", "ecs_service")] == [
        "waitForImage",
        "service",
        "configFile",
        "regionName",
        "ecsService",
    ]


def test_the_inputs_of_every_command_are_listed() -> None:
    names = names_by_command()
    assert set(names["read-tag"]) == {"service", "tagFile", "tagVariable"}
    assert {"templateParameters", "regionName", "tagFile", "dryRun"} <= set(names["deploy"])
    assert all(len(set(each)) == len(each) for each in names.values())


@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_a_blank_input_is_not_given(value: str) -> None:
    given = read({"command": "deploy", "timeout": value, "tag": value})
    assert (given.settings, given.tag) == ({}, None)


def test_inputs_of_the_node_side_are_not_ours_to_judge() -> None:
    given = {"command": "deploy", "awsCredentials": "x", "azureDevOpsConnection": "y", "pythonPath": "z"}
    assert read(given).unused == ()


def test_an_unknown_input_is_told_with_the_one_that_was_meant() -> None:
    assert "Did you mean 'timeout'?" in refused(command="deploy", timeot="1m")


@pytest.mark.parametrize("command", ["", "deplyo"])
def test_an_unknown_command_is_told(command: str) -> None:
    assert refused(command=command).startswith("input 'command':")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeout", "soon"),
        ("timeout", "0"),
        ("checkImage", "maybe"),
        ("dryRun", "maybe"),
        ("order", "random"),
        ("service", "my api"),
        ("environment", "-"),
        ("tag", "a b"),
        ("regionName", "eu west"),
        ("templateParameters", "no equals sign"),
        ("roleArn", "role"),
        ("organization", "https://user:hidden-word@dev.azure.com/x"),
    ],
)
def test_a_wrong_value_is_told_by_the_input_s_name(name: str, value: str) -> None:
    told = refused(command="deploy", **{name: value})
    assert told.startswith(f"input '{name}': ")
    assert "--" not in told
    assert "hidden-word" not in told


def test_all_mistakes_are_told_at_once() -> None:
    told = refused(command="deploy", timeout="soon", order="random", nothing="x")
    assert "3 mistakes" in told
    assert all(word in told for word in ("timeout", "order", "nothing"))


def test_a_tag_and_a_tag_file_contradict_each_other() -> None:
    assert "tagFile" in refused(command="deploy", tag="1", tagFile="x")


@pytest.mark.parametrize("name", ["a b", "build.buildId", "SYSTEM_ACCESSTOKEN", "agent.x", "a]b", "secret.x", "PATH"])
def test_a_variable_of_the_agent_s_own_is_not_to_be_set(name: str) -> None:
    assert refused(command="read-tag", tagVariable=name).startswith("input 'tagVariable':")


def test_read_tag_needs_a_variable() -> None:
    assert "tagVariable" in refused(command="read-tag")


def test_an_input_of_another_command_is_no_mistake_but_is_told() -> None:
    assert read({"command": "verify", "branch": "main", "wait": "false", "order": "numeric"}).unused == ("branch",)
    assert read({"command": "deploy", "wait": "false", "tagVariable": "x"}).unused == ("tagVariable",)


def test_a_missing_setting_is_named_as_an_input(task: Task, clouds: SimulatedClouds) -> None:
    ran = task("deploy", {**{k: v for k, v in DIRECT.items() if k != "branch"}, "tag": "102"})
    ran.ended("Failed", "input 'branch'")
    assert "--branch" not in ran.told
    assert clouds.writes() == []


def test_a_wrong_placeholder_is_told_by_the_input_s_name(task: Task) -> None:
    ran = task("deploy", {**DIRECT, "parameter": "/{sevice}/x", "tag": "102"})
    ran.ended("Failed", "input 'parameter': ", "sevice")


def test_a_wrong_tag_in_a_tag_file_runs_nothing(task: Task, clouds: SimulatedClouds) -> None:
    task.publish("1; rm -rf ##vso[task.complete]")
    ran = task("deploy", DIRECT).ended("Failed")
    assert "##vso[task.complete" not in ran.told
    assert clouds.writes() == []
