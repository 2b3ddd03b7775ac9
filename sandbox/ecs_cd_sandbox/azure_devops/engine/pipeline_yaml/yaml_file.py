"""A pipeline's YAML file in a repository, read anew for each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.canonical import (
    canonical_head,
    canonical_part,
    canonical_pipeline,
)
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.canonical_rules import text_of
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.final_yaml import write
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.nodes import MappingNode, Refused
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.reading_stages import StageReader, lock_of
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.reading_steps import StepReader
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.reading_triggers import read_pipeline_resources, read_triggers
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.reading_variables import Values, VariableGroup, read_variables
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.template_files import Checkout, Library
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.template_frame import Session
from ecs_cd_sandbox.azure_devops.engine.pipeline_yaml.templates import Expander
from ecs_cd_sandbox.azure_devops.expressions import ROOT_VARIABLE
from ecs_cd_sandbox.azure_devops.model.definitions import (
    Expansion,
    PipelineDefinition,
    Triggers,
    ValidationFailed,
)
from ecs_cd_sandbox.azure_devops.model.identities import stable_guid
from ecs_cd_sandbox.azure_devops.model.links import Project
from ecs_cd_sandbox.azure_devops.model.repositories import GitRepository
from ecs_cd_sandbox.azure_devops.model.step_factory import StepFactory


@dataclass(frozen=True)
class YamlFile:
    """A YAML file of a repository, as a `PipelineFile`.

    `repositories` are the other repositories of the project, which templates and checkouts may name. `variable_groups`
    are the groups of the project's library by name.
    """

    repository: GitRepository
    path: str
    step_factory: StepFactory
    project: Project
    repositories: Sequence[GitRepository] = ()
    variable_groups: Mapping[str, VariableGroup] = field(default_factory=dict)
    server: str = "https://dev.azure.com"
    """Where messages say the repositories are."""

    def expand(self, definition: PipelineDefinition, wanted: Expansion) -> PipelineDefinition:
        """Return the pipeline as this run has it.

        Its variables are those of the file over those given when it is queued over those of the definition.

        Raises:
            ValidationFailed: the file, one of its templates, or what is asked for is wrong.
        """
        session = self._session(wanted.branch, wanted.commit)
        expander = Expander(session, canonical_part)
        try:
            pipeline = expander.pipeline(self.path, self._predefined(definition, wanted), wanted.parameters)
        except Refused as refused:
            session.problems.found += refused.all
        session.problems.check()
        root = canonical_pipeline(pipeline.root, session.problems)
        session.problems.check()
        expanded = self._read(root, session, definition, wanted)
        session.problems.check()
        parameters = {each.name: each.as_parameter() for each in pipeline.declared}
        return replace(expanded, parameters=parameters, yaml=write(root))

    def triggers(self, definition: PipelineDefinition, branch: str) -> Triggers:
        """Return what starts runs of the file by itself, as it is on a branch; nothing where there is no such file.

        Raises:
            ValidationFailed: the file is wrong.
        """
        commit = self.repository.resolve(branch)
        if commit is None or self.repository.file(commit, self.path) is None:
            return Triggers()
        session = self._session(branch, commit)
        predefined = self._predefined(definition, Expansion(branch, commit))
        try:
            head = canonical_head(Expander(session, canonical_part).head(self.path, predefined), session.problems)
        except Refused as refused:
            raise ValidationFailed([str(one) for one in refused.all]) from refused
        resources = read_pipeline_resources(head, self.project, session.problems)
        session.problems.check()
        return read_triggers(head, resources)

    def branches(self) -> Mapping[str, str]:
        """Return the commit of each branch by its full name."""
        return self.repository.branches()

    def _session(self, branch: str, commit: str) -> Session:
        own = Checkout(self.repository, branch, commit)
        others = {each.name: each for each in self.repositories}
        return Session(Library(own, others, self.project.name, self._url))

    def _url(self, repository: str) -> str:
        organization, project = quote(self.project.organization), quote(self.project.name)
        return f"{self.server}/{organization}/{project}/_git/{quote(repository)}"

    def _predefined(self, definition: PipelineDefinition, wanted: Expansion) -> dict[str, str]:
        """Return the variables the service sets before it expands templates (documented as available in templates)."""
        return {
            "Build.DefinitionName": definition.name,
            "Build.DefinitionVersion": str(definition.revision),
            "Build.Reason": f"{wanted.reason[:1].upper()}{wanted.reason[1:]}",
            "Build.Repository.Name": self.repository.name,
            "Build.Repository.Provider": definition.repository.type,
            "Build.SourceBranch": wanted.branch,
            "Build.SourceBranchName": wanted.branch.rpartition("/")[2],
            "Build.SourceVersion": wanted.commit,
            "System.CollectionId": stable_guid("organization", self.project.organization),
            "System.DefinitionId": str(definition.id),
            "System.HostType": "build",
            "System.TeamProject": self.project.name,
            "System.TeamProjectId": self.project.id,
        }

    def _read(
        self, root: MappingNode, session: Session, definition: PipelineDefinition, wanted: Expansion
    ) -> PipelineDefinition:
        problems, groups = session.problems, self.variable_groups
        resources = read_pipeline_resources(root, self.project, problems)
        steps = StepReader(self.step_factory, session.library, problems, tuple(each.alias for each in resources))
        given = Values(wanted.variables).over(Values(definition.variables, definition.secrets))
        values = read_variables(root.get("variables"), groups, ROOT_VARIABLE, problems).over(given)
        name = root.get("name")
        return replace(
            definition,
            stages=StageReader(steps, groups, problems).stages(root),
            variables=values.plain,
            secrets=values.secret,
            resources=resources,
            environment_lock=lock_of(root.get("lockBehavior"), "runLatest"),
            run_name=text_of(name) if name is not None else "",
        )
