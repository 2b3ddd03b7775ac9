"""Parameter Store behind its Protocol: what a write keeps (rule 5), labels, and what is asked how often."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.ssm.responses import SimpleSystemManagerResponse

from ecs_cd.aws import Aws
from ecs_cd.aws.parameters import _parameter
from ecs_cd.errors import AccessDenied, DeliveryFailed, ParameterRefused, Throttled, VersionLimitReached
from ecs_cd.model.labels import ALL_LABELS, FLOOR, GATE, HELD, NO_MARKS, VERIFIED, Mark, Marks
from ecs_cd.model.parameter import Parameter
from ecs_cd.parameter.version_limit import write_version
from ecs_cd_sandbox.aws import Aws as Cloud
from ecs_cd_sandbox.aws import ssm_answers
from ecs_cd_sandbox.aws.faults import ErrorAnswer
from tests.integration.aws.conftest import Connect

NAME = "/my-api/development/docker-image-tag"


def asked(aws: Cloud) -> list[str]:
    return sorted(request.operation for request in aws.requests)


def written(aws: Cloud, *values: str) -> None:
    for value in values:
        aws.put_parameter(NAME, value)
    aws.forget_requests()


def labelled(aws: Cloud, version: int, *labels: str) -> None:
    aws.client("ssm").label_parameter_version(Name=NAME, ParameterVersion=version, Labels=list(labels))
    aws.forget_requests()


def read(adapter: Aws) -> Parameter:
    found = adapter.parameters.read(NAME)
    assert found is not None
    return found


def test_reading_takes_two_requests_and_tells_all_that_a_write_must_keep(aws: Cloud, adapter: Aws) -> None:
    aws.client("ssm").put_parameter(
        Name=NAME, Value="26", Type="String", Tier="Advanced", Description="the tag", AllowedPattern=r"^\d+$"
    )
    aws.forget_requests()
    assert read(adapter) == Parameter(
        NAME, "26", 1, "String", tier="Advanced", description="the tag", allowed_pattern=r"^\d+$"
    )
    assert asked(aws) == ["DescribeParameters", "GetParameters"]


def test_a_missing_parameter_is_none(adapter: Aws) -> None:
    assert adapter.parameters.read(NAME) is None


def test_a_parameter_that_is_not_yet_listed_is_read_from_its_history(
    aws: Cloud, adapter: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.client("ssm").put_parameter(Name=NAME, Value="26", Type="SecureString", KeyId="alias/deploy")
    monkeypatch.setattr(adapter.parameters, "_metadata", lambda name: None)
    assert (read(adapter).value, read(adapter).key_id) == ("26", "alias/deploy")


def test_a_parameter_that_vanishes_between_two_looks_is_none(
    aws: Cloud, adapter: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish(name: str) -> None:
        aws.client("ssm").delete_parameter(Name=name)

    written(aws, "26")
    current = adapter.parameters._current(NAME)
    monkeypatch.setattr(adapter.parameters, "_current", lambda name: current)
    monkeypatch.setattr(adapter.parameters, "_metadata", vanish)
    assert adapter.parameters.read(NAME) is None


def test_the_policies_are_one_json_array_as_put_parameter_takes_them() -> None:
    value: Any = {"Value": "26", "Version": 3, "Type": "String"}
    policies = [{"PolicyText": '{"Type":"Expiration"}'}, {"PolicyText": '{"Type":"NoChangeNotification"}'}]
    attributes: Any = {"Tier": "Advanced", "Policies": policies}
    found = _parameter(NAME, value, attributes, NO_MARKS)
    assert [policy["Type"] for policy in json.loads(found.policies)] == ["Expiration", "NoChangeNotification"]


def test_without_the_right_to_see_attributes_nothing_is_read_and_the_reason_is_told(aws: Cloud, adapter: Aws) -> None:
    written(aws, "26")
    aws.inject("ssm", "DescribeParameters", ErrorAnswer("AccessDeniedException", "no"))
    with pytest.raises(AccessDenied, match="DescribeParameters") as caught:
        adapter.parameters.read(NAME)
    assert "to keep the parameter's tier, key, description" in caught.value.hint


def test_a_write_changes_the_value_and_nothing_else(aws: Cloud, adapter: Aws) -> None:
    aws.client("ssm").put_parameter(
        Name=NAME,
        Value="26",
        Type="SecureString",
        KeyId="alias/deploy",
        Tier="Advanced",
        Description="the tag of my-api",
        AllowedPattern=r"^\d+$",
        Policies='[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"20","Unit":"Days"}}]',
        Tags=[{"Key": "team", "Value": "platform"}],
    )
    before = attributes_of(aws)
    parameter = read(adapter)
    aws.forget_requests()
    assert adapter.parameters.write(parameter, "27") == 2
    assert attributes_of(aws) == before
    assert read(adapter).value == "27"
    # moto keeps what an overwrite leaves out; AWS does not keep all of it, so it must have been sent.
    [sent] = [request.parameters for request in aws.requests if request.operation == "PutParameter"]
    assert sent == {
        "Name": NAME,
        "Value": "27",
        "Overwrite": True,
        "Type": "SecureString",
        "KeyId": "alias/deploy",
        "Tier": "Advanced",
        "DataType": "text",
        "Description": "the tag of my-api",
        "AllowedPattern": r"^\d+$",
    }


def attributes_of(aws: Cloud) -> tuple[dict[str, Any], list[dict[str, str]]]:
    ssm = aws.client("ssm")
    [item] = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [NAME]}])["Parameters"]
    kept = {key: value for key, value in item.items() if key not in ("Value", "Version", "LastModifiedDate")}
    return kept, ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)["TagList"]


def test_a_write_is_one_request(aws: Cloud, adapter: Aws) -> None:
    written(aws, "26")
    parameter = read(adapter)
    aws.forget_requests()
    adapter.parameters.write(parameter, "27")
    assert asked(aws) == ["PutParameter"]


@pytest.mark.parametrize("code", ["TooManyUpdates", "ThrottlingException"])
def test_too_many_updates_can_be_tried_again(aws: Cloud, adapter: Aws, code: str) -> None:
    written(aws, "26")
    parameter = read(adapter)
    aws.inject("ssm", "PutParameter", ErrorAnswer(code))
    with pytest.raises(Throttled):
        adapter.parameters.write(parameter, "27")


@pytest.mark.parametrize(
    ("code", "item"),
    [("ParameterPatternMismatchException", "allowed pattern"), ("InvalidKeyId", "KMS key cannot be used")],
)
def test_a_refused_value_or_key_is_told(aws: Cloud, adapter: Aws, code: str, item: str) -> None:
    written(aws, "26")
    parameter = read(adapter)
    aws.inject("ssm", "PutParameter", ErrorAnswer(code))
    with pytest.raises(ParameterRefused, match=item):
        adapter.parameters.write(parameter, "27")


def test_the_value_of_a_secure_string_is_not_repeated_from_a_refusal(aws: Cloud, adapter: Aws) -> None:
    aws.client("ssm").put_parameter(Name=NAME, Value="26", Type="SecureString")
    parameter = read(adapter)
    aws.inject("ssm", "PutParameter", ErrorAnswer("ValidationException", "Value 'hush-hush' failed to satisfy"))
    with pytest.raises(ParameterRefused) as caught:
        adapter.parameters.write(parameter, "hush-hush")
    assert "hush" not in repr((caught.value.message, caught.value.hint, caught.value.details))


def test_a_label_on_the_oldest_of_a_hundred_versions_leaves_no_room(aws: Cloud, adapter: Aws) -> None:
    written(aws, *(str(n) for n in range(1, 101)))
    labelled(aws, 1, VERIFIED)
    with pytest.raises(VersionLimitReached):
        adapter.parameters.write(read(adapter), "101")


def test_our_label_on_the_oldest_of_a_hundred_versions_makes_room(aws: Cloud, adapter: Aws) -> None:
    written(aws, *(str(n) for n in range(1, 101)))
    labelled(aws, 1, VERIFIED)
    assert write_version(adapter.parameters, read(adapter), "101") == 101
    assert adapter.parameters.history(NAME)[0].version == 2


def test_a_foreign_label_on_the_oldest_of_a_hundred_versions_is_told_with_the_way_out(aws: Cloud, adapter: Aws) -> None:
    written(aws, *(str(n) for n in range(1, 101)))
    labelled(aws, 1, VERIFIED, "blessed")
    with pytest.raises(ParameterRefused, match="version 1, cannot be deleted because it is labelled blessed") as caught:
        write_version(adapter.parameters, read(adapter), "101")
    command = f"aws ssm label-parameter-version --name {NAME} --parameter-version 100 --labels blessed"
    assert command in caught.value.hint
    assert set(adapter.parameters.history(NAME)[0].labels) == {VERIFIED, "blessed"}


def test_creating_makes_a_string_and_tells_when_somebody_was_first(aws: Cloud, adapter: Aws) -> None:
    assert adapter.parameters.create(NAME, "26") == 1
    assert adapter.parameters.create(NAME, "27") is None
    assert (read(adapter).value, read(adapter).type) == ("26", "String")


def test_versions_and_a_label_are_read_in_one_request(aws: Cloud, adapter: Aws) -> None:
    written(aws, "5", "6", "7")
    labelled(aws, 1, VERIFIED)
    found = adapter.parameters.versions(NAME, [2, 3, 9], [VERIFIED])
    assert [(v.version, v.value, v.labels) for v in found] == [(1, "5", (VERIFIED,)), (2, "6", ()), (3, "7", ())]
    assert asked(aws) == ["GetParameters"]


def test_a_version_that_is_asked_for_twice_is_returned_once_with_its_label(aws: Cloud, adapter: Aws) -> None:
    written(aws, "5", "6")
    labelled(aws, 2, VERIFIED)
    found = adapter.parameters.versions(NAME, [1, 2], [VERIFIED])
    assert [(v.version, v.labels) for v in found] == [(1, ()), (2, (VERIFIED,))]


def test_a_label_that_no_version_has_is_not_there(aws: Cloud, adapter: Aws) -> None:
    written(aws, "5")
    assert [v.labels for v in adapter.parameters.versions(NAME, [1], [VERIFIED])] == [()]


def test_more_than_ten_selectors_take_more_requests(aws: Cloud, adapter: Aws) -> None:
    written(aws, *(str(n) for n in range(1, 13)))
    assert len(adapter.parameters.versions(NAME, range(1, 13))) == 12
    assert asked(aws) == ["GetParameters", "GetParameters"]


def test_refused_selectors_are_answered_by_the_history(aws: Cloud, adapter: Aws) -> None:
    written(aws, "5", "6", "7")
    labelled(aws, 1, VERIFIED)
    aws.inject("ssm", "GetParameters", ErrorAnswer("ValidationException", "duplicate names"))
    found = adapter.parameters.versions(NAME, [3], [VERIFIED])
    assert [(v.version, v.labels) for v in found] == [(1, (VERIFIED,)), (3, ())]


def test_the_marks_come_with_the_value_in_the_same_request(aws: Cloud, adapter: Aws) -> None:
    written(aws, "5", "6", "7", "8")
    labelled(aws, 1, FLOOR)
    labelled(aws, 2, GATE)
    labelled(aws, 3, HELD)
    labelled(aws, 4, VERIFIED)
    found = read(adapter)
    assert (found.value, found.version) == ("8", 4)
    marks = Marks(Mark(2, "6"), Mark(3, "7"), Mark(1, "5"), Mark(4, "8"))
    assert found.marks == marks
    assert asked(aws) == ["DescribeParameters", "GetParameters"]


def test_all_labels_on_the_version_on_top_are_told_apart(aws: Cloud, adapter: Aws) -> None:
    written(aws, "5", "6")
    labelled(aws, 2, *ALL_LABELS)
    assert read(adapter).marks == Marks(*[Mark(2, "6")] * 5)
    assert [v.labels for v in adapter.parameters.versions(NAME, [1, 2], ALL_LABELS)] == [(), ALL_LABELS]


@pytest.mark.parametrize(("labels", "requests"), [([], 1), ([HELD], 1), ([GATE, HELD], 2)])
def test_answers_that_do_not_say_what_they_answer_are_told_apart_or_left_to_the_history(
    aws: Cloud, adapter: Aws, labels: list[str], requests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SimpleSystemManagerResponse, "get_parameters", ssm_answers.original_get_parameters)
    written(aws, "5", "6", "7")
    for number, label in enumerate(labels, 1):
        labelled(aws, number, label)
    assert read(adapter).marks == Marks.of(adapter.parameters.history(NAME))
    assert read(adapter).marks.held.version == len(labels)
    assert [name for name in asked(aws) if name == "GetParameterHistory"][1:] == ["GetParameterHistory"] * (
        2 * (requests - 1)
    )


def test_forms_of_one_name_that_are_refused_are_asked_for_once_in_a_process(aws: Cloud, connected: Connect) -> None:
    adapter = connected()
    written(aws, "5", "6")
    labelled(aws, 1, HELD)
    aws.inject("ssm", "GetParameters", ErrorAnswer("ValidationException", "duplicate names"))
    for _ in range(2):
        found = read(adapter)
        assert (found.value, found.marks) == ("6", Marks(held=Mark(1, "5")))
    assert [v.labels for v in adapter.parameters.versions(NAME, [2], [HELD])] == [(HELD,), ()]
    assert asked(aws).count("GetParameters") == 1
    assert asked(aws).count("GetParameter") == 2


def test_a_label_can_be_taken_off_and_off_again(aws: Cloud, adapter: Aws) -> None:
    written(aws, "5")
    labelled(aws, 1, HELD)
    for version in (1, 1, 7):
        adapter.parameters.unlabel(NAME, version, HELD)
    assert [v.labels for v in adapter.parameters.history(NAME)] == [()]


def test_the_history_is_whole_and_oldest_first(aws: Cloud, adapter: Aws) -> None:
    written(aws, *(str(n) for n in range(1, 61)))
    labelled(aws, 7, VERIFIED)
    history = adapter.parameters.history(NAME)
    assert [v.value for v in history] == [str(n) for n in range(1, 61)]
    assert history[6].labels == (VERIFIED,)
    assert asked(aws) == ["GetParameterHistory", "GetParameterHistory"]


def test_a_label_moves(aws: Cloud, adapter: Aws) -> None:
    written(aws, "5", "6")
    adapter.parameters.label(NAME, 1, VERIFIED)
    adapter.parameters.label(NAME, 2, VERIFIED)
    assert [v.labels for v in adapter.parameters.history(NAME)] == [(), (VERIFIED,)]


@pytest.mark.parametrize("label", ["1st", "aws-like"])
def test_a_label_that_the_store_does_not_take_is_an_error(aws: Cloud, adapter: Aws, label: str) -> None:
    written(aws, "5")
    with pytest.raises(DeliveryFailed):
        adapter.parameters.label(NAME, 1, label)


def test_many_parameters_take_one_request_for_every_ten(aws: Cloud, adapter: Aws) -> None:
    names = [f"/service-{n}/tag" for n in range(23)]
    for name in names:
        aws.put_parameter(name, name)
    aws.forget_requests()
    found = adapter.parameters.read_many([*names, "/missing"])
    assert [(name, version.value, version.version) for name, version in found.items()] == [(n, n, 1) for n in names]
    assert asked(aws) == ["GetParameters"] * 3
