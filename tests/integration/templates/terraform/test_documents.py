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
            assert (page.parent / link).exists(), (page, link)
