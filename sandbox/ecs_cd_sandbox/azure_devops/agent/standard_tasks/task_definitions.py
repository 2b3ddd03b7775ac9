"""What the standard tasks are called and which inputs they take, as their makers publish it.

`task_definitions.json` names the repository, commit and licence it was taken from.
`tests/integration/sandbox/contract/reduce_task_definitions.py` makes it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from ecs_cd_sandbox.azure_devops.agent.task_package import Task, task_from

_FILE = Path(__file__).with_suffix(".json")


@cache
def standard_tasks() -> tuple[Task, ...]:
    """Return the definitions. They have no handler: what they do is this package's."""
    sources = json.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(task_from(manifest, _FILE.parent) for source in sources for manifest in source["tasks"])
