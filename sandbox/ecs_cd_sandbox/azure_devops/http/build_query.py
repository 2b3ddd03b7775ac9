"""The filters, orders and pages of the lists of builds and of definitions."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TypeVar

from ecs_cd_sandbox.azure_devops.http.errors import invalid_value
from ecs_cd_sandbox.azure_devops.http.handlers import Query
from ecs_cd_sandbox.azure_devops.http.paging import Key, page
from ecs_cd_sandbox.azure_devops.model.definitions import PipelineDefinition
from ecs_cd_sandbox.azure_devops.model.identities import stable_guid
from ecs_cd_sandbox.azure_devops.model.run import Run

DEFAULT_TOP = 1000
MAX_TOP = 5000

STATUS_BITS = {
    "none": 0,
    "inProgress": 1,
    "completed": 2,
    "cancelling": 4,
    "postponed": 8,
    "notStarted": 32,
    "all": 47,
}
RESULT_BITS = {"none": 0, "succeeded": 2, "partiallySucceeded": 4, "failed": 8, "canceled": 32}
REASON_BITS = {
    "none": 0,
    "manual": 1,
    "individualCI": 2,
    "batchedCI": 4,
    "schedule": 8,
    "userCreated": 32,
    "validateShelveset": 64,
    "checkInShelveset": 128,
    "pullRequest": 256,
    "buildCompletion": 512,
    "resourceTrigger": 1024,
    "triggered": 1967,
    "all": 2031,
}
BUILD_ORDERS = (
    "finishTimeAscending",
    "finishTimeDescending",
    "queueTimeDescending",
    "queueTimeAscending",
    "startTimeDescending",
    "startTimeAscending",
)
DEFINITION_ORDERS = (
    "none",
    "lastModifiedAscending",
    "lastModifiedDescending",
    "definitionNameAscending",
    "definitionNameDescending",
)

_Test = Callable[[Run], bool]
_Item = TypeVar("_Item")


def query_builds(runs: list[Run], query: Query) -> tuple[list[Run], str | None]:
    """Return the page of builds a query asks for, and the token of the next page or None."""
    order = query.choice("queryOrder", BUILD_ORDERS) or "queueTimeDescending"
    tests = [*_identity_tests(query), *_enum_tests(query), *_time_tests(query, order)]
    found = [run for run in runs if all(test(run) for test in tests)]
    limit = query.integer("maxBuildsPerDefinition", 0)
    if limit:
        found = _newest_of_each(found, limit)

    def key(run: Run) -> Key:
        return [_moment(run, order), run.id]

    return _page(query, found, key, order)


def _page(query: Query, found: list[_Item], key: Callable[[_Item], Key], order: str) -> tuple[list[_Item], str | None]:
    """Return the part of what was found that the query's size and token ask for, and the token of the next one."""
    token = query.text("continuationToken")
    return page(found, key, order=order, descending=order.endswith("Descending"), top=_top(query), token=token)


def _top(query: Query) -> int:
    top = query.integer("$top", DEFAULT_TOP)
    if top < 1:
        raise invalid_value("$top", top)
    return min(top, MAX_TOP)


def _identity_tests(query: Query) -> list[_Test]:
    tests: list[_Test] = []
    definitions, builds = _numbers(query, "definitions"), _numbers(query, "buildIds")
    branch, number, person = query.text("branchName"), query.text("buildNumber"), query.text("requestedFor")
    tags = {tag.lower() for tag in query.texts("tagFilters")}
    if definitions:
        tests.append(lambda run: run.definition.id in definitions)
    if builds:
        tests.append(lambda run: run.id in builds)
    if branch:
        tests.append(lambda run: run.request.source.branch == branch)
    if number:
        tests.append(lambda run: _matches(run.number, number))
    if person:
        tests.append(lambda run: _is(run, person.lower()))
    if tags:
        tests.append(lambda run: tags <= {tag.lower() for tag in run.tags})
    repository = query.text("repositoryId")
    if repository:
        if not query.text("repositoryType"):
            raise invalid_value("repositoryType", None)
        tests.append(lambda run: repository.lower() == stable_guid("repository", run.definition.repository.name))
    return tests


def _enum_tests(query: Query) -> list[_Test]:
    tests: list[_Test] = []
    status = query.flags("statusFilter", STATUS_BITS)
    result = query.flags("resultFilter", RESULT_BITS)
    reason = query.flags("reasonFilter", REASON_BITS)
    if status is not None:
        tests.append(lambda run: bool(STATUS_BITS[run.status] & status))
    if result is not None:
        tests.append(lambda run: run.result is not None and bool(RESULT_BITS[run.result] & result))
    if reason is not None:
        reasons = {name.lower(): bit for name, bit in REASON_BITS.items()}
        tests.append(lambda run: bool(reasons.get(run.request.reason.lower(), 0) & reason))
    return tests


def _time_tests(query: Query, order: str) -> list[_Test]:
    """`minTime` and `maxTime` are about the time the builds are ordered by."""
    earliest, latest = _moment_given(query, "minTime"), _moment_given(query, "maxTime")
    tests: list[_Test] = []
    if earliest:
        tests.append(lambda run: _moment(run, order) >= earliest)
    if latest:
        tests.append(lambda run: "" < _moment(run, order) <= latest)
    return tests


def _moment_given(query: Query, name: str) -> str | None:
    text = query.text(name)
    if text is None:
        return None
    microseconds = re.sub(r"\.(\d+)", lambda match: f".{match[1][:6]:0<6}", text)
    try:
        value = datetime.fromisoformat(microseconds.replace("Z", "+00:00"))
    except ValueError as error:
        raise invalid_value(name, text) from error
    return _sortable(value if value.tzinfo else value.replace(tzinfo=timezone.utc))


def _moment(run: Run, order: str) -> str:
    """The time a run is ordered by, as text that sorts; a time it does not have comes first."""
    times = {"queueTime": run.queue_time, "startTime": run.start_time, "finishTime": run.finish_time}
    value = next(time for name, time in times.items() if order.startswith(name))
    return _sortable(value) if value else ""


def _sortable(value: datetime) -> str:
    return f"{value.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S.%f}"


def _numbers(query: Query, name: str) -> set[int]:
    parts = query.texts(name)
    for part in parts:
        if not part.isdigit():
            raise invalid_value(name, part)
    return {int(part) for part in parts}


def _matches(text: str, pattern: str) -> bool:
    """Compare without letter case; a star at the end of the pattern stands for anything."""
    text, pattern = text.lower(), pattern.lower()
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def _is(run: Run, person: str) -> bool:
    identity = run.request.requested_by
    return person in {identity.id, identity.unique_name.lower(), identity.display_name.lower()}


def _newest_of_each(runs: list[Run], limit: int) -> list[Run]:
    kept: dict[int, list[Run]] = {}
    for run in sorted(runs, key=lambda run: -run.id):
        mine = kept.setdefault(run.definition.id, [])
        if len(mine) < limit:
            mine.append(run)
    return [run for mine in kept.values() for run in mine]


def query_definitions(
    definitions: list[PipelineDefinition], query: Query
) -> tuple[list[PipelineDefinition], str | None]:
    """Return the page of definitions a query asks for, and the token of the next page or None.

    Definitions do not change here, so the orders by modification are orders by id.
    """
    order = query.choice("queryOrder", DEFINITION_ORDERS) or "none"
    by_name = not order.startswith("lastModified")
    name, path, file = query.text("name"), query.text("path"), query.text("yamlFilename")
    ids = _numbers(query, "definitionIds")
    found = [
        definition
        for definition in definitions
        if (name is None or _wildcard(definition.name, name))
        and (path is None or definition.folder.lower() == path.lower())
        and (not ids or definition.id in ids)
        and (file is None or definition.yaml_path.lstrip("/").lower() == file.lstrip("/").lower())
    ]

    def key(definition: PipelineDefinition) -> Key:
        return [definition.name.lower() if by_name else "", definition.id]

    return _page(query, found, key, order)


def _wildcard(text: str, pattern: str) -> bool:
    literal = pattern.lower().replace("[", "[[]").replace("?", "[?]")
    return fnmatch.fnmatchcase(text.lower(), literal)
