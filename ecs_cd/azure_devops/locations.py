"""Where the resources are, so that the SDK does not ask the organization for it.

Its clients learn every resource there is before their first request: `OPTIONS {organization}/_apis`, an answer of 190
KB on dev.azure.com, in each new process. These are rows of that answer, as recorded in 2026 (`Permissions`: as
Microsoft's TypeScript client has it); the ids are those that the SDK's clients name. Versions are the resources' own;
the SDK asks for what it knows within them.
"""

from __future__ import annotations

from azure.devops._models import ApiResourceLocation

APPROVALS = "37794717-f36f-4d78-b2bf-4dc30d0cfbcd"

_ROWS = (
    ApiResourceLocation(
        APPROVALS,
        "approval",
        "approvals",
        "{project}/_apis/pipelines/{resource}/{approvalId}",
        resource_version=2,
        min_version=5.1,
        max_version=7.2,
        released_version="7.1",
    ),
    ApiResourceLocation(
        "53df2d18-29ea-46a9-bee0-933540f80abf",
        "Pipelines",
        "preview",
        "{project}/_apis/{area}/{pipelineId}/{resource}",
        resource_version=2,
        min_version=5.1,
        max_version=7.2,
        released_version="7.1",
    ),
    ApiResourceLocation(
        "7859261e-d2e9-4a68-b820-a5d84cc5bb3d",
        "Pipelines",
        "runs",
        "{project}/_apis/{area}/{pipelineId}/{resource}/{runId}",
        resource_version=2,
        min_version=5.1,
        max_version=7.2,
        released_version="7.1",
    ),
    ApiResourceLocation(
        "0cd358e1-9217-4d94-8269-1c1ee6f93dcf",
        "Build",
        "Builds",
        "{project}/_apis/build/{resource}/{buildId}",
        resource_version=7,
        min_version=1.0,
        max_version=7.2,
        released_version="7.1",
    ),
    ApiResourceLocation(
        "dbeaf647-6167-421a-bda9-c9327b25e2e6",
        "Build",
        "Definitions",
        "{project}/_apis/build/{resource}/{definitionId}",
        resource_version=7,
        min_version=1.0,
        max_version=7.2,
        released_version="7.1",
    ),
    ApiResourceLocation(
        "8baac422-4c6e-4de5-8532-db96d92acffa",
        "build",
        "Timeline",
        "{project}/_apis/{area}/builds/{buildId}/{resource}/{timelineId}",
        resource_version=3,
        min_version=2.0,
        max_version=7.2,
        released_version="7.1",
    ),
    ApiResourceLocation(
        "6e6114b2-8161-44c8-8f6c-c5505782427f",
        "build",
        "tags",
        "{project}/_apis/{area}/builds/{buildId}/{resource}/{*tag}",
        resource_version=3,
        min_version=2.0,
        max_version=7.2,
        released_version="7.1",
    ),
    ApiResourceLocation(
        "35a80daf-7f30-45fc-86e8-6b813d9c90df",
        "build",
        "logs",
        "{project}/_apis/{area}/builds/{buildId}/{resource}/{logId}",
        resource_version=2,
        min_version=2.0,
        max_version=7.2,
        released_version="7.1",
    ),
    ApiResourceLocation(
        "53df2d18-29ea-46a9-bee0-933540f80abf",
        "pipelines",
        "preview",
        "{project}/_apis/{area}/{pipelineId}/{resource}",
        resource_version=2,
        min_version=5.1,
        max_version=7.2,
        released_version="7.1",
    ),
    ApiResourceLocation(
        "dd3b8bd6-c7fc-4cbd-929a-933d9c011c9d",
        "Security",
        "Permissions",
        "_apis/{resource}/{securityNamespaceId}/{permissions}",
        resource_version=2,
        min_version=1.0,
        max_version=7.2,
        released_version="7.1",
    ),
)

LOCATIONS = {row.id: row for row in _ROWS}
