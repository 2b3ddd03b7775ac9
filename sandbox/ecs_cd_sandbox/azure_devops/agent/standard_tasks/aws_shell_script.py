"""`AWSShellScript@1` of the AWS toolkit: a bash script with AWS credentials in its environment.

Source: the toolkit's `AWSShellScript/TaskOperations.ts`. It catches no signal: see `scripts`.
"""

from __future__ import annotations

import shlex

from ecs_cd_sandbox.azure_devops.agent.standard_tasks.aws_login import AssumeRole, aws_login
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.scripts import Script, find_program, write_script
from ecs_cd_sandbox.azure_devops.agent.standard_tasks.standard_action import Body, TaskRun


def aws_shell_script(assume_role: AssumeRole | None) -> Body:
    """Return what the task does; `assume_role` is asked where the credentials are those of a role."""

    def act(run: TaskRun) -> None:
        login = aws_login(run, assume_role)
        inline = run.text("scriptType").lower() == "inline"
        path = write_script(run, run.required("inlineScript"), ".sh") if inline else run.existing_path("filePath")
        elsewhere = run.switch("disableAutoCwd")
        folder = run.path("workingDirectory") if elsewhere else run.context.job.working_directory
        folder.mkdir(parents=True, exist_ok=True)
        argv = (find_program(run, "bash"), str(path), *shlex.split(run.text("arguments")))
        script = Script(
            "Bash", argv, folder, run.switch("failOnStandardError"), reach="nobody", env=login.environment()
        )
        try:
            script.run(run)
        finally:
            if inline:
                path.unlink(missing_ok=True)

    return act
