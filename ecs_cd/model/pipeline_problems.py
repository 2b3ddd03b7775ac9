"""Which problem a text of Azure Pipelines speaks of, and where in the portal it is solved. Pure.

Azure Pipelines says much the same whether it refuses to queue a run or ends one before its first task, so both ask
here. The texts are those that people have published; `docs/real-services.md` names them. Each is recognised by the
whole sentence that its kind has, since single words mislead: a message about a service connection says "has been
disabled", one about an agent pool says "refer to".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ecs_cd.sanitize import quoted

_MOST_READ = 4000
"""Characters of a text that are looked at."""


@dataclass(frozen=True)
class PipelineProblem:
    """What a text speaks of.

    `kind` is a stable word; `reading` completes "No run was queued: ..."; `advice` says what to do and in which place.
    """

    kind: str
    reading: str
    advice: str


@dataclass(frozen=True)
class _Known:
    """A kind of problem and the sentences by which it is recognised; `{name}` stands for the group of that name."""

    kind: str
    pattern: str
    reading: str
    advice: str

    def read(self, line: str) -> PipelineProblem | None:
        match = re.search(self.pattern, line, re.IGNORECASE)
        if match is None:
            return None
        name = (match.groupdict().get("name") or "").strip(" '\"")
        advice = self.advice.format(name=quoted(name) if name else "the one named there")
        return PipelineProblem(self.kind, self.reading, f"{advice} {_VARIABLE}" if name.startswith("$(") else advice)


_VARIABLE = "Its name holds a variable that has no value when a run is queued: use a template expression, `${{ }}`."
_PERMIT = "add the pipeline under Pipeline permissions (⋮)"
_RUN_SETTINGS = "Pipelines > the pipeline > Edit > ⋮ > Settings > Processing of new run requests"
REPOSITORY_ADVICE = (
    "Where 'Protect access to repositories in YAML pipelines' is on (Project settings > Pipelines > Settings), a job's "
    "token reads only the repositories that its own pipeline names: declare this one under `resources: repositories` "
    "and check it out in that job, or turn the setting off. Else give the identity Read: Project settings > "
    "Repositories > the repository > Security."
)
"""What to do where a repository cannot be read: the setting that most often is the cause, and the permission."""

_NOT_THE_PIPELINE = (
    r"(?:is|was|has|uses|references|that|which|not|service|connection|endpoint|pool|agent|environment|task)"
)
"""Words after which a sentence that began with a pipeline says something of another thing."""

_KNOWN = (
    _Known(
        "service-connection",
        r"references service connection (?P<name>.{0,200}?) ?which could not be found"
        r"|references endpoint (?P<endpoint>.{0,200}?) ?which does not exist or is not authorized"
        r"|The service (?:connection|endpoint) does not exist",
        "it uses a service connection that does not exist, is disabled, or may not be used by this pipeline",
        "See Project settings > Service connections > {name}: that it exists under this name and is enabled, and under "
        f"Security {_PERMIT}.",
    ),
    _Known(
        "pool",
        r"Could not find a (?:pool|queue) with (?:name|ID) (?P<name>.{0,200}?)\. The (?:pool|queue) does not exist"
        r"|does not have permissions to use the referenced pool\(s\)",
        "the pipeline may not use an agent pool, or there is none of that name",
        f"In Project settings > Agent pools > {{name}} > Security, {_PERMIT}.",
    ),
    _Known(
        "environment",
        r"Environment (?P<name>.{0,200}?) ?could not be found\. The environment does not exist"
        r"|Resource .{1,200}? does not exist in environment (?P<of>.{1,200})",
        "it deploys to an environment that does not exist, or that this pipeline may not use",
        f"In Pipelines > Environments, create {{name}}, or open it and under Security {_PERMIT}.",
    ),
    _Known(
        "variable-group",
        r"Variable group (?P<name>.{0,200}?) ?(?:could not be found\.|was not found or is not authorized)",
        "it uses a variable group that does not exist, or that this pipeline may not use",
        "In Pipelines > Library > {name} > Pipeline permissions, add the pipeline.",
    ),
    _Known(
        "secure-file",
        r"references secure file (?P<name>.{0,200}?) ?which could not be found",
        "it uses a secure file that does not exist, or that this pipeline may not use",
        "In Pipelines > Library > Secure files > {name} > Pipeline permissions, add the pipeline.",
    ),
    _Known(
        "github-credentials",
        r"reported the error, .{0,3}Bad credentials",
        "the connection to the Git provider is no longer valid",
        "Renew it in Project settings > Service connections; it is not the credential of this delivery.",
    ),
    _Known(
        "repository",
        r"\bTF401019\b|GitRepositoryNotFoundException"
        r"|The repository (?P<name>.{1,200}?) (?:in project .{1,200}? )?could not be retrieved"
        r"|Unable to determine the access token for the repository",
        "a repository that the run needs cannot be read",
        REPOSITORY_ADVICE,
    ),
    _Known(
        "variables",
        r"You can't set the following variables",
        "a variable may not be set when a run is queued",
        "Tick 'Let users override this value when running this pipeline' for it (Pipelines > the pipeline > Edit > "
        "Variables), or do not set it.",
    ),
    _Known(
        "parameters",
        r"Unexpected parameter '(?P<name>[^']{1,200})'|A value for the '[^']{1,200}' parameter must be provided"
        r"|parameter value '.{0,400}' is not a valid \w+"
        r"|The '[^']{1,200}' parameter is not a valid (?:String|Number|Boolean|Object)\b"
        r"|Unable to convert from \w{1,40} to String|Pipeline parameters not enabled",
        "the template parameters are not those of the pipeline",
        "Compare the `template_parameters` given with the `parameters:` of its YAML on that branch.",
    ),
    _Known(
        "task",
        r"A task is missing\. The pipeline references a task called '(?P<name>[^']{1,200})'",
        "it uses a task that the organization has not installed",
        "Install the extension that has {name}: Organization settings > Extensions.",
    ),
    _Known(
        "pipeline-resource",
        r"Pipeline Resource (?P<name>.{1,200}?) Input Must be Valid",
        "a pipeline that it declares as a resource does not exist, or has no run to take",
        "Compare `source:` under `resources: pipelines` with that pipeline's name, and run it once.",
    ),
    _Known(
        "parallelism",
        r"No hosted parallelism has been purchased or granted",
        "the organization has no Microsoft-hosted agent",
        "Buy a parallel job or ask for the free one (Organization settings > Parallel jobs; "
        "https://aka.ms/azpipelines-parallelism-request), or use a pool of your own agents.",
    ),
    _Known(
        "demands",
        r"No agent found in pool (?P<name>.{0,200}?) ?which satisfies the (?:specified|following) demands?",
        "no agent of the pool has what the job demands",
        "See Project settings > Agent pools > {name} > Agents: one must be online, enabled and have the capabilities "
        "that the message lists.",
    ),
    _Known(
        "timeout",
        r"ran longer than the maximum time of|exceeded the maximum (?:allowed time|execution time)",
        "a job took longer than it may",
        "Raise `timeoutInMinutes` of the job in the pipeline's YAML; Microsoft's free agents end a job of a private "
        "project after 60 minutes.",
    ),
    _Known(
        "disabled",
        r"^(?:The |This )?(?:build )?(?:pipeline|definition)\b"
        rf"(?:(?!\. | {_NOT_THE_PIPELINE}\b).){{0,260}} (?:is|was|has been) (?:currently )?disabled"
        r"|because (?:the|this) (?:pipeline|definition) is disabled|DefinitionDisabledException",
        "the pipeline is disabled",
        f"Enable it: {_RUN_SETTINGS}.",
    ),
    _Known(
        "paused",
        r"^(?:The |This )?(?:queue (?:for|of)|(?:build )?(?:pipeline|definition))\b"
        rf"(?:(?!\. | {_NOT_THE_PIPELINE}\b).){{0,260}} is (?:currently )?paused",
        "the pipeline is paused",
        f"Let its runs start again: {_RUN_SETTINGS}.",
    ),
    _Known(
        "yaml",
        r"\(Line: \d+, Col: \d+|An error occurred while loading the YAML build pipeline"
        r"|Encountered error\(s\) while parsing pipeline YAML|must contain at least one job with no dependencies"
        r"|Mapping values are not allowed|Unrecognized value: '|Internal error reading the template"
        r"|parameter is not a valid \w+List",
        "the pipeline's YAML is not valid",
        "See Pipelines > the pipeline > Edit on that branch; ⋮ > Validate shows all of it.",
    ),
)
"""Every kind that one sentence tells; of several that fit, the first counts."""

_FILE = re.compile(
    r"(?:(?<!\S)(?P<by>/[^:\n]{1,300}?)(?: \(Line: \d+, Col: \d+\))?: )?(?:.{0,80}\. )?"
    r"(?:File (?P<file>[^\s'][^']{0,300}?) not found in repository"
    r"|Could not find (?P<missing>/\S.{0,300}?) in repository)(?P<rest>.*)",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r"(?:(?<!\S)(?P<by>/[^:\n]{1,300}?)(?: \(Line: \d+, Col: \d+\))?: )?(?:.{0,80}\. )?"
    r"(?:Could not get the latest source version for repository .{1,200}? (?:hosted on .{1,300}? )?using ref"
    r"|Unable to resolve the reference) '?(?P<ref>[^\s',]{1,300}?)'?[.\s,]",
    re.IGNORECASE,
)
_REF = re.compile(r"\brefs/[^\s'\"]{1,300}")
_NO_COMMIT = re.compile(r"\b0{40}\b")
_CHECK_BRANCH = "Check the environment's `branch`"
_TEMPLATE_REF = (
    "See `ref:` of that repository under `resources: repositories` in the pipeline's YAML: the branch or tag is "
    "missing there, or may not be seen. It is not the environment's `branch`."
)
_TEMPLATE_FILE = (
    "See the `template:` that names it in the pipeline's YAML: a path is relative to the file that names it, and "
    "`@self` or another alias names the repository."
)


def read_problem(text: str, *, branch: str = "") -> PipelineProblem | None:
    """Return the problem that a text of Azure Pipelines speaks of; None where it is of no known kind.

    `branch` is the full ref that a run was asked for: only a text that speaks of this one means that it is missing.
    """
    lines = [line.strip() for line in text[:_MOST_READ].splitlines() if line.strip()]
    for line in lines:
        problem = _missing_file(line, branch) or _missing_ref(line, branch)
        if problem:
            return problem
    readers: tuple[Callable[[str], PipelineProblem | None], ...] = tuple(known.read for known in _KNOWN)
    return next((problem for read in readers for line in lines if (problem := read(line))), None)


def _missing_file(line: str, branch: str) -> PipelineProblem | None:
    """Tell the pipeline's own file from a template's: a template is missed by the file that names it."""
    match = _FILE.search(line)
    if match is None:
        return None
    by, file, rest = match["by"] or "", match["file"] or match["missing"], match["rest"]
    ref = _REF.search(rest)
    elsewhere = bool(ref and branch and ref.group().rstrip(".,") != branch)
    if (by and _path(by) != _path(file)) or "@" in by or elsewhere:
        return PipelineProblem("template-file", f"the template {quoted(file)} is missing", _TEMPLATE_FILE)
    if _NO_COMMIT.search(rest):
        return _no_branch(branch or (ref.group() if ref else ""))
    where = f"on {quoted(branch)}" if branch else "there"
    return PipelineProblem(
        "file",
        f"the pipeline's file {quoted(file)} is not {where}",
        f"{_CHECK_BRANCH}, and the file's path: Pipelines > the pipeline > Edit > ⋮ > Settings.",
    )


def _missing_ref(line: str, branch: str) -> PipelineProblem | None:
    """Tell this run's branch from one that a repository resource asks for."""
    match = _SOURCE.search(f"{line} ")
    if match is None or re.search(r"Bad credentials", line, re.IGNORECASE):
        return None
    if not match["by"] and (not branch or match["ref"] == branch):
        return _no_branch(match["ref"])
    return PipelineProblem(
        "template-ref", f"a repository of its templates has no {quoted(match['ref'])}", _TEMPLATE_REF
    )


def _no_branch(ref: str) -> PipelineProblem:
    return PipelineProblem("branch", f"there is no branch {quoted(ref)}", f"{_CHECK_BRANCH}.")


def _path(file: str) -> str:
    """Return a path as it compares: without the slash before it, and regardless of case."""
    return file.strip().lstrip("/").casefold()
