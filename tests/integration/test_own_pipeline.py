"""This repository's `azure-pipelines.yml`: Microsoft's schema, every system and Python, what a release publishes."""

from __future__ import annotations

import re
from typing import Any

from tests.integration.templates.test_files import problems, read
from tests.support.repository import ROOT, project

FILE = ROOT / "azure-pipelines.yml"


def jobs(stage: str) -> dict[str, Any]:
    [found] = [each for each in read(FILE)["stages"] if each["stage"] == stage]
    return {job.get("job") or job["deployment"]: job for job in found["jobs"]}


def matrix(job: str) -> list[dict[str, str]]:
    return list(jobs("build")[job]["strategy"]["matrix"].values())


def test_it_is_as_microsofts_schema_has_it() -> None:
    assert problems(read(FILE)) == []


def test_every_supported_python_is_tested_on_every_system() -> None:
    told = [line.rpartition(" :: ")[2] for line in project()["project"]["classifiers"] if ":: Python :: 3." in line]
    assert [entry["python"] for entry in matrix("linux")] == told
    others = {(entry["image"].partition("-")[0], entry["python"]) for entry in matrix("others")}
    assert others == {(system, python) for system in ("windows", "macos") for python in told}
    assert len(matrix("others")) == len(others)


def test_every_target_it_makes_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    made = re.findall(r"\bmake ((?:[a-z-]+ )+)", FILE.read_text(encoding="utf-8"))
    used = {target for names in made for target in names.split()}
    checks = {"lint", "types", "layers", "node-tests", "unit", "integration", "end-to-end"}
    assert checks | {"vsix", "wheels"} == used <= targets


def test_every_file_of_requirements_it_installs_is_there_with_hashes() -> None:
    text = FILE.read_text(encoding="utf-8")
    installed = re.findall(r"pip install .*-r (\S+)", text)
    assert installed
    assert len(re.findall(r"--require-hashes -r ", text)) == len(installed)
    assert all((ROOT / name).is_file() for name in installed)


def test_the_packages_are_kept_and_only_a_tag_publishes_them() -> None:
    kept = [step for step in jobs("build")["packages"]["steps"] if "publish" in step]
    assert kept == [{"publish": "dist", "artifact": "packages"}]
    release = read(FILE)["stages"][1]
    assert release["dependsOn"] == "build"
    assert release["condition"] == "and(succeeded(), startsWith(variables['Build.SourceBranch'], 'refs/tags/v'))"
    [publish] = jobs("release").values()
    tasks = [step.get("task") for step in publish["strategy"]["runOnce"]["deploy"]["steps"]]
    assert {"TwineAuthenticate@1", "PublishAzureDevOpsExtension@5"} <= set(tasks)


def test_no_secret_is_in_it_or_handed_to_a_command() -> None:
    assert not re.search(
        r"token\b.*[:=]|password|secret(?!s? is in)|--token|-p ", FILE.read_text(encoding="utf-8"), re.IGNORECASE
    )
