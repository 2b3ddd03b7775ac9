"""Parameters in AWS Systems Manager's Parameter Store."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from ecs_cd.aws.caller import Caller
from ecs_cd.errors import AccessDenied, ParameterRefused
from ecs_cd.model import Parameter, ParameterVersion
from ecs_cd.overlap import batches, each, together
from ecs_cd.text import listed, quoted

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient
    from types_boto3_ssm.literals import ParameterTierType, ParameterTypeType
    from types_boto3_ssm.type_defs import (
        GetParametersResultTypeDef,
        ParameterHistoryTypeDef,
        ParameterMetadataTypeDef,
        ParameterTypeDef,
        PutParameterRequestTypeDef,
    )

OUR_LABELS = "ecs-cd."
"""What the labels begin with that ecs-cd may take off a version to make room for a new one."""

_NAMES_PER_REQUEST = 10
_MOST_FREED = 5


class SsmParameters:
    """The parameters of one account and region."""

    def __init__(self, ssm: Caller[SSMClient]) -> None:
        self._ssm = ssm

    def read(self, name: str) -> Parameter | None:
        """Return the parameter with everything a write must keep, or None when there is none of that name.

        Two requests at once: GetParameter has the value, DescribeParameters the tier, the key, the description, the
        allowed pattern and the policies. The latter lags behind a creation; the history then has the same.

        Raises:
            AccessDenied: `ssm:GetParameter` or `ssm:DescribeParameters` is not allowed.
        """
        value, listed_as = together(lambda: self._value(name), lambda: self._metadata(name))
        if value is None:
            return None
        attributes = listed_as or self._newest(name)
        with self._ssm.asking(f"read parameter {quoted(name)}"):
            return None if attributes is None else _parameter(name, value, attributes)

    def read_many(self, names: Sequence[str]) -> dict[str, ParameterVersion]:
        """Return the current version of each parameter there is, by name: one request for every ten names."""
        unique = list(dict.fromkeys(names))
        known: dict[str, ParameterVersion] = {}
        with self._ssm.asking("read parameters"):
            for item in _found(self._get(unique, "read parameters")):
                # A parameter of another account is asked for by its ARN.
                known[item["Name"]] = known[item.get("ARN", "")] = _version(item)
        return {name: known[name] for name in unique if name in known}

    def write(self, parameter: Parameter, value: str) -> int:
        """Write a new value, leaving every other attribute of `parameter` as it is; return the new version.

        What PutParameter does on overwrite with an attribute left out (API reference, PutParameter): without `KeyId` a
        SecureString moves to the account's default key, without `Tier` the account's default tier applies, without
        `DataType` it is `text`; of `Description` and `AllowedPattern` nothing is said. So all of these are sent as they
        were. `Policies` is left out: "all existing policies are preserved until you send new policies or an empty
        policy", so that nobody's change of them meanwhile is undone. Tags belong to the parameter, not to a version,
        and cannot be sent with an overwrite: they stay.

        botocore sends a request again when its answer is lost; then two versions with this value follow each other.

        Raises:
            Throttled: too many updates at once; nothing was written.
            ParameterRefused: the value does not match the allowed pattern, the key cannot be used, or the hundredth
                version is kept by a label that is not ours.
        """
        with self._ssm.asking(
            f"write parameter {quoted(parameter.name)}", quote=parameter.type != "SecureString"
        ) as ssm:
            for _ in range(_MOST_FREED):
                version = _put(ssm, _overwrite(parameter, value))
                if version:
                    return version
                self._free_oldest(parameter.name)
            raise ParameterRefused(
                f"Cannot write parameter {quoted(parameter.name)}: its oldest version is labelled again and again.",
                hint="See who labels its old versions: `ecs-cd history` shows them.",
            )

    def create(self, name: str, value: str) -> int | None:
        """Create a parameter of type String; return its version, or None when there is one of that name already."""
        with self._ssm.asking(f"create parameter {quoted(name)}") as ssm:
            try:
                return ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=False)["Version"]
            except ssm.exceptions.ParameterAlreadyExists:
                return None

    def versions(self, name: str, numbers: Sequence[int], label: str = "") -> tuple[ParameterVersion, ...]:
        """Return those of the given versions that still exist, and the one that carries `label`, oldest first.

        One GetParameters with the selectors `name:number` and `name:label` for every ten of them. Parameter Store
        documents the selectors, but not several of one name in one request, nor that two that mean the same version
        are answered twice: where it refuses, or leaves open which version has the label, the history decides.
        """
        selectors = [f"{name}:{number}" for number in numbers] + ([f"{name}:{label}"] if label else [])
        doing = f"read versions of parameter {quoted(name)}"
        try:
            answers = self._get(selectors, doing)
        except ParameterRefused:
            return self._from_history(name, numbers, label)
        with self._ssm.asking(doing):
            items = _found(answers)
            sought = label and not any(f"{name}:{label}" in answer["InvalidParameters"] for answer in answers)
            carrier = _carrier(items, numbers, label) if sought else 0
            found = {item["Version"]: _version(item, (label,) if item["Version"] == carrier else ()) for item in items}
        if sought and not carrier:
            return self._from_history(name, numbers, label)
        return tuple(found[number] for number in sorted(found))

    def label(self, name: str, version: int, label: str) -> None:
        """Put the label on this version, taking it off any other.

        Raises:
            ParameterRefused: the version is gone, has ten labels already, or the label is not of the allowed form.
        """
        with self._ssm.asking(f"label version {version} of parameter {quoted(name)}") as ssm:
            answer = ssm.label_parameter_version(Name=name, ParameterVersion=version, Labels=[label])
            if answer.get("InvalidLabels"):
                raise ParameterRefused(
                    f"Parameter Store does not take {quoted(label)} as a label of parameter {quoted(name)}.",
                    hint="A label has letters, digits, '.', '-', '_', and does not begin with a digit, aws or ssm.",
                )

    def history(self, name: str) -> tuple[ParameterVersion, ...]:
        """Return all versions there still are (at most 100), oldest first, with labels and who wrote them.

        Raises:
            ParameterRefused: there is no such parameter.
        """
        with self._ssm.asking(f"read the history of parameter {quoted(name)}") as ssm:
            return tuple(
                ParameterVersion(
                    name,
                    item["Value"],
                    item["Version"],
                    tuple(item.get("Labels", ())),
                    item.get("LastModifiedDate"),
                    item.get("LastModifiedUser", ""),
                )
                for item in _pages(ssm, name)
            )

    def _value(self, name: str) -> ParameterTypeDef | None:
        with self._ssm.asking(f"read parameter {quoted(name)}") as ssm:
            try:
                return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
            except ssm.exceptions.ParameterNotFound:
                return None

    def _metadata(self, name: str) -> ParameterMetadataTypeDef | None:
        """Return the parameter's attributes; a page may be empty and still not be the last one."""
        try:
            with self._ssm.asking(f"read the attributes of parameter {quoted(name)}") as ssm:
                pages = ssm.get_paginator("describe_parameters").paginate(
                    ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": [name]}]
                )
                return next((item for page in pages for item in page["Parameters"]), None)
        except AccessDenied as denied:
            raise AccessDenied(
                denied.message,
                hint=f"{denied.hint} It is needed to write the parameter without losing its tier, key, description "
                "and allowed pattern.",
                details=denied.details,
            ) from None

    def _newest(self, name: str) -> ParameterHistoryTypeDef | None:
        with self._ssm.asking(f"read the attributes of parameter {quoted(name)}") as ssm:
            try:
                return _pages(ssm, name)[-1]
            except ssm.exceptions.ParameterNotFound:
                return None

    def _get(self, names: Sequence[str], doing: str) -> list[GetParametersResultTypeDef]:
        """Return the answers of as many GetParameters as the names need."""

        def get(batch: Sequence[str]) -> GetParametersResultTypeDef:
            with self._ssm.asking(doing) as ssm:
                return ssm.get_parameters(Names=batch, WithDecryption=True)

        return each([partial(get, batch) for batch in batches(names, _NAMES_PER_REQUEST)])

    def _from_history(self, name: str, numbers: Sequence[int], label: str) -> tuple[ParameterVersion, ...]:
        return tuple(v for v in self.history(name) if v.version in numbers or (label and label in v.labels))

    def _free_oldest(self, name: str) -> None:
        """Take our own labels off the oldest version, which Parameter Store keeps only for its labels.

        Raises:
            ParameterRefused: somebody else's label is on it.
        """
        versions = self.history(name)
        oldest, newest = versions[0], versions[-1]
        foreign = [label for label in oldest.labels if not label.startswith(OUR_LABELS)]
        if foreign:
            command = ["aws", "ssm", "label-parameter-version", "--name", name]
            command += ["--parameter-version", str(newest.version), "--labels", *foreign]
            raise ParameterRefused(
                f"Cannot write parameter {quoted(name)}: it has {len(versions)} versions, the most there can be, and "
                f"the oldest, version {oldest.version}, cannot go because it is labelled {listed(foreign)}.",
                hint=f"Move the labels to a newer version: `{shlex.join(command)}`",
            )
        if oldest.labels:
            with self._ssm.asking(f"take our labels off version {oldest.version} of parameter {quoted(name)}") as ssm:
                ssm.unlabel_parameter_version(Name=name, ParameterVersion=oldest.version, Labels=list(oldest.labels))


def _found(answers: Sequence[GetParametersResultTypeDef]) -> list[ParameterTypeDef]:
    return [item for answer in answers for item in answer["Parameters"]]


def _carrier(items: Sequence[ParameterTypeDef], numbers: Sequence[int], label: str) -> int:
    """Return the version that was answered for the label; 0 when the answer leaves it open.

    It says so itself (`Selector`), or it was not asked for by number, or it was answered twice.
    """
    versions = [item["Version"] for item in items]
    told = [item["Version"] for item in items if item.get("Selector") == f":{label}"]
    inferred = [version for version in versions if version not in numbers or versions.count(version) > 1]
    return next(iter(told or inferred), 0)


def _pages(ssm: SSMClient, name: str) -> list[ParameterHistoryTypeDef]:
    pages = ssm.get_paginator("get_parameter_history").paginate(Name=name, WithDecryption=True)
    return sorted((item for page in pages for item in page["Parameters"]), key=lambda item: item["Version"])


def _parameter(
    name: str, value: ParameterTypeDef, attributes: ParameterMetadataTypeDef | ParameterHistoryTypeDef
) -> Parameter:
    texts = [policy["PolicyText"] for policy in attributes.get("Policies", [])]
    return Parameter(
        name=name,
        value=value["Value"],
        version=value["Version"],
        type=value["Type"],
        data_type=value.get("DataType", "text"),
        tier=attributes.get("Tier", "Standard"),
        key_id=attributes.get("KeyId", ""),
        description=attributes.get("Description", ""),
        allowed_pattern=attributes.get("AllowedPattern", ""),
        policies=f"[{','.join(f'{text}' for text in texts)}]" if texts else "",
    )


def _put(ssm: SSMClient, request: PutParameterRequestTypeDef) -> int:
    """Return the new version; 0 when the hundredth one is kept by a label, so that there can be no new one."""
    try:
        return ssm.put_parameter(**request)["Version"]
    except ssm.exceptions.ParameterMaxVersionLimitExceeded:
        return 0


def _overwrite(parameter: Parameter, value: str) -> PutParameterRequestTypeDef:
    request: PutParameterRequestTypeDef = {
        "Name": parameter.name,
        "Value": value,
        "Overwrite": True,
        "Type": cast("ParameterTypeType", parameter.type),
        "Tier": cast("ParameterTierType", parameter.tier),
        "DataType": parameter.data_type,
    }
    if parameter.type == "SecureString" and parameter.key_id:
        request["KeyId"] = parameter.key_id
    if parameter.description:
        request["Description"] = parameter.description
    if parameter.allowed_pattern:
        request["AllowedPattern"] = parameter.allowed_pattern
    return request


def _version(item: ParameterTypeDef, labels: tuple[str, ...] = ()) -> ParameterVersion:
    return ParameterVersion(item["Name"], item["Value"], item["Version"], labels, item.get("LastModifiedDate"))
