"""Which answer of GetParameters belongs to which label, where several forms of one name were asked for at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import GetParametersResultTypeDef, ParameterTypeDef


def found(answers: Sequence[GetParametersResultTypeDef]) -> list[ParameterTypeDef]:
    """Return all that was found."""
    return [item for answer in answers for item in answer["Parameters"]]


def labelled_versions(
    answers: Sequence[GetParametersResultTypeDef], name: str, labels: Sequence[str], others: Collection[int]
) -> dict[str, int] | None:
    """Return the version that carries each of the labels which are there; None when the answers leave it open.

    An item names the selector that it answers (`Selector`). Where it does not, one label can still be
    identified: its answer is none of the `others` (the versions asked for in another way), or came twice.
    """
    invalid = {wrong for answer in answers for wrong in answer["InvalidParameters"]}
    there = [label for label in labels if f"{name}:{label}" not in invalid]
    items = found(answers)
    by_label = {item.get("Selector", "").lstrip(":"): item["Version"] for item in items}
    known = {label: by_label[label] for label in there if label in by_label}
    left = [label for label in there if label not in known]
    if not left:
        return known
    versions = [item["Version"] for item in items if item.get("Selector", "").lstrip(":") not in known]
    inferred = [version for version in versions if version not in others or versions.count(version) > 1]
    if len(left) > 1 or not inferred:
        return None
    return known | {left[0]: inferred[0]}
