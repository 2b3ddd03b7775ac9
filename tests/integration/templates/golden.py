"""The final YAML of every variant and example, kept in `golden/`.

    python -m tests.integration.templates.golden

writes it anew, for a person to read the difference before it is committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ecs_cd_sandbox.azure_devops import PipelineDefinition
from tests.integration.templates.template_expansion import HEAD, RELEASE_HEAD, ROOT, expand

VARIANTS = Path(__file__).parent / "variants"
GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = ROOT / "templates" / "examples"
_BRANCHES = {
    "infrastructure": ("develop", "release/next", "main", "feature/other"),
    "example-infrastructure": ("develop", "main"),
}
"""The pipelines that differ by the branch they run on."""


@dataclass(frozen=True)
class Case:
    """A pipeline and the branch it runs on; `name` is that of its golden file."""

    name: str
    text: str
    branch: str = "main"

    @property
    def golden(self) -> Path:
        """Where its final YAML is kept."""
        return GOLDEN / f"{self.name}.yml"

    def expanded(self) -> PipelineDefinition:
        """Return it as a run has it."""
        return expand(self.text, branch=self.branch)


def cases() -> list[Case]:
    """Return every variant and every example, on each of its branches."""
    variants = {path.stem: path.read_text(encoding="utf-8") for path in sorted(VARIANTS.glob("*.yml"))}
    found = {name: (RELEASE_HEAD if name.startswith("release") else HEAD) + text for name, text in variants.items()}
    examples = sorted(path for path in EXAMPLES.glob("*/*.yml") if path.name != "ecs-cd.yml")
    found |= {_example_name(path): path.read_text(encoding="utf-8") for path in examples}
    return [case for name, text in found.items() for case in _on_branches(name, text)]


def _example_name(path: Path) -> str:
    suffix = "" if path.stem == "azure-pipelines" else f"-{path.stem}"
    return f"example-{path.parent.name}{suffix}"


def _on_branches(name: str, text: str) -> Iterator[Case]:
    for branch in _BRANCHES.get(name, ()):
        yield Case(f"{name}.on-{branch.replace('/', '-')}", text, branch)
    if name not in _BRANCHES:
        yield Case(name, text)


def write() -> None:
    """Write all golden files, and remove those of no case."""
    known = {case.golden: case for case in cases()}
    for path in set(GOLDEN.glob("*.yml")) - known.keys():
        path.unlink()
    for path, case in known.items():
        path.write_text(case.expanded().yaml, encoding="utf-8")


if __name__ == "__main__":
    write()
