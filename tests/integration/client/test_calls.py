"""What a script calls, as people call it, against both clouds on this machine."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

import pytest

import ecs_cd
from ecs_cd import connections
from ecs_cd.support.clock import SystemClock
from tests.support.simulated_clouds import PARAMETER, SimulatedClouds


@pytest.fixture(autouse=True)
def _no_waits(client: ecs_cd.Client) -> None:
    """Hurry the time of every client, and give every test a clouds."""


@pytest.mark.parametrize("kind", ["text", "path", "loaded", "found"])
def test_settings_are_a_text_a_path_or_loaded_or_found_from_the_working_folder(
    clouds: SimulatedClouds, kind: str
) -> None:
    kinds: dict[str, str | Path | ecs_cd.Settings | None] = {
        "text": "ecs-cd.yml",
        "path": Path("ecs-cd.yml"),
        "loaded": ecs_cd.load_settings(clouds.file),
        "found": None,
    }
    report = ecs_cd.deploy("my-api", "development", tag="102", dry_run=True, settings=kinds[kind])
    assert report.outcome is ecs_cd.Outcome.UNCHANGED


@pytest.mark.parametrize("tag", [102, "102", ecs_cd.ImageTag("102")])
def test_a_tag_is_a_number_a_text_or_a_tag(clouds: SimulatedClouds, tag: int | str | ecs_cd.ImageTag) -> None:
    assert ecs_cd.deploy("my-api", "development", tag=tag).outcome is ecs_cd.Outcome.DEPLOYED
    assert (clouds.value(), clouds.serves()) == ("102", "102")


def test_one_service_and_one_environment_are_texts() -> None:
    [place] = ecs_cd.status("my-api", "development")
    assert (place.service, place.environment, place.recorded) == ("my-api", "development", "101")
    found = ecs_cd.status(["my-api", "my-worker"], environments=("development",))
    assert [one.service for one in found] == ["my-api", "my-worker"]


def test_a_keyword_of_another_function_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(TypeError, match=r"status\(\) got an unexpected keyword argument 'environment'.*environments"):
        ecs_cd.status(environment="development")  # type: ignore[call-arg]  # that is the point
    with pytest.raises(TypeError, match=r"hold\(\) got an unexpected keyword argument 'tiemout'.*'timeout'"):
        ecs_cd.hold("my-api", "development", tiemout="5m")  # type: ignore[call-arg]  # likewise


def test_a_keyword_that_is_like_no_name_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(TypeError, match=r"promote\(\) got an unexpected .* 'from_'\. Did you mean 'promote_from'\?"):
        ecs_cd.promote("my-api", "production", from_="development")  # type: ignore[call-arg]  # that is the point
    with pytest.raises(TypeError, match=r"rollback\(\) got an unexpected .* 'tag'\. Did you mean 'to'\?"):
        ecs_cd.rollback("my-api", "development", tag="101")  # type: ignore[call-arg]  # likewise


@pytest.mark.parametrize(("name", "meant"), [("sesion", "session"), ("setings", "settings"), ("acess", "access")])
def test_an_unknown_keyword_of_a_client_is_told_with_the_one_that_was_meant(name: str, meant: str) -> None:
    with pytest.raises(TypeError, match=rf"^Client\(\) got an unexpected .* '{name}'\. Did you mean '{meant}'\?$"):
        ecs_cd.Client(**{name: None})  # type: ignore[arg-type]  # that is the point


def test_every_function_takes_the_clock_of_its_caller() -> None:
    class Clock(SystemClock):
        asked = 0

        def now(self) -> float:
            self.asked += 1
            return super().now()

    clock = Clock()
    assert ecs_cd.hold("my-api", "development", clock=clock).held
    asked = clock.asked
    assert asked
    assert not ecs_cd.unhold("my-api", "development", clock=clock).held
    assert clock.asked > asked
    ecs_cd.history("my-api", "development", clock=clock)
    ecs_cd.status("my-api", "development", clock=clock)


@pytest.mark.parametrize(
    ("name", "args", "keywords"),
    [
        ("deploy", (["my-api"], "development"), {"tag": 1}),
        ("deploy", ("development", "my-api"), {"tag": 1}),
        ("deploy", ("my-api", "development"), {"tag": 1.5}),
        ("deploy", ("my-api", "development"), {"tag": ""}),
        ("deploy", ("my-api", "development"), {"tag": "v1"}),
        ("deploy", ("my-api", "development"), {"tag": "1", "order": "semver"}),
        ("deploy", ("my-api", "development"), {"tag": 1, "timeout": ["5m"]}),
        ("deploy", ("my-api", "development"), {"tag": 1, "settings": {"region": "eu-west-1"}}),
        ("deploy", ("my-api", "development"), {"tag": 1, "variables": "novalue"}),
        ("deploy_many", ({"my-api": 1}, "development"), {}),
        ("deploy_many", ("my-api", {"my-worker": 1}), {}),
        ("deploy_many", ("development", 5), {}),
        ("deploy_many", ("development", {"my-api": True}), {}),
        ("deploy_many", ("development", {"my-api": ""}), {}),
        ("deploy_many", ("development", {"my-api": 102, "my-worker": "v1"}), {}),
        ("promote", ("my-api", ("production",)), {"promote_from": "development"}),
        ("promote", ("my-api", "production"), {"promote_from": 5}),
        ("rollback", ("my-api", "development"), {"to": object()}),
        ("rollback", ("my-api", "development"), {"to": ""}),
        ("hold", (None, "development"), {}),
        ("unhold", ("my-api", 5), {}),
        ("verify", ("my-api", "development"), {"tag_file": 5}),
        ("verify", ("my-api", "development"), {"tag": ""}),
        ("verify", ("my-api", "development"), {"tag": "v1"}),
        ("status", (5,), {}),
        ("history", ("my-api", "development"), {"most": "3"}),
        ("history", ("my-api", "development"), {"most": 0}),
        ("history", ("my-api", "development"), {"region": 5}),
    ],
)
def test_a_wrong_type_or_order_is_wrong_input_and_nothing_is_sent(
    clouds: SimulatedClouds, name: str, args: tuple[object, ...], keywords: dict[str, object]
) -> None:
    clouds.publish("102", ".buildId")
    with pytest.raises(ecs_cd.WrongInput):
        getattr(ecs_cd, name)(*args, **keywords)
    assert clouds.aws.requests == ()
    assert clouds.azure.recorder.exchanges == []


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        *((name, {"dry_run": "false"}) for name in ("deploy", "deploy_many", "promote", "rollback", "hold", "unhold")),
        *((name, {"watch": 5}) for name in ("deploy", "deploy_many", "promote", "rollback", "verify")),
        ("status", {"marks": "false"}),
        ("steps.set_parameter", {"dry_run": "false"}),
        ("steps.queue_run", {"dry_run": "false"}),
        ("steps.queue_run", {"wait": "false"}),
        ("steps.queue_run", {"watch": 5}),
        ("steps.follow_run", {"watch": 5}),
    ],
)
def test_every_function_checks_its_switches_and_its_watch(
    client: ecs_cd.Client, clouds: SimulatedClouds, name: str, keywords: dict[str, object]
) -> None:
    args = {"deploy_many": ("development", {"my-api": 102}), "status": (), "steps.follow_run": (1,)}
    more = {"tag": 102} if name in ("deploy", "verify", "steps.set_parameter") else {}
    with pytest.raises(ecs_cd.WrongInput, match=rf"^`{next(iter(keywords))}` is "):
        attrgetter(name)(client)(*args.get(name, ("my-api", "development")), **more, **keywords)
    assert clouds.aws.requests == ()
    assert clouds.azure.recorder.exchanges == []


def test_several_services_are_delivered_by_name_with_tags_of_any_kind(clouds: SimulatedClouds) -> None:
    reports = ecs_cd.deploy_many("development", {"my-api": 102, "my-worker": ecs_cd.ImageTag("103")})
    assert reports.succeeded
    assert (clouds.serves("my-api"), clouds.serves("my-worker")) == ("102", "103")


def test_what_one_environment_serves_is_promoted_by_the_keyword(clouds: SimulatedClouds) -> None:
    clouds.aws.put_parameter("/my-api/production/docker-image-tag", "100")
    report = ecs_cd.promote("my-api", "production", promote_from="development", verify=False)
    assert (report.tag, report.outcome) == ("101", ecs_cd.Outcome.APPLIED)
    assert "promote_from" in (ecs_cd.promote.__doc__ or "")


def test_a_rollback_takes_a_number_and_verify_looks(clouds: SimulatedClouds) -> None:
    assert ecs_cd.deploy("my-api", "development", tag=102).succeeded
    assert ecs_cd.rollback("my-api", "development", to=101).outcome is ecs_cd.Outcome.ROLLED_BACK
    clouds.forget()
    assert ecs_cd.verify("my-api", "development", tag=101).outcome is ecs_cd.Outcome.UNCHANGED
    assert clouds.writes() == []
    assert [entry.tag for entry in ecs_cd.history("my-api", "development", most=3)] == ["101", "102", "101"]


def test_the_calls_of_a_client_share_its_connections(clouds: SimulatedClouds, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    for name in ("connect_aws", "connect_azure_devops"):
        connect = getattr(connections, name)

        def counted(*args: object, _name: str = name, _connect: object = connect, **keywords: object) -> object:
            made.append(_name)
            return _connect(*args, **keywords)  # type: ignore[operator]  # it is a function

        monkeypatch.setattr(connections, name, counted)
    with ecs_cd.Client(clouds.file) as client:
        assert client.deploy("my-api", "development", tag=102).succeeded
        assert client.deploy("my-worker", "development", tag=102).succeeded
        assert client.rollback("my-api", "development", to=101).succeeded
        client.history("my-api", "development")
    assert sorted(made) == ["connect_aws", "connect_azure_devops"]


def test_a_client_that_is_closed_says_so(clouds: SimulatedClouds) -> None:
    client = ecs_cd.Client(clouds.file)
    client.close()
    with pytest.raises(ecs_cd.WrongInput, match="closed"):
        client.history("my-api", "development")
    assert clouds.value(PARAMETER) == "101"


def without_project(clouds: SimulatedClouds, *lines: str) -> None:
    text = clouds.file.read_text(encoding="utf-8").splitlines()
    kept = [line for line in text if not line.startswith(lines)]
    assert len(kept) == len(text) - len(lines)
    clouds.file.write_text("\n".join(kept), encoding="utf-8")


def test_a_status_takes_organization_and_project_as_keywords(clouds: SimulatedClouds) -> None:
    organization = clouds.azure.url
    project = str(ecs_cd.load_settings(clouds.file).resolve_project().project)
    without_project(clouds, "organization:", "project:")
    [place] = ecs_cd.status("my-api", "development", organization=organization, project=project)
    assert place.runs_unseen == ""
    assert clouds.azure.recorder.exchanges


def test_a_status_says_all_that_is_missing_for_its_runs(clouds: SimulatedClouds) -> None:
    without_project(clouds, "organization:", "project:")
    [place] = ecs_cd.status("my-api", "development")
    assert "give `organization=`" in place.runs_unseen
    assert "give `project=`" in place.runs_unseen
