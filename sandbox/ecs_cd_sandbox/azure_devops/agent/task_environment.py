"""The environment in which the agent starts a task's program.

Source: the official agent's `Handler.cs`; task libraries read exactly these names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ecs_cd_sandbox.azure_devops.agent.job import Job
from ecs_cd_sandbox.azure_devops.agent.task_inputs import ResolvedInputs
from ecs_cd_sandbox.azure_devops.model.service_endpoints import ServiceEndpoint
from ecs_cd_sandbox.azure_devops.model.variables import Variables, environment_name

SYSTEM_CONNECTION = "SYSTEMVSSCONNECTION"


def task_environment(job: Job, inputs: ResolvedInputs, task_variables: Variables) -> dict[str, str]:
    """Return what is added for a task to the environment every program of the job has."""
    environment = _variable_names(job)
    merged = job.all_variables()
    for variable in merged.all():
        if variable.secret:
            environment[f"SECRET_{environment_name(variable.name)}"] = merged.expand(variable.value)
    for name, value in inputs.values.items():
        environment[f"INPUT_{environment_name(name)}"] = value
    environment |= _system_connection(job)
    for endpoint in inputs.endpoints:
        environment |= _connection(endpoint)
    for variable in task_variables.all():
        environment[f"VSTS_TASKVARIABLE_{environment_name(variable.name)}"] = variable.value
    return environment


def _variable_names(job: Job) -> dict[str, str]:
    variables = job.all_variables().all()
    return {
        "VSTS_PUBLIC_VARIABLES": json.dumps([variable.name for variable in variables if not variable.secret]),
        "VSTS_SECRET_VARIABLES": json.dumps([variable.name for variable in variables if variable.secret]),
    }


def _system_connection(job: Job) -> dict[str, str]:
    """Return the connection to the server itself, with the job's own token."""
    url = f"{job.access.organization_url}/"
    return _authorization(SYSTEM_CONNECTION, url, "OAuth", {"AccessToken": job.access.token})


def _connection(endpoint: ServiceEndpoint) -> dict[str, str]:
    parameters = {**endpoint.parameters, **endpoint.secrets}
    environment = _authorization(endpoint.id, endpoint.url, endpoint.scheme, parameters)
    environment[f"ENDPOINT_DATA_{endpoint.id}"] = json.dumps(dict(endpoint.data))
    for name, value in endpoint.data.items():
        environment[f"ENDPOINT_DATA_{endpoint.id}_{environment_name(name)}"] = value
    return environment


def _authorization(key: str, url: str, scheme: str, parameters: Mapping[str, str]) -> dict[str, str]:
    split = {f"ENDPOINT_AUTH_PARAMETER_{key}_{environment_name(name)}": value for name, value in parameters.items()}
    return {
        f"ENDPOINT_URL_{key}": url,
        f"ENDPOINT_AUTH_{key}": json.dumps({"parameters": dict(parameters), "scheme": scheme}),
        f"ENDPOINT_AUTH_SCHEME_{key}": scheme,
        **split,
    }
