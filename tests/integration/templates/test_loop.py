"""The whole loop with real Terraform and the built task, every pipeline file as it ships."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ecs_cd_sandbox.aws.faults import Delay
from ecs_cd_sandbox.azure_devops import Repository
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml import YamlFile
from ecs_cd_sandbox.azure_devops.model.run import Run
from ecs_cd_sandbox.example_infrastructure import STATE_BUCKET, seed
from ecs_cd_sandbox.pipelines import INFRASTRUCTURE, RELEASE, SERVICES
from ecs_cd_sandbox.portal import Portal
from ecs_cd_sandbox.sandbox import Sandbox
from tests.integration.templates.service_pipelines import log, results
from tests.integration.templates.template_expansion import ROOT
from tests.support.built_extension import built_extension
from tests.support.sandbox_api import Api

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the sandbox's agent and its signals are POSIX")

SUMMARY = "Distributedtask.Core.Summary"
PATIENCE = 120.0
EXAMPLE = ROOT / "templates" / "terraform" / "example"


@pytest.fixture(scope="module")
def started() -> Iterator[Sandbox]:
    with Sandbox(extension=built_extension(), approvals=True) as running:
        yield running


@pytest.fixture
def sandbox(started: Sandbox) -> Iterator[Sandbox]:
    """The sandbox; after each test nothing in it has told a secret."""
    yield started
    secrets = [secret for endpoint in started.azure_devops._endpoints for secret in endpoint.secrets.values()]
    assert secrets
    for run in runs(started):
        told = "\n".join([log(run), *(each.content.decode(errors="replace") for each in run.attachments)])
        told += "\n".join(issue.message for record in run.timeline.records for issue in record.issues)
        assert not [secret for secret in secrets if secret in told], f"run {run.id} tells a secret"


def runs(sandbox: Sandbox, pipeline: str = "", after: int = 0) -> list[Run]:
    """Return the runs, or those of a pipeline, in their order."""
    state = sandbox.azure_devops._state
    with state.lock:
        found = [run for run in state.runs.values() if run.id > after]
    return [run for run in found if pipeline in {"", run.definition.name}]


def finished(sandbox: Sandbox, number: int) -> Run:
    """Return a run once it is over, and see that it went well."""
    sandbox.azure_devops.wait(number, timeout=PATIENCE)
    run = sandbox.azure_devops._state.runs[number]
    assert run.result == "succeeded", log(run)
    return run


def tags(sandbox: Sandbox, environment: str) -> dict[str, str]:
    """Return the tag that each service serves in an environment; none whose rollout is not over."""
    ecs = sandbox.aws.client("ecs")
    found = {}
    for service in ecs.describe_services(cluster=environment, services=list(SERVICES))["services"]:
        [deployment] = service["deployments"]
        assert deployment["rolloutState"] == "COMPLETED" and service["runningCount"] == service["desiredCount"]
        definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        images = {each["name"]: each["image"] for each in definition["containerDefinitions"]}
        found[service["serviceName"]] = images[SERVICES[service["serviceName"]]].rpartition(":")[2]
    return found


def locks(sandbox: Sandbox) -> list[str]:
    listed = sandbox.aws.client("s3").list_objects_v2(Bucket=STATE_BUCKET).get("Contents", [])
    return [item["Key"] for item in listed if item["Key"].endswith(".tflock")]


def plan_page(run: Run) -> str:
    """Return the plan that stands on the page of a run."""
    [page] = [each.content.decode() for each in run.attachments if each.type == SUMMARY]
    return page


def assert_applied(sandbox: Sandbox, branches: Mapping[str, str], image: str, other: str, after: int) -> None:
    """Check that each environment, in this order, had a run whose page shows the plan that brought the image.

    Such a run may have brought the other team's along.
    """
    applied = [run for run in runs(sandbox, INFRASTRUCTURE, after=after) if image in plan_page(run)]
    assert [run.request.source.branch for run in applied] == [f"refs/heads/{branch}" for branch in branches.values()]
    for run, environment in zip(applied, branches, strict=True):
        page = plan_page(run)
        assert f"## Terraform plan for {environment}" in page
        brought = 2 if other in page else 1
        assert f"Plan: {brought} to add, {brought} to change, {brought} to destroy." in page


def test_a_push_goes_all_the_way_to_production(sandbox: Sandbox) -> None:
    portal = Portal(sandbox)
    before = tags(sandbox, "production")
    [build] = sandbox.push("my-api", {"server.py": "print('hello')\n"}, "Say hello")
    finished(sandbox, build)
    release = portal.run_after(RELEASE, build)
    approval = portal.approval_or_end(release)
    assert approval, log(sandbox.azure_devops._state.runs[release])
    assert tags(sandbox, "development")["my-api"] == str(build)
    assert tags(sandbox, "production") == before
    portal.approve(approval, "Looks good")
    finished(sandbox, release)
    for environment in ("development", "production"):
        assert tags(sandbox, environment) == {**before, "my-api": str(build)}
    branches = {"development": "develop", "production": "main"}
    assert_applied(sandbox, branches, f"my-api:{build}", f"my-worker:{build}", after=build)
    assert locks(sandbox) == []


def test_a_run_cancelled_in_mid_apply_leaves_no_lock_and_the_next_one_goes_on_from_there(sandbox: Sandbox) -> None:
    azure, path = sandbox.azure_devops, "terraform/services.tf"
    text = (EXAMPLE / "services.tf").read_text(encoding="utf-8")
    larger = text.replace("memory    = 512", "memory    = 1024", 1)
    sandbox.aws.inject("ecs", "RegisterTaskDefinition", Delay(2))
    [number] = sandbox.push("infrastructure", {path: larger}, "More memory", branch="develop")
    run = azure._state.runs[number]
    assert [stage.name for stage in run.definition.stages] == ["development"], "a branch is of one environment"
    creating = 'aws_ecs_task_definition.this["my-api"]: Creating...'
    azure.wait_until(number, lambda run: run.phase == "done" or creating in log(run), PATIENCE)
    assert locks(sandbox) == ["development.tfstate.tflock"], log(run)
    Api(azure, sandbox.pat).cancel(number)
    assert azure.wait(number, timeout=PATIENCE) == "canceled"
    assert results(run, "Task")["Apply"] == "canceled"
    assert "Interrupt received" in log(run) and "Two interrupts received" not in log(run)
    assert 'aws_ecs_task_definition.this["my-api"]: Creation complete' in log(run)
    assert locks(sandbox) == []

    [again] = sandbox.push("infrastructure", {"README.md": "Try again\n"}, "Try again", branch="develop")
    page = plan_page(finished(sandbox, again))
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in page, "the definition is known, its service was not reached"
    assert [each.id for each in runs(sandbox, after=number)] == [again], "no other environment is touched"


def add_staging(sandbox: Sandbox) -> int:
    """Bring up a third environment on a branch of its own, as a platform team would; return the run that did it."""
    seed(sandbox.aws, "staging")
    pipeline = (ROOT / "templates" / "examples" / "infrastructure" / "azure-pipelines.yml").read_text(encoding="utf-8")
    entry = (
        "        - name: staging\n"
        "          branch: staging\n"
        "          awsCredentials: aws-development\n"
        "          regionName: eu-west-1\n"
        "          backendConfig: environments/staging.s3.tfbackend\n"
        "          varFile: environments/staging.tfvars\n"
    )
    files = {"azure-pipelines.yml": pipeline.replace("[develop, main]", "[develop, staging, main]") + entry}
    for name in ("s3.tfbackend", "tfvars"):
        text = (EXAMPLE / "environments" / f"development.{name}").read_text(encoding="utf-8")
        files[f"terraform/environments/staging.{name}"] = text.replace("development", "staging")
    for branch in ("develop", "main"):
        assert sandbox.push("infrastructure", files, "Add staging [skip ci]", branch=branch) == []
    [number] = sandbox.push("infrastructure", {"README.md": "Staging\n"}, "Bring up staging", branch="staging")
    return number


def with_environments(repository: Path, *names: str, service: str) -> dict[str, str]:
    """Return the example's release and settings of a service with other environments, each after the one before."""
    settings = (repository / "ecs-cd.yml").read_text(encoding="utf-8")
    settings = settings.replace("my-api", service).replace("container: api", f"container: {SERVICES[service]}")
    settings += "  staging: {branch: staging, region: eu-west-1}\n"
    head, _, _ = (repository / "release.yml").read_text(encoding="utf-8").partition("        - name: development")
    release = head.replace("my-api", service)
    for name, former in zip(names, ("", *names), strict=False):
        connection = "aws-production" if name == "production" else "aws-development"
        release += f"        - {{name: {name}, awsCredentials: {connection}, promoteFrom: '{former}'}}\n"
    return {"ecs-cd.yml": settings, "release.yml": release}


def test_two_teams_push_all_the_way_through_three_environments_and_do_not_meet(sandbox: Sandbox) -> None:
    azure, portal, examples = sandbox.azure_devops, Portal(sandbox), ROOT / "templates" / "examples" / "api"
    definitions = azure._state.definitions
    released = next(each for each in definitions.values() if each.name == RELEASE)
    assert isinstance(released.file, YamlFile)
    workers = replace(released.file, repository=sandbox.repositories["my-worker"])
    repository = Repository("my-worker")
    azure.define(replace(released, id=9, name="my-worker-release", repository=repository, file=workers))
    finished(sandbox, add_staging(sandbox))
    for _ in range(20):  # nobody waits for a first rollout; one of a task takes four ticks
        sandbox.scheduler.tick()
    before = tags(sandbox, "production")
    assert tags(sandbox, "staging") == dict.fromkeys(SERVICES, "100")

    ours = with_environments(examples, "development", "staging", "production", service="my-api")
    theirs = with_environments(examples, "staging", service="my-worker")
    [build] = sandbox.push("my-api", ours, "Through three environments")
    [other] = sandbox.push("my-worker", theirs, "To staging alone")
    release, other_release = portal.run_after(RELEASE, build), portal.run_after("my-worker-release", other)
    approval = portal.approval_or_end(release)
    assert approval, log(azure._state.runs[release])
    finished(sandbox, other_release)
    both, one = {"my-api": str(build), "my-worker": str(other)}, {"my-api": str(build), "my-worker": "100"}
    assert (tags(sandbox, "development"), tags(sandbox, "staging")) == (one, both)
    assert tags(sandbox, "production") == before
    portal.approve(approval, "Looks good")
    finished(sandbox, release)
    assert tags(sandbox, "production") == one
    assert (tags(sandbox, "development"), tags(sandbox, "staging")) == (one, both)
    branches = {"development": "develop", "staging": "staging", "production": "main"}
    assert_applied(sandbox, branches, f"my-api:{build}", f"my-worker:{other}", after=build)
    assert locks(sandbox) == []
