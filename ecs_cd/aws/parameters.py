"""Parameters in AWS Systems Manager's Parameter Store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from ecs_cd.aws.selectors import found, labelled_versions
from ecs_cd.aws.service_client import ServiceClient
from ecs_cd.errors import AccessDenied, ParameterRefused, VersionLimitReached
from ecs_cd.messages import sentences
from ecs_cd.model.labels import ALL_LABELS, Marks
from ecs_cd.model.parameter import Parameter, ParameterVersion
from ecs_cd.sanitize import quoted
from ecs_cd.support.concurrency import batches, run_all, run_together

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

_NAMES_PER_REQUEST = 10


class SsmParameters:
    """The parameters of one account and region."""

    def __init__(self, ssm: ServiceClient[SSMClient]) -> None:
        self._ssm = ssm
        self._forms_are_refused = False

    def read(self, name: str) -> Parameter | None:
        """Return the parameter with its marks and all that a write must keep, or None when there is none of that name.

        Two requests at once: GetParameters has the value and our labels, DescribeParameters the tier, the key, the
        description, the allowed pattern and the policies. The latter lags behind a creation; the history then has the
        same.

        Raises:
            AccessDenied: `ssm:GetParameters` or `ssm:DescribeParameters` is not allowed.
        """
        current, listed_as = run_together(lambda: self._current(name), lambda: self._metadata(name))
        if current is None:
            return None
        value, marks = current
        attributes = listed_as or self._newest(name)
        with self._ssm.calling(f"read parameter {quoted(name)}"):
            return None if attributes is None else _parameter(name, value, attributes, marks)

    def read_marked(self, names: Sequence[str]) -> dict[str, tuple[ParameterVersion, Marks]]:
        """Return the current version and our marks of each parameter there is, by name: one request for every name."""
        unique = list(dict.fromkeys(names))
        answers = run_all([partial(self._current, name) for name in unique])
        with self._ssm.calling("read parameters"):
            return {
                name: (_version(answer[0]), answer[1])
                for name, answer in zip(unique, answers, strict=True)
                if answer is not None
            }

    def read_many(self, names: Sequence[str]) -> dict[str, ParameterVersion]:
        """Return the current version of each parameter there is, by name: one request for every ten names."""
        unique = list(dict.fromkeys(names))
        known: dict[str, ParameterVersion] = {}
        with self._ssm.calling("read parameters"):
            for item in found(self._get(unique, "read parameters")):
                # A parameter of another account is asked for by its ARN.
                known[item["Name"]] = known[item.get("ARN", "")] = _version(item)
        return {name: known[name] for name in unique if name in known}

    def write(self, parameter: Parameter, value: str) -> int:
        """Write a new value, leaving every other attribute of `parameter` as it is; return the new version.

        What PutParameter does on overwrite with an attribute left out (API reference, PutParameter): without `KeyId` a
        SecureString moves to the account's default key, without `Tier` the account's default tier applies, without
        `DataType` it is `text`; `Description` and `AllowedPattern` are not mentioned. So all of these are sent as they
        were. `Policies` is left out: "all existing policies are preserved until you send new policies or an empty
        policy", so that no change made to them meanwhile is undone. Tags belong to the parameter, not to a version,
        and cannot be sent with an overwrite: they stay.

        botocore sends a request again when its answer is lost; then two versions with this value follow each other.

        Raises:
            Throttled: too many updates at once; nothing was written.
            ParameterRefused: the value does not match the allowed pattern, or the key cannot be used.
            VersionLimitReached: the hundredth version is kept by a label, so that there can be no new one.
        """
        doing = f"write parameter {quoted(parameter.name)}"
        with self._ssm.calling(doing, quote=parameter.type != "SecureString") as ssm:
            try:
                return ssm.put_parameter(**_overwrite(parameter, value))["Version"]
            except ssm.exceptions.ParameterMaxVersionLimitExceeded:
                raise VersionLimitReached(f"Cannot {doing}: it has all the versions it can have.") from None

    def create(self, name: str, value: str) -> int | None:
        """Create a parameter of type String; return its version, or None when there is one of that name already."""
        with self._ssm.calling(f"create parameter {quoted(name)}") as ssm:
            try:
                return ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=False)["Version"]
            except ssm.exceptions.ParameterAlreadyExists:
                return None

    def versions(self, name: str, numbers: Sequence[int], labels: Sequence[str] = ()) -> tuple[ParameterVersion, ...]:
        """Return those of the given versions that still exist, and those that carry one of the labels, oldest first.

        One GetParameters with the selectors `name:number` and `name:label` for every ten of them. Parameter Store
        documents the selectors, but not several of one name in one request, nor that two that mean the same version
        are answered twice: where it refuses, or leaves open which version has a label, the history decides.
        """
        selectors = [f"{name}:{one}" for one in (*numbers, *labels)]
        doing = f"read versions of parameter {quoted(name)}"
        try:
            answers = self._get_forms(selectors, doing)
        except ParameterRefused:
            return self._from_history(name, numbers, labels)
        with self._ssm.calling(doing):
            carrying = labelled_versions(answers, name, labels, numbers)
            items = {item["Version"]: item for item in found(answers)}
        if carrying is None:
            return self._from_history(name, numbers, labels)
        return tuple(
            _version(items[number], tuple(label for label in labels if carrying.get(label) == number))
            for number in sorted(items)
        )

    def label(self, name: str, version: int, label: str) -> None:
        """Put the label on this version, taking it off any other.

        Raises:
            ParameterRefused: the version is gone, has ten labels already, or the label is not of the allowed form.
        """
        with self._ssm.calling(f"label version {version} of parameter {quoted(name)}") as ssm:
            answer = ssm.label_parameter_version(Name=name, ParameterVersion=version, Labels=[label])
            if answer.get("InvalidLabels"):
                raise ParameterRefused(
                    f"Parameter Store does not take {quoted(label)} as a label of parameter {quoted(name)}.",
                    hint="A label has letters, digits, '.', '-', '_', and does not begin with a digit, aws or ssm.",
                )

    def unlabel(self, name: str, version: int, label: str) -> None:
        """Take the label off this version; nothing happens where it is not there, or the version is gone."""
        with self._ssm.calling(f"take a label off version {version} of parameter {quoted(name)}") as ssm:
            try:
                ssm.unlabel_parameter_version(Name=name, ParameterVersion=version, Labels=[label])
            except (ssm.exceptions.ParameterNotFound, ssm.exceptions.ParameterVersionNotFound):
                return

    def history(self, name: str) -> tuple[ParameterVersion, ...]:
        """Return all versions there still are (at most 100), oldest first, with labels and who wrote them.

        Raises:
            ParameterRefused: there is no such parameter.
        """
        with self._ssm.calling(f"read the history of parameter {quoted(name)}") as ssm:
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

    def _current(self, name: str) -> tuple[ParameterTypeDef, Marks] | None:
        """Return the value with our labels, at one moment; or else the value first.

        A hold is put there in the order label, value: whoever reads the value before the labels cannot miss it.
        """
        doing = f"read parameter {quoted(name)}"
        try:
            [answer] = self._get_forms([name, *(f"{name}:{label}" for label in ALL_LABELS)], doing)
        except ParameterRefused:
            value = self._value(name)
            marks = Marks.of(self.history(name)) if value else Marks()
            self._forms_are_refused = True
            return None if value is None else (value, marks)
        with self._ssm.calling(doing):
            items = found([answer])
            if name in answer["InvalidParameters"] or not items:
                return None
            value = max(items, key=lambda item: item["Version"])
            carrying = labelled_versions([answer], name, ALL_LABELS, [value["Version"]])
        if carrying is None:
            return value, Marks.of(self.history(name))
        by_number = {item["Version"]: item for item in items}
        return value, Marks.of(
            _version(item, tuple(label for label in ALL_LABELS if carrying.get(label) == number))
            for number, item in by_number.items()
        )

    def _value(self, name: str) -> ParameterTypeDef | None:
        with self._ssm.calling(f"read parameter {quoted(name)}") as ssm:
            try:
                return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
            except ssm.exceptions.ParameterNotFound:
                return None

    def _metadata(self, name: str) -> ParameterMetadataTypeDef | None:
        """Return the parameter's attributes; a page may be empty and still not be the last one."""
        try:
            with self._ssm.calling(f"read the attributes of parameter {quoted(name)}") as ssm:
                pages = ssm.get_paginator("describe_parameters").paginate(
                    ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": [name]}]
                )
                return next((item for page in pages for item in page["Parameters"]), None)
        except AccessDenied as denied:
            raise AccessDenied(
                denied.message,
                hint=sentences(
                    denied.hint,
                    "It is needed to keep the parameter's tier, key, description and allowed pattern when writing it.",
                ),
                details=denied.details,
            ) from None

    def _newest(self, name: str) -> ParameterHistoryTypeDef | None:
        with self._ssm.calling(f"read the attributes of parameter {quoted(name)}") as ssm:
            try:
                return _pages(ssm, name)[-1]
            except ssm.exceptions.ParameterNotFound:
                return None

    def _get_forms(self, selectors: Sequence[str], doing: str) -> list[GetParametersResultTypeDef]:
        """Ask for several forms of one name, unless that was refused before in this process.

        Raises:
            ParameterRefused: Parameter Store takes no several forms of one name.
        """
        if self._forms_are_refused:
            raise ParameterRefused(f"Cannot {doing} in one request.")
        return self._get(selectors, doing)

    def _get(self, names: Sequence[str], doing: str) -> list[GetParametersResultTypeDef]:
        """Return the answers of as many GetParameters as the names need."""

        def get(batch: Sequence[str]) -> GetParametersResultTypeDef:
            with self._ssm.calling(doing) as ssm:
                return ssm.get_parameters(Names=batch, WithDecryption=True)

        return run_all([partial(get, batch) for batch in batches(names, _NAMES_PER_REQUEST)])

    def _from_history(self, name: str, numbers: Sequence[int], labels: Sequence[str]) -> tuple[ParameterVersion, ...]:
        wanted = ((v, tuple(label for label in labels if label in v.labels)) for v in self.history(name))
        return tuple(replace(v, labels=carried) for v, carried in wanted if v.version in numbers or carried)


def _pages(ssm: SSMClient, name: str) -> list[ParameterHistoryTypeDef]:
    pages = ssm.get_paginator("get_parameter_history").paginate(Name=name, WithDecryption=True)
    return sorted((item for page in pages for item in page["Parameters"]), key=lambda item: item["Version"])


def _parameter(
    name: str, value: ParameterTypeDef, attributes: ParameterMetadataTypeDef | ParameterHistoryTypeDef, marks: Marks
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
        marks=marks,
    )


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
