"""`ecs-cd promote` and the task's `promote`, against both clouds on this machine (rule 13)."""

from __future__ import annotations

import json

from tests.support.called_commands import Cli
from tests.support.simulated_clouds import DIGEST, SimulatedClouds

PRODUCTION = "/my-api/production/docker-image-tag"


def test_what_development_serves_is_delivered_to_production(cli: Cli, clouds: SimulatedClouds) -> None:
    assert cli("deploy", "my-api", "development", "--tag", "102").code == 0
    clouds.forget()
    argv = ("promote", "my-api", "production", "--from", "development", "--no-verify")
    called = cli(*argv, "--output", "json")
    assert (called.code, called.json["outcome"], called.json["tag"]) == (0, "applied", "102")
    assert (called.json["origin"]["environment"], called.json["origin"]["cluster"]) == ("development", "development")
    assert DIGEST.fullmatch(called.json["origin"]["digest"])
    assert clouds.value(PRODUCTION) == "102"
    assert clouds.writes()[0] == "PutParameter"


def test_a_promotion_says_what_it_copied(cli: Cli, clouds: SimulatedClouds) -> None:
    clouds.file.write_text(clouds.file.read_text().replace("branch: main,", "branch: main, promote_from: development,"))
    called = cli("promote", "my-api", "production", "--no-verify", "--dry-run")
    assert called.code == 0
    assert "development serves" in called.out
    assert clouds.writes() == []


def test_a_tag_that_has_just_come_is_not_promoted_before_its_time(cli: Cli, clouds: SimulatedClouds) -> None:
    argv = ("promote", "my-api", "production", "--from", "development", "--no-verify", "--serving-for", "48h")
    called = cli(*argv).refused(3, "development has served 101 for", "of 48 h")
    assert "Promote again in" in called.advice
    assert clouds.writes() == []


def test_an_environment_that_is_not_there_is_wrong_input(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("promote", "my-api", "production", "--from", "developmnt")
    assert called.code == 2
    assert "development" in called.err
    assert clouds.aws.requests == ()


def test_a_promotion_needs_an_environment_to_promote_from(cli: Cli, clouds: SimulatedClouds) -> None:
    called = cli("promote", "my-api", "production")
    assert called.code == 2
    assert "The origin of my-api in production is not set: give --from," in called.err
    assert clouds.aws.requests == ()


def test_the_report_is_kept_where_a_file_can_be_and_refused_elsewhere_before_anything_is_sent(
    cli: Cli, clouds: SimulatedClouds
) -> None:
    argv = ("promote", "my-api", "production", "--from", "development", "--no-verify", "--dry-run", "--report")
    cli(*argv, str(clouds.folder)).refused(2, "The report cannot be written to")
    assert clouds.aws.requests == ()
    kept = clouds.folder / "report.json"
    assert cli(*argv, str(kept)).code == 0
    assert json.loads(kept.read_text(encoding="utf-8"))["origin"]["environment"] == "development"
