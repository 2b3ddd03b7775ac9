"""`ecs-cd deploy-many` against both clouds on this machine (rule 14)."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.support.called_commands import Cli
from tests.support.simulated_clouds import SimulatedClouds

MANY = ("deploy-many", "development")


def images(clouds: SimulatedClouds, **tags: str) -> Path:
    told = {"version": 1, "images": {name.replace("_", "-"): {"tag": tag} for name, tag in tags.items()}}
    return clouds.publish(json.dumps(told))


def tags(clouds: SimulatedClouds) -> tuple[str, str]:
    return clouds.serves("my-api"), clouds.serves("my-worker")


def test_several_services_are_delivered_by_one_run(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli(*MANY, "my-api=102", "my-worker=103")
    assert (called.code, tags(clouds)) == (0, ("102", "103"))
    assert called.out.endswith("OK  2 services to development: 2 deployed.\n")
    assert "OK  my-worker 103 is deployed to development." in called.out
    assert len([e for e in clouds.azure.recorder.find("POST") if e.path.endswith(("/runs", "/builds"))]) == 1
    assert "  my-api        parameter  " in called.err


def test_all_images_of_a_tag_file_are_delivered_and_reported_as_the_schema_says(
    cli: Cli, clouds: SimulatedClouds
) -> None:
    file = images(clouds, my_api="102", my_worker="102")
    kept = clouds.folder / "reports.json"
    called = cli(*MANY, "--tag-file", str(file), "--output", "json", "--report", str(kept))
    assert (called.code, called.json["outcome"], tags(clouds)) == (0, "deployed", ("102", "102"))
    assert [one["service"] for one in called.json["deliveries"]] == ["my-api", "my-worker"]
    assert called.json == json.loads(kept.read_text(encoding="utf-8"))
    jsonschema.validate(called.json, cli("schema", "reports").json, jsonschema.Draft202012Validator)


def test_a_plain_tag_file_has_the_tag_of_the_services_that_are_named(cli: Cli, clouds: SimulatedClouds) -> None:
    file = str(clouds.publish("102"))
    called = cli(*MANY, "--tag-file", file)
    assert called.code == 2
    assert "names no service" in called.err
    assert cli(*MANY, "my-api", "my-worker=103", "--tag-file", file).code == 0
    assert tags(clouds) == ("102", "103")


def test_a_bad_rollout_of_one_leaves_the_verdict_of_the_other_and_fails_the_call(
    cli: Cli, clouds: SimulatedClouds
) -> None:
    clouds.scheduler.behave("crash-loop", service="my-worker", tag="103")
    called = cli(*MANY, "my-api=102", "my-worker=103")
    assert (called.code, clouds.serves("my-api")) == (1, "102")
    assert "OK  my-api 102 is deployed" in called.out
    assert called.out.endswith("error: 1 of 2 services are not delivered to development: my-worker.\n")


def test_a_missing_image_of_one_changes_nothing_of_the_other(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli(*MANY, "my-api=102", "my-worker=999")
    assert (called.code, clouds.writes()) == (1, [])
    assert "Nothing was changed, because my-worker cannot be delivered with it" in called.out


def test_a_service_where_the_environment_is_expected_is_told(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("deploy-many", "my-api=102").refused(2, "'my-api=102' stands where the environment is expected")
    assert called.advice.startswith("Name the environment first")
    assert clouds.aws.requests == ()


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("my-api=102", "my-api=103"), "named twice"),
        (("my-api=",), "is not SERVICE=TAG"),
        (("my-api=no tag",), "not a Docker image tag"),
        (("my-apy=102",), "no service 'my-apy'"),
        (("my-api=102", "--tag-file", "x"), "a tag file too"),
    ],
)
def test_bad_input_is_a_sentence_before_anything_is_sent(
    cli: Cli, clouds: SimulatedClouds, argv: tuple[str, ...], says: str
) -> None:
    called = cli(*MANY, *argv)
    assert called.code == 2
    assert says in called.err
    assert clouds.aws.requests == ()
