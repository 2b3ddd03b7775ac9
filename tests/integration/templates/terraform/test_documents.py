"""Every file is in Terraform's own format, every snippet is valid, and the module's README tells all it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.example_infrastructure import check_out
from ecs_cd_sandbox.template_folder import TEMPLATES
from ecs_cd_sandbox.terraform.installation import Terraform
from tests.integration.templates.terraform.configuration import MODULE, Configuration, write

PAGES = [
    Path(__file__).parents[4] / "docs" / "terraform.md",
    TEMPLATES / "terraform" / "example" / "README.md",
    MODULE / "README.md",
    TEMPLATES / "terraform" / "blue-green" / "README.md",
]
SNIPPETS = [
    pytest.param(text, id=f"{page.parent.name}-{number}")
    for page in PAGES
    for number, text in enumerate(re.findall(r"^```hcl\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL))
]


def test_every_file_is_in_terraforms_own_format(terraform: Terraform) -> None:
    assert Configuration(TEMPLATES, terraform, {}).run("fmt", "-check", "-diff", "-recursive") == ""


def test_the_module_and_the_example_are_valid(aws: Aws, terraform: Terraform, tmp_path: Path) -> None:
    example = check_out(tmp_path, aws)
    for folder in (example, tmp_path / "modules" / "image-tag"):
        configuration = Configuration(folder, terraform, {})
        configuration.run("init", "-backend=false")
        assert configuration.run("validate") == "Success! The configuration is valid.\n\n"


@pytest.mark.parametrize("text", SNIPPETS)
def test_every_snippet_is_valid_and_in_terraforms_own_format(
    aws: Aws, terraform: Terraform, tmp_path: Path, text: str
) -> None:
    located = re.sub(r'(source += )"[./]+/modules/image-tag"', r"\1MODULE", text)
    assert ("module " in text) == (located != text) or "removed" in text
    configuration = write(tmp_path / "snippet", located, terraform, aws)
    configuration.run("validate")
    (tmp_path / "as-shown.tf").write_text(text, encoding="utf-8")
    assert Configuration(tmp_path, terraform, {}).run("fmt", "-check", "-diff", "as-shown.tf") == ""


def test_the_readme_lists_every_input_and_output() -> None:
    readme = (MODULE / "README.md").read_text(encoding="utf-8")
    for file, kind, heading in (("variables.tf", "variable", "Inputs"), ("outputs.tf", "output", "Outputs")):
        declared = re.findall(rf'^{kind} "(\w+)"', (MODULE / file).read_text(encoding="utf-8"), re.MULTILINE)
        table = readme.partition(f"## {heading}\n")[2].partition("\n## ")[0]
        assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(declared)


def test_every_link_of_the_pages_leads_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert "://" in link or (page.parent / link).exists(), (page, link)


NEWER_BLOCKS = {
    "deployment_configuration": {"strategy", "bake_time_in_minutes"},
    "lifecycle_hook": {"target_type", "lifecycle_stages"},
    "timeout_configuration": {"timeout_in_minutes", "action"},
    "advanced_configuration": {
        "alternate_target_group_arn",
        "production_listener_rule",
        "test_listener_rule",
        "role_arn",
    },
    "alarms": {"enable", "rollback", "alarm_names"},
}
"""What the provider of the tests does not know yet: website/docs/r/ecs_service.html.markdown of the provider 6.x."""

BLUE_GREEN = TEMPLATES / "terraform" / "blue-green"


def _blocks(text: str) -> dict[str, set[str]]:
    """Return the arguments of every block of a file in Terraform's own format, by the block's name."""
    found: dict[str, set[str]] = {}
    inside: list[str] = []
    for line in text.splitlines():
        if opened := re.match(r"\s*([a-z_]+)[^=]*\{$", line):
            inside.append(opened[1])
            found.setdefault(opened[1], set())
        elif re.match(r"\s*\}$", line):
            inside.pop()
        elif argument := re.match(r"\s*([a-z_]+) += ", line):
            found[inside[-1]].add(argument[1])
    return found


def test_the_blue_green_example_is_valid_but_for_what_the_provider_of_the_tests_does_not_know(
    aws: Aws, terraform: Terraform, tmp_path: Path
) -> None:
    service = (BLUE_GREEN / "service.tf").read_text(encoding="utf-8")
    blocks = _blocks("service" + service.partition('resource "aws_ecs_service" "this"')[2])
    assert {name: blocks[name] for name in NEWER_BLOCKS} == NEWER_BLOCKS
    older = service
    for name in ("deployment_configuration", "alarms", "advanced_configuration"):
        older = re.sub(rf"^( +){name} \{{\n.*?^\1\}}\n", "", older, flags=re.MULTILINE | re.DOTALL)
    assert older.count("{") < service.count("{") - 4
    files = [path.read_text(encoding="utf-8") for path in (BLUE_GREEN / "variables.tf", BLUE_GREEN / "traffic.tf")]
    located = older.replace('"../modules/image-tag"', "MODULE")
    write(tmp_path / "older", "\n".join([located, *files]), terraform, aws).run("validate")
