"""Imports the bundled library and uses its SDKs. Started by `smoke_test`, with a Python that sees nothing else.

`smoke_test_script.py <python folder of the task> [AWS endpoint] [organization]`: with the two, one signed request goes
to each AWS service and one to Azure DevOps, with credentials from the environment; without, all clients are made.
"""

import importlib
import os
import runpy
import sys
from pathlib import Path

REQUESTS = {
    "ecr": "describe_repositories",
    "ecs": "list_clusters",
    "logs": "describe_log_groups",
    "ssm": "describe_parameters",
    "sts": "get_caller_identity",
}


def import_all(lib: Path) -> None:
    """Import every module of `ecs_cd` that is in the bundle, and what each of them imports when it is used."""
    for path in sorted((lib / "ecs_cd").rglob("*.py")):
        if path.name != "__main__.py":
            importlib.import_module(".".join(path.relative_to(lib).with_suffix("").parts).replace(".__init__", ""))


def use_aws(endpoint: str) -> None:
    """Make a client of each service, and send a request with it where there is an endpoint."""
    from boto3.session import Session  # noqa: PLC0415 - it is there only once the path is prepared

    session = Session(region_name="eu-west-1")
    for service, operation in REQUESTS.items():
        client = session.client(service, endpoint_url=endpoint or None)  # type: ignore[call-overload]  # literal names only
        if endpoint:
            getattr(client, operation)()
        client.close()


def use_azure_devops(organization: str) -> None:
    """Make the SDK's clients, and look for a pipeline where there is an organization."""
    from ecs_cd.azure_devops import AzureDevOpsSettings, connect  # noqa: PLC0415 - it is there only once all is prepared
    from ecs_cd.azure_devops.sdk import Clients, credential_of  # noqa: PLC0415 - likewise
    from ecs_cd.azure_devops.transport import Transport  # noqa: PLC0415 - likewise
    from ecs_cd.support.clock import SystemClock  # noqa: PLC0415 - likewise

    url = organization or "https://dev.azure.com/nobody"
    settings = AzureDevOpsSettings(url, "platform", pat=os.environ.get("ECS_CD_SMOKE_TEST_TOKEN", "none"))
    Clients(Transport(SystemClock()), url, credential_of(settings)).transport.close()
    if organization:
        with connect(settings, SystemClock()) as azure:
            azure.find("infrastructure")


def modules_from_elsewhere(python: Path, before: frozenset[str]) -> list[str]:
    """Return the modules, but for those there before, that are neither the bundle's nor Python's own library's."""
    own = (str(python), str(Path(importlib.__file__).parents[1]))
    files = [getattr(module, "__file__", None) for name, module in list(sys.modules.items()) if name not in before]
    return sorted(file for file in files if file and ("-packages" in file or not file.startswith(own)))


def main() -> None:
    """Prepare the path as the task does; then import, make the clients, send.

    Raises:
        SystemExit: a module came from outside.
    """
    python, endpoint, organization = Path(sys.argv[1]), *(*sys.argv[2:], "", "")[:2]
    # `site` loads what the machine's own packages ask it to; multiprocessing, which boto3 imports, adds this script.
    before = frozenset((*sys.modules, "__mp_main__"))
    runpy.run_path(str(python / "start.py"))["prepare"]()
    import_all(python / "lib")
    use_aws(endpoint)
    use_azure_devops(organization)
    found = modules_from_elsewhere(python, before)
    if found:
        raise SystemExit(f"Not from the bundle: {', '.join(found)}")


if __name__ == "__main__":
    main()
