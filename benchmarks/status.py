"""What `ecs-cd status` costs on a fleet: requests and seconds, as a whole process.

    .venv/bin/python -m benchmarks.status [--services 500] [--environments 3] [--unpaced] [--without-revisions]

Every service has a task definition of its own. `--unpaced` leaves out the rates that AWS grants (`ecs_cd.aws.quotas`),
to see what the program itself takes; with them most of the time is AWS's. `--without-revisions` answers as AWS does
without the right to ecs:DescribeServiceRevisions: each definition is asked for by itself. A second look over the same
connections asks for none again.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from ecs_cd.aws import quotas
from ecs_cd.client import Client
from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.aws.faults import ErrorAnswer


def settings(folder: Path, services: list[str], environments: list[str]) -> Path:
    """Write the settings file of the fleet."""
    file = folder / "ecs-cd.yml"
    file.write_text(
        "defaults: {parameter: '/{service}/{environment}/tag', ecs: {cluster: '{environment}'}}\n"
        f"services: {{{', '.join(f'{name}: {{}}' for name in services)}}}\n"
        f"environments: {{{', '.join(f'{name}: {{region: eu-west-1}}' for name in environments)}}}\n",
        encoding="utf-8",
    )
    return file


def seed(aws: Aws, services: list[str], environments: list[str]) -> None:
    """Create parameters, task definitions and services."""
    ecs = aws.client("ecs")
    for environment in environments:
        aws.create_cluster(environment)
        for service in services:
            aws.put_parameter(f"/{service}/{environment}/tag", "101")
            family = f"{service}-{environment}"
            container = {"name": "app", "image": f"r.io/{service}:101", "memory": 64}
            ecs.register_task_definition(family=family, containerDefinitions=[container])
            ecs.create_service(cluster=environment, serviceName=service, taskDefinition=family, desiredCount=0)


def main() -> None:
    """Seed, look twice, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=500)
    parser.add_argument("--environments", type=int, default=3)
    parser.add_argument("--unpaced", action="store_true")
    parser.add_argument("--without-revisions", action="store_true")
    given = parser.parse_args()
    services = [f"service-{number:04}" for number in range(given.services)]
    environments = [f"environment-{number}" for number in range(given.environments)]
    if given.unpaced:
        quotas.SHARES = ()
    with TemporaryDirectory() as folder, Aws("eu-west-1") as aws:
        os.environ.update(aws.environment())
        seed(aws, services, environments)
        with Client(settings(Path(folder), services, environments), environ={}) as client:
            for look in ("first look", "second look"):
                aws.forget_requests()
                if given.without_revisions:
                    aws.inject("ecs", "DescribeServiceRevisions", ErrorAnswer("AccessDeniedException"), times=10**6)
                began = time.monotonic()
                count = len(client.status())
                took = time.monotonic() - began
                asked = Counter(request.operation for request in aws.requests)
                print(f"{look}: {count} places in {took:.1f} s; {dict(sorted(asked.items()))}")


if __name__ == "__main__":
    main()
