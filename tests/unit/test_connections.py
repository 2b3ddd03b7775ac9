"""The connections of a client: one for each account, region and role, kept over calls, closed at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ecs_cd import connections
from ecs_cd.client import Client
from ecs_cd.connections import Connections, FromSettings
from ecs_cd.console.mask import SECRET_VARIABLES
from ecs_cd.errors import SettingsError, WrongInput
from ecs_cd.settings import BY_NAME, DeliverySettings, Token, load
from tests.support.fakes import FakeClock

TOKEN = Token("pat-0123456789", "ECS_CD_AZURE_DEVOPS_PAT")
PROJECT = DeliverySettings(
    "api", "development", organization="https://dev.azure.com/acme", project="platform", token=TOKEN
)


@dataclass
class Adapter:
    """What was connected to, and whether it is still open."""

    settings: Any
    keywords: dict[str, Any]
    closed: bool = False

    def close(self) -> None:
        self.closed = True


@dataclass
class Made:
    """Every adapter that was made."""

    aws: list[Adapter] = field(default_factory=list)
    azure_devops: list[Adapter] = field(default_factory=list)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    made = Made()

    def connect(into: list[Adapter]) -> Any:  # noqa: ANN401 - a fake
        def connected(settings: object, *_args: object, **keywords: Any) -> Adapter:  # noqa: ANN401 - likewise
            into.append(Adapter(settings, keywords))
            return into[-1]

        return connected

    monkeypatch.setattr(connections, "connect_aws", connect(made.aws))
    monkeypatch.setattr(connections, "connect_azure_devops", connect(made.azure_devops))
    return made


def new() -> Connections:
    return Connections(FromSettings(), FakeClock())


def aws_of(region: str = "", role: str = "", profile: str = "") -> DeliverySettings:
    return DeliverySettings("api", "development", region=region, role_arn=role, profile=profile)


def test_the_same_account_region_and_role_are_connected_to_once(made: Made) -> None:
    kept = new()
    first = kept.aws(aws_of("eu-west-1", "arn:aws:iam::111122223333:role/one"), "deploy")
    assert kept.aws(aws_of("eu-west-1", "arn:aws:iam::111122223333:role/one"), "rollback") is first
    assert kept.aws(aws_of("eu-west-2", "arn:aws:iam::111122223333:role/one"), "deploy") is not first
    assert kept.aws(aws_of("eu-west-1", "arn:aws:iam::111122223333:role/two"), "deploy") is not first
    assert kept.aws(aws_of("eu-west-1", profile="other"), "deploy") is not first
    assert len(made.aws) == 4
    assert kept.azure_devops(PROJECT) is kept.azure_devops(PROJECT)
    assert len(made.azure_devops) == 1


def test_an_account_and_region_has_request_rates_of_its_own(made: Made) -> None:
    kept = new()
    for settings in (
        aws_of("eu-west-1", "arn:aws:iam::111122223333:role/one"),
        aws_of("eu-west-1", "arn:aws:iam::111122223333:role/two"),
        aws_of("eu-west-1", "arn:aws:iam::444455556666:role/one"),
        aws_of("eu-west-2", "arn:aws:iam::111122223333:role/one"),
        aws_of("eu-west-1", profile="other"),
        aws_of("eu-west-1"),
    ):
        kept.aws(settings, "status", within_quotas=True)
    rates = [id(adapter.keywords["rates"]) for adapter in made.aws]
    assert rates[0] == rates[1]
    assert len(set(rates)) == 5


def test_a_delivery_is_not_slowed_down_to_a_share_of_the_quotas(made: Made) -> None:
    kept = new()
    looking = kept.aws(aws_of("eu-west-1"), "status", within_quotas=True)
    assert kept.aws(aws_of("eu-west-1"), "deploy") is not looking
    assert made.aws[1].keywords["rates"] is None


def test_everything_is_closed_once_and_nothing_begins_after_that(made: Made) -> None:
    kept = new()
    kept.aws(aws_of("eu-west-1"), "deploy")
    kept.azure_devops(PROJECT)
    kept.close()
    kept.close()
    assert [adapter.closed for adapter in (*made.aws, *made.azure_devops)] == [True, True]
    with pytest.raises(WrongInput, match="closed"):
        kept.prepare([PROJECT])


@pytest.mark.usefixtures("made")
def test_a_client_is_closed_at_the_end_of_its_with_block(tmp_path: Path) -> None:
    with Client(load(None, {}, tmp_path)) as client:
        pass
    with pytest.raises(WrongInput, match="closed"):
        client.history("api", "development", parameter="/api/tag", region="eu-west-1")


def test_without_a_token_azure_devops_is_not_connected_to(made: Made) -> None:
    with pytest.raises(SettingsError, match="no token"):
        new().azure_devops(DeliverySettings("api", "development", organization="https://dev.azure.com/acme"))
    assert made.azure_devops == []


def test_every_variable_that_holds_a_token_or_a_key_is_masked() -> None:
    pat = BY_NAME["azure_devops_pat"]
    assert {pat.variable, *pat.fallbacks, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} == set(SECRET_VARIABLES)
