"""What goes into the task and what is left out: the one place to change when the library imports something new."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.tags import Tag

LIMIT = 45_000_000
"""The most bytes of a `.vsix`."""

OWN_UNUSED = (
    "cli", "__main__.py",
    "console/live.py", "console/live_several.py", "console/render.py", "console/terminal.py",
)  # fmt: skip
"""Parts of `ecs_cd` that only the command line or a terminal uses."""

UNUSED = frozenset({"click", "rich", "markdown-it-py", "mdurl", "pygments"})
"""Pinned dependencies of those parts."""

NATIVE = "pydantic-core"
"""The one dependency that cannot be pure Python."""

STRIPPED = "pyyaml"
"""Has no pure wheel; its C part is left out, without which it does the same."""

AWS_SERVICES = ("codedeploy", "ecr", "ecs", "logs", "ssm", "sts")

NEVER = (r".*\.(pyc|pyi|so|pyd|dll|exe)", r".*/__pycache__/.*", r"(.*/)?py\.typed", r"[^/]+\.data/.*")
"""Patterns of files of a wheel that are in no task."""

PRUNED: dict[str, tuple[str, ...]] = {
    "azure-devops": (
        r"azure/devops/(issue_tests|released|v7_0)/.*",
        r"azure/devops/connection\.py",  # imports every client there is; ours are made without it
        r"azure/devops/v7_1/(?!build/|pipelines/|security/|__init__\.py).*",
    ),
    "boto3": (r"boto3/(data|dynamodb|ec2|examples|s3)/.*",),  # resources and transfers; clients are all that is used
    "botocore": (
        r"botocore/cacert\.pem",  # certifi's is used
        rf"botocore/data/(?!({'|'.join(AWS_SERVICES)})/)[^/]+/.*",
        r"botocore/data/.*/examples-1\.json",
    ),
    "certifi": (r"certifi/tests/.*",),
    "s3transfer": (r"s3transfer/(crt|processpool)\.py",),
    "pyyaml": (r"_yaml/.*",),
    "python-dateutil": (r"dateutil/zoneinfo/.*",),  # for names of time zones where the system knows none
}
"""Patterns of files that are left out of a dependency, over `NEVER`."""


@dataclass(frozen=True)
class Native:
    """A platform and Python that `pydantic_core` is there for; `folder` is what `start.py` looks for."""

    platform: str
    python: str
    pip_platform: str

    @property
    def folder(self) -> str:
        """Return its folder under `python/native`."""
        return f"{self.platform}-{self.python}"

    @property
    def tag(self) -> Tag:
        """Return the tag of the wheels for it."""
        return Tag(self.python, self.python, self.pip_platform)


NATIVES = tuple(
    Native(platform, python, pip_platform)
    for platform, pip_platform in (
        ("linux-x64", "manylinux_2_17_x86_64"),
        ("linux-arm64", "manylinux_2_17_aarch64"),
        ("win-x64", "win_amd64"),
        ("macos-arm64", "macosx_11_0_arm64"),
    )
    for python in ("cp310", "cp311", "cp312", "cp313", "cp314")
)
