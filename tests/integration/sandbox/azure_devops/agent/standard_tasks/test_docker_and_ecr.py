from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.aws_for_tasks import EcrRegistry, Roles
from ecs_cd_sandbox.azure_devops import ServiceEndpoint
from ecs_cd_sandbox.azure_devops.agent.standard_tasks import AwsLogin, TaskCatalog
from tests.integration.sandbox.azure_devops.agent.standard_tasks.outcomes import Outcome, carry_out
from tests.support.node_tasks import note
from tests.support.sandbox_api import Serve
from tests.support.standard_task_steps import files, step

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
CONNECTION = ServiceEndpoint(
    "11111111-2222-3333-4444-555555555555",
    "aws-development",
    "AWS",
    "https://aws.amazon.com/",
    secrets={"username": "AKIATHROWAWAY", "password": "never-to-be-seen"},
)
ROLE = ServiceEndpoint(
    "21111111-2222-3333-4444-555555555555",
    "aws-role",
    "AWS",
    "https://aws.amazon.com/",
    parameters={"assumeRoleArn": "arn:aws:iam::123456789012:role/deployer"},
    secrets=CONNECTION.secrets,
)
HALF = ServiceEndpoint("31111111-2222-3333-4444-555555555555", "aws-half", "AWS", "x", secrets={"username": "AKIAHALF"})
OIDC = ServiceEndpoint("41111111-2222-3333-4444-555555555555", "aws-oidc", "AWS", "x", parameters={"useOIDC": "true"})
HUB = ServiceEndpoint(
    "51111111-2222-3333-4444-555555555555",
    "registry",
    "dockerregistry",
    "https://hub.docker.com/",
    parameters={"registry": f"https://{HOST}", "username": "AWS"},
    secrets={"password": "registry-password"},
)
DOCKERFILE = {"s/app/Dockerfile": "# syntax\nARG A\nFROM scratch\nCOPY . /\n", "s/app/main.py": "main"}
BUILT = {"command": "build", "repository": "my-api", "tags": "226\nlatest"}
PUSH = {
    "awsCredentials": "aws-development",
    "regionName": "eu-west-1",
    "sourceImageName": "my-api",
    "sourceImageTag": "226",
    "repositoryName": "my-api",
    "pushTag": "$(Build.BuildId)",
    "autoCreateRepository": "true",
}
SERVER = {"endpoints": [CONNECTION, ROLE, HALF, OIDC, HUB], "agent_environment": {"PATH": "/usr/bin:/bin"}}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Aws]:
    with Aws() as aws:
        yield aws


@pytest.fixture
def aws(cloud: Aws) -> Aws:
    cloud.reset()
    return cloud


@pytest.fixture
def catalog(aws: Aws) -> TaskCatalog:
    registry = EcrRegistry(aws.url, login=AwsLogin("sandbox", "sandbox", region=aws.region))
    return TaskCatalog(registry=registry, assume_role=Roles(aws.url))


def tags(aws: Aws, repository: str = "my-api") -> dict[str, str]:
    """Return the digest of each tag in a repository of ECR."""
    found = aws.client("ecr").list_images(repositoryName=repository)["imageIds"]
    return {image["imageTag"]: image["imageDigest"] for image in found if "imageTag" in image}


def build_and(serve: Serve, catalog: TaskCatalog, *more: tuple[str, Mapping[str, str]], **job: Any) -> Outcome:  # noqa: ANN401 - passed on
    """Run a job that builds an image and goes on with some tasks."""
    steps = [step(task, given, catalog=catalog, ref_name=f"step{index}") for index, (task, given) in enumerate(more)]
    return carry_out(serve, files(DOCKERFILE), step("Docker@2", BUILT, catalog=catalog), *steps, server=SERVER, **job)


def test_what_was_built_is_pushed_to_ecr_under_its_tag(serve: Serve, aws: Aws, catalog: TaskCatalog) -> None:
    outcome = build_and(serve, catalog, ("ECRPushImage@1", {**PUSH, "outputVariable": "image"}))
    assert outcome.result == "succeeded", outcome.log(3)
    tag = str(outcome.run)
    assert list(tags(aws)) == [tag]
    log = outcome.log(3)
    assert f"{tag}: digest: {tags(aws)[tag]} size: " in "\n".join(log)
    assert f"Setting output variable image with the pushed image tag {HOST}/my-api:{tag}" in log
    assert log[0] == outcome.log(2)[0] and log[0].startswith("There is no Docker in the sandbox")
    assert "never-to-be-seen" not in "".join(log)


def test_an_image_follows_its_dockerfile_and_context(serve: Serve, aws: Aws, catalog: TaskCatalog) -> None:
    def digest(content: Mapping[str, str]) -> str:
        built = step("Docker@2", BUILT, catalog=catalog)
        pushed = step("ECRPushImage@1", {**PUSH, "pushTag": "t"}, catalog=catalog)
        assert carry_out(serve, files(content), built, pushed, server=SERVER).result == "succeeded"
        return tags(aws)["t"]

    first = digest(DOCKERFILE)
    assert digest(DOCKERFILE) == first
    assert digest({**DOCKERFILE, "s/app/main.py": "other"}) != first


def test_the_output_variable_has_the_whole_name(serve: Serve, catalog: TaskCatalog) -> None:
    seen: list[str] = []
    pushed = step("ECRPushImage@1", {**PUSH, "pushTag": "7", "outputVariable": "image"}, catalog=catalog)
    look = note(seen, lambda context: context.variables["image"])
    carry_out(serve, files(DOCKERFILE), step("Docker@2", BUILT, catalog=catalog), pushed, look, server=SERVER)
    assert seen == [f"{HOST}/my-api:7"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sourceImageTag": "other"}, "Error response from daemon: No such image: my-api:other."),
        ({"autoCreateRepository": "false"}, "name unknown: The repository with name 'my-api' does not exist"),
        ({"repositoryName": "My Api"}, 'invalid reference format: "'),
        ({"awsCredentials": ""}, "There are no AWS credentials: name a service connection in awsCredentials"),
        ({"awsCredentials": "aws-half"}, 'Need to define or omit both "Access Key ID" and "Secret Access Key"'),
        ({"awsCredentials": "aws-oidc"}, "The service connection aws-oidc logs in by OIDC"),
        ({"awsCredentials": "missing"}, "Input awsCredentials references service connection missing"),
        ({"regionName": ""}, "There is no AWS region: give regionName"),
    ],
)
def test_a_push_that_cannot_be_says_why(
    serve: Serve, aws: Aws, catalog: TaskCatalog, given: dict[str, str], message: str
) -> None:
    outcome = build_and(serve, catalog, ("ECRPushImage@1", {**PUSH, **given}))
    assert outcome.result == "failed" and outcome.issues(3)[0].startswith(message)
    assert not aws.client("ecr").describe_repositories()["repositories"]


def test_names_are_brought_in_line_only_where_that_is_asked_for(serve: Serve, aws: Aws, catalog: TaskCatalog) -> None:
    given = {**PUSH, "repositoryName": "My Api", "pushTag": "1", "forceDockerNamingConventions": "true"}
    assert build_and(serve, catalog, ("ECRPushImage@1", given)).result == "succeeded"
    assert list(tags(aws, "myapi")) == ["1"]


def test_a_role_is_assumed_and_variables_serve_as_well(serve: Serve, aws: Aws, catalog: TaskCatalog) -> None:
    by_role = {**PUSH, "awsCredentials": "aws-role"}
    by_variables = {**PUSH, "awsCredentials": "", "regionName": ""}
    variables = {"AWS.AccessKeyID": "AKIAVARIABLE", "AWS.Region": "eu-west-1"}
    outcome = build_and(
        serve,
        catalog,
        ("ECRPushImage@1", by_role),
        ("ECRPushImage@1", by_variables),
        variables=variables,
        secrets={"AWS.SecretAccessKey": "from-a-variable"},
    )
    assert outcome.result == "succeeded", outcome.log(3)
    assert [request.operation for request in aws.requests if request.service == "sts"] == ["AssumeRole"]


def test_an_image_is_found_by_its_id_until_it_is_removed(serve: Serve, catalog: TaskCatalog) -> None:
    first = build_and(serve, catalog)
    identifier = next(line for line in first.log(2) if line.startswith("Successfully built")).split()[-1]
    by_id = {**PUSH, "imageSource": "imageid", "sourceImageId": identifier, "removeDockerImage": "true"}
    outcome = build_and(serve, catalog, ("ECRPushImage@1", by_id), ("ECRPushImage@1", by_id))
    assert [record["result"] for record in outcome.api.records(outcome.run, "Task")][2:] == ["succeeded", "failed"]
    assert f"No such image: {identifier}" in outcome.issues(4)[0]


def test_what_another_job_built_is_not_there(serve: Serve, catalog: TaskCatalog) -> None:
    build_and(serve, catalog)
    outcome = carry_out(serve, step("ECRPushImage@1", PUSH, catalog=catalog), server=SERVER)
    assert "No such image: my-api:226. No step of this job has built it." in outcome.issues()[0]


def test_docker_pushes_to_the_registry_it_is_given(serve: Serve, aws: Aws, catalog: TaskCatalog) -> None:
    aws.create_repository("my-api")
    given = {"containerRegistry": "registry", "repository": "My-Api", "tags": "226, latest"}
    seen: list[str] = []
    outcome = carry_out(
        serve,
        files(DOCKERFILE),
        step("Docker@2", given, catalog=catalog, ref_name="docker"),
        note(seen, lambda context: context.variables["docker.DockerOutput"]),
        server=SERVER,
    )
    assert outcome.result == "succeeded", outcome.log(2)
    assert set(tags(aws)) == {"226", "latest"}
    assert len(seen[0].splitlines()) == 2


def test_a_login_lasts_until_the_logout(serve: Serve, aws: Aws, catalog: TaskCatalog) -> None:
    aws.create_repository("my-api")
    both = {"repository": "my-api", "tags": "1"}
    outcome = carry_out(
        serve,
        files(DOCKERFILE),
        step("Docker@2", {"command": "login", "containerRegistry": "registry"}, catalog=catalog),
        step("Docker@2", {**both, "command": "build"}, catalog=catalog),
        step("Docker@2", {**both, "command": "push"}, catalog=catalog),
        step("Docker@2", {"command": "logout"}, catalog=catalog),
        step("Docker@2", {**both, "command": "push"}, catalog=catalog),
        server=SERVER,
    )
    assert list(tags(aws)) == ["1"]
    assert outcome.issues(6) == ["An image does not exist locally with the tag: my-api:1"]


@pytest.mark.parametrize(
    ("content", "given", "message"),
    [
        ({"s/x": ""}, {}, "No Dockerfile matching  /"),
        (DOCKERFILE, {"Dockerfile": "Dockerfile"}, "No Dockerfile matching  /"),
        (DOCKERFILE, {"buildContext": "missing"}, "unable to prepare context: path '/"),
        ({"s/Dockerfile": "# FROM nothing\n"}, {}, "failed to build: "),
        (DOCKERFILE, {"tags": "not a tag"}, 'invalid reference format: "my-api:not a tag"'),
        (DOCKERFILE, {"command": "start", "container": "x"}, "The sandbox has no Docker to run the command 'start'"),
        (DOCKERFILE, {"command": "buildAndPush"}, "denied: requested access to the resource is denied"),
    ],
)
def test_a_build_that_cannot_be_says_why(
    serve: Serve, catalog: TaskCatalog, content: dict[str, str], given: dict[str, str], message: str
) -> None:
    outcome = carry_out(serve, files(content), step("Docker@2", {**BUILT, **given}, catalog=catalog), server=SERVER)
    assert outcome.result == "failed" and outcome.issues(2)[0].startswith(message)


def test_a_build_may_name_its_image_by_arguments(serve: Serve, aws: Aws, catalog: TaskCatalog) -> None:
    built = {"command": "build", "arguments": "--build-arg A=1 -t my-api:226"}
    steps = (
        step("Docker@2", built, catalog=catalog),
        step("ECRPushImage@1", {**PUSH, "pushTag": "9"}, catalog=catalog),
    )
    assert carry_out(serve, files(DOCKERFILE), *steps, server=SERVER).result == "succeeded"
    assert list(tags(aws)) == ["9"]


def test_without_a_registry_the_steps_say_so(serve: Serve) -> None:
    outcome = build_and(serve, TaskCatalog(), ("ECRPushImage@1", PUSH))
    assert outcome.issues(3) == ["The sandbox was given no registry to push images to."]


SCRIPT = {"scriptType": "inline", "awsCredentials": "aws-development", "regionName": "EU-West-1"}
SHOW = 'echo "$AWS_ACCESS_KEY_ID $AWS_REGION $AWS_DEFAULT_REGION $1 $2"; basename "$PWD"; test "$AWS_SECRET_ACCESS_KEY"'


def test_a_script_of_the_toolkit_has_credentials_and_region(serve: Serve) -> None:
    given = {**SCRIPT, "inlineScript": SHOW, "arguments": "one 'two three'"}
    outcome = carry_out(serve, step("AWSShellScript@1", given), server=SERVER)
    assert outcome.result == "succeeded", outcome.log()
    assert outcome.log()[-2:] == ["*** eu-west-1 eu-west-1 one two three", "s"]


def test_a_script_of_the_toolkit_may_have_a_role(serve: Serve, catalog: TaskCatalog) -> None:
    given = {**SCRIPT, "awsCredentials": "aws-role", "inlineScript": 'test "$AWS_SESSION_TOKEN" && echo assumed'}
    assert carry_out(serve, step("AWSShellScript@1", given, catalog=catalog), server=SERVER).log()[-1] == "assumed"
    refused = carry_out(serve, step("AWSShellScript@1", given), server=SERVER)
    assert refused.issues()[0].startswith("The sandbox has no STS to assume the role arn:aws:iam::123456789012:role/")


def test_a_script_of_the_toolkit_may_be_a_file_elsewhere(serve: Serve) -> None:
    given = {**SCRIPT, "scriptType": "filePath", "filePath": "show.sh", "disableAutoCwd": "true"}
    outcome = carry_out(
        serve,
        files({"s/show.sh": 'basename "$PWD"; echo oh >&2'}),
        step("AWSShellScript@1", {**given, "workingDirectory": "made/here", "failOnStandardError": "true"}),
        server=SERVER,
    )
    assert outcome.result == "failed"
    assert "here" in outcome.log(2)
    assert outcome.issues(2) == ["Bash wrote one or more lines to the standard error stream.", "oh"]
