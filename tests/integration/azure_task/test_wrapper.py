"""The task's Node side: the built `index.js` with the real task-lib, as an agent runs it, and a library of ours."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from extension_builder.node import Node, find_nodes
from tests.integration.azure_task.bundled_script import bundle
from tests.integration.azure_task.node_side import AWS, AZURE, Task, connection, inputs, secrets

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the agent's programs are stood in for by shell scripts")

COMPLETE = "##vso[task.complete result={}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def task(built: Path, tmp_path: Path) -> Task:
    return Task.unpack(built, tmp_path)


def test_the_same_sources_give_the_same_bytes_in_one_file(built: Path, tmp_path: Path) -> None:
    again = bundle(tmp_path / "again")
    assert again.read_bytes() == built.read_bytes()
    assert [file.name for file in (tmp_path / "again").iterdir()] == ["index.js"]
    text = built.read_text(encoding="utf-8")
    assert "azure-pipelines-task-lib 5" in text and "Permission is hereby granted" in text


def test_inputs_reach_the_library_untouched(task: Task) -> None:
    given = {
        "command": "deploy",
        "service": "my-api",
        "templateParameters": "A=1\nB= two ; ##vso[x]%25 \\ ü",
        "dryRun": "False",
    }
    done = task.run(**inputs(**given, pipeline=""))
    assert done.seen["request"]["inputs"] == given
    assert done.seen["request"]["version"] == 1
    assert done.seen["request"]["accessToken"] == "job-token-1f3a"
    assert Path(done.seen["request"]["resultFile"]).parent == task.agent / "temp"


def test_what_is_not_given_is_null_or_empty(task: Task) -> None:
    request = task.run().seen["request"]
    assert (request["aws"], request["azureDevOps"], request["proxy"]) == (None, None, None)
    assert set(request["awsVariables"].values()) == {""}
    assert request["caFile"] == "" and request["skipCertificateValidation"] is False


def test_connections_reach_the_library(task: Task) -> None:
    keys = {
        "username": "AKIA1",
        "password": "secret-key-9b",
        "assumeRoleArn": "arn:aws:iam::1:role/r",
        "useOIDC": "true",
    }
    request = task.run(
        **inputs(awsCredentials=AWS, azureDevOpsConnection=AZURE),
        **connection(AWS, "https://aws.amazon.com/", "UsernamePassword", **keys),
        **connection(AZURE, "https://dev.azure.com/other", "Token", apitoken="pat-77c2"),
    ).seen["request"]
    rest = {"sessionToken": "", "roleSessionName": "", "externalId": ""}
    assert request["aws"] == {"connection": AWS, "parameters": {**keys, **rest}}
    assert request["azureDevOps"] == {"url": "https://dev.azure.com/other", "token": "pat-77c2", "scheme": "Token"}


def test_the_variables_of_the_aws_toolkit_reach_the_library(task: Task) -> None:
    given = secrets(AWS__SecretAccessKey="secret-key-9b", AWS__SessionToken="session-4d")
    variables = {"AWS_ACCESSKEYID": "AKIA1", "AWS_REGION": "eu-west-1", "AWS_ROLECREDENTIAL_MAXDURATION": "900"}
    request = task.run(**given, **variables).seen["request"]
    assert request["awsVariables"] == {
        "accessKeyId": "AKIA1",
        "secretAccessKey": "secret-key-9b",
        "sessionToken": "session-4d",
        "region": "eu-west-1",
        "maxDuration": "900",
    }


def test_the_agents_proxy_and_certificates_reach_the_library(task: Task) -> None:
    request = task.run(
        AGENT_PROXYURL="http://proxy:3128",
        AGENT_PROXYUSERNAME="me",
        AGENT_PROXYBYPASSLIST='["https://internal\\\\.*"]',
        AGENT_CAINFO="/etc/ca.pem",
        AGENT_SKIPCERTVALIDATION="True",
        **secrets(Agent__ProxyPassword="proxy-pass-5e"),
    ).seen["request"]
    bypass = ["https://internal\\.*"]
    assert request["proxy"] == {
        "url": "http://proxy:3128",
        "username": "me",
        "password": "proxy-pass-5e",
        "bypass": bypass,
    }
    assert request["caFile"] == "/etc/ca.pem" and request["skipCertificateValidation"] is True


def test_a_malformed_bypass_list_is_told(task: Task) -> None:
    done = task.run(AGENT_PROXYURL="http://proxy:3128", AGENT_PROXYBYPASSLIST="[oops")
    assert not done.seen
    assert "Agent.ProxyBypassList" in done.results[0] and done.results[0].startswith(COMPLETE.format("Failed"))


@pytest.mark.parametrize(
    "around",
    [
        {"PIPELINE_WORKSPACE": "/agent/1", "ENVIRONMENT_NAME": "development"},
        {
            "RELEASE_RELEASEID": "12",
            "RELEASE_ARTIFACTS_BUILD_BUILDID": "101",
            "SYSTEM_ARTIFACTSDIRECTORY": "/agent/r1/a",
        },
    ],
    ids=["deployment job", "classic release"],
)
def test_the_jobs_public_variables_stay_where_the_agent_put_them(task: Task, around: dict[str, str]) -> None:
    done = task.run(**around)
    assert around.items() <= done.seen["environment"].items()
    assert done.seen["folder"] == str(task.agent / "work")


def test_python_is_isolated_from_the_agents_environment(task: Task) -> None:
    leaks = {"PYTHONPATH": "/elsewhere", "PYTHONHOME": "/nowhere", "PYTHONSTARTUP": "x.py", "PYTHONIOENCODING": "ascii"}
    done = task.run(**leaks, LANG="C")
    assert not [name for name in done.seen["environment"] if name.startswith("PYTHON")]
    assert done.seen["isolated"] == 1 and done.seen["utf8"] == 1
    assert done.seen["argv"][1:] == ["-I", "-X", "utf8", "-u", str(task.folder / "python" / "start.py")]


def test_secrets_are_told_to_the_agent_first_and_are_nowhere_else(task: Task) -> None:
    hidden = ["job-token-1f3a", "secret-key-9b", "session-4d", "pat-77c2", "proxy-pass-5e", "variable-key-e1"]
    done = task.run(
        **inputs(awsCredentials=AWS, azureDevOpsConnection=AZURE),
        **connection(AWS, "x", "UsernamePassword", username="AKIA1", password=hidden[1], sessionToken=hidden[2]),
        **connection(AZURE, "https://dev.azure.com/other", "Token", apitoken=hidden[3]),
        **secrets(Agent__ProxyPassword=hidden[4], AWS__SecretAccessKey=hidden[5]),
        AGENT_PROXYURL="http://proxy:3128",
        SYSTEM_DEBUG="true",
    )
    assert {line for line in done.lines if "task.setsecret" in line} == {f"##vso[task.setsecret]{s}" for s in hidden}
    told = [line.startswith("##vso[task.setsecret]") for line in done.lines]
    assert told == sorted(told, reverse=True), "something was printed before the secrets were hidden"
    printed = "\n".join(line for line in done.out.splitlines() if not line.startswith("##vso[task.setsecret]"))
    elsewhere = printed + done.err + json.dumps([done.seen["argv"], done.seen["environment"]])
    assert not [secret for secret in hidden if secret in elsewhere]


def test_a_secret_of_several_lines_is_hidden_line_by_line(task: Task) -> None:
    key = "first-line-aa\r\nsecond-line-bb\n\nthird-line-cc\n"
    done = task.run(**inputs(awsCredentials=AWS), **connection(AWS, "x", "UsernamePassword", password=key))
    lines = [line.removeprefix("##vso[task.setsecret]") for line in done.lines if "setsecret" in line]
    assert lines[1:] == ["first-line-aa", "second-line-bb", "third-line-cc"]
    assert done.seen["request"]["aws"]["parameters"]["password"] == key
    assert done.results == [COMPLETE.format("Succeeded;]Done.")]


def test_the_answer_is_handed_to_the_agent_and_the_result_comes_last(task: Task) -> None:
    summary, report = task.agent / "temp" / "s.md", task.agent / "temp" / "r.json"
    summary.touch()
    report.touch()
    task.library(
        f"""
        print("progress")
        answer(outputs={{"imageTag": "101", "runUrl": "https://x/?a=1;b]%"}}, variables={{"buildTag": "101"}},
               summaryFile={str(summary)!r}, reportFile={str(report)!r}, message="100% of it;\\nall.")
        """
    )
    done = task.run()
    assert done.code == 0 and done.err == ""
    assert done.lines == [
        "##vso[task.setsecret]job-token-1f3a",
        "progress",
        "##vso[task.setvariable variable=imageTag;isOutput=true;issecret=false;]101",
        "##vso[task.setvariable variable=runUrl;isOutput=true;issecret=false;]https://x/?a=1;b]%AZP25",
        "##vso[task.setvariable variable=buildTag;isOutput=false;issecret=false;]101",
        f"##vso[task.uploadsummary]{summary}",
        f"##vso[task.addattachment type=ecs-cd.report;name=report.json;]{report}",
        "##vso[task.complete result=Succeeded;]100%AZP25 of it;%0Aall.",
    ]
    assert not list((task.agent / "temp").glob("ecs-cd-*"))


@pytest.mark.parametrize("node", find_nodes(), ids=lambda node: f"Node {node.version[0]}")
def test_the_task_runs_on_every_node_there_is(task: Task, node: Node) -> None:
    task.node = node.path
    done = task.run(**inputs(service="my-api"))
    assert done.seen["request"]["inputs"] == {"command": "deploy", "service": "my-api"}
    assert (done.err, done.results) == ("", [COMPLETE.format("Succeeded;]Done.")])


def test_files_that_are_not_there_are_not_uploaded(task: Task) -> None:
    task.library("answer(summaryFile='/not/there.md', reportFile='/not/there.json')")
    assert not [line for line in task.run().lines if "upload" in line or "attachment" in line]


@pytest.mark.parametrize("result", ["Succeeded", "SucceededWithIssues", "Failed"])
def test_the_result_is_the_librarys_which_has_logged_its_issues(task: Task, result: str) -> None:
    task.library(f"answer({result!r}, 'So it went.')")
    done = task.run()
    assert done.code == 0
    assert done.results == [done.lines[-1]] == [f"##vso[task.complete result={result};]So it went."]
    assert not [line for line in done.lines if line.startswith("##vso[task.issue")]


@pytest.mark.parametrize(
    ("library", "why"),
    [
        ("pass", "ended without an error and left no result"),
        ("open(REQUEST['resultFile'], 'w').write('{')", "it is not JSON"),
        ("open(REQUEST['resultFile'], 'w').write('[]')", "it is not an object"),
        ("answer(version=2)", "'version' is not 1"),
        ("answer('Perfect')", "'result' is none of Succeeded, SucceededWithIssues, Failed"),
        ("answer('toString')", "'result' is none of"),
        ("answer(message=None)", "'message' is not a string"),
        ("answer(outputs={'runId': 7})", "'runId' is not a string"),
        ("answer(variables=['a'])", "'variables' is not an object"),
        ("sys.exit(1)", "python3 ended with exit code 1 and left no result"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "python3 ended by SIGKILL and left no result"),
        ("answer(); sys.exit(3)", "python3 ended with exit code 3"),
    ],
)
def test_a_library_that_does_not_answer_well_is_a_failure_that_says_why(task: Task, library: str, why: str) -> None:
    task.library(library)
    done = task.run()
    assert len(done.results) == 1 and done.lines[-1] == done.results[0]
    assert done.results[0].startswith(COMPLETE.format("Failed")) and why in done.results[0]
    assert [why in line for line in done.lines if line.startswith("##vso[task.issue type=error;")] == [True]
    assert "task.setvariable" not in done.out


def test_stdout_and_stderr_of_the_library_keep_their_order(task: Task) -> None:
    task.library("for i in range(200): print(i, file=(sys.stdout, sys.stderr)[i % 2])\nanswer()")
    done = task.run()
    assert [line for line in done.lines if line.isdigit()] == [str(i) for i in range(200)]
    assert done.err == ""


def test_a_python_that_does_not_fit_gives_way_to_the_next(task: Task, tmp_path: Path) -> None:
    good = (tmp_path / "bin" / "python3").rename(tmp_path / "bin" / "python")
    location = tmp_path / "chosen"
    task.program(str(location / "bin" / "python3"), "exit 86")
    task.program(str(location / "bin" / "python"), "exit 87")
    task.program("python3", 'test "$1" = -I && exit 2')
    done = task.run(PYTHONLOCATION=str(location))
    assert done.results == [COMPLETE.format("Succeeded;]Done.")], good


def test_the_choice_of_use_python_version_counts_before_the_path(task: Task, tmp_path: Path) -> None:
    chosen = task.program(str(tmp_path / "chosen" / "bin" / "python3"), (tmp_path / "bin" / "python3").read_text())
    task.program("python3", "echo wrong; exit 1")
    assert task.run(PYTHONLOCATION=str(chosen.parents[1])).results == [COMPLETE.format("Succeeded;]Done.")]


def test_no_python_at_all_says_what_was_tried_and_what_to_do(task: Task, tmp_path: Path) -> None:
    (tmp_path / "bin" / "python3").unlink()
    task.program("python", "exit 86")
    done = task.run()
    assert len(done.results) == 1
    assert "Tried: python3 (not found); python (older than 3.10)." in done.results[0]
    assert "UsePythonVersion@0" in done.results[0] and "3.10 or newer" in done.results[0]


@pytest.mark.parametrize(
    ("script", "why"), [("exit 86", "older than 3.10"), ("exit 87", "no build of pydantic-core for it")]
)
def test_a_python_that_was_named_is_the_only_one(task: Task, tmp_path: Path, script: str, why: str) -> None:
    mine = task.program(str(tmp_path / "mine"), script)
    done = task.run(**inputs(pythonPath=str(mine)))
    assert not done.seen
    assert f"Tried: {mine} (" in done.results[0] and why in done.results[0] and "'pythonPath'" in done.results[0]


def test_a_library_that_exits_as_python_2_would_is_not_run_again(task: Task) -> None:
    task.program("python", "echo again; exit 86")
    task.library("sys.exit(2)")
    done = task.run()
    assert "again" not in done.out and "exit code 2" in done.results[0]


@pytest.mark.parametrize("numbers", [(signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)])
def test_cancelling_lets_the_library_end_in_its_own_way(task: Task, numbers: tuple[signal.Signals, ...]) -> None:
    task.library(
        """
        told = []
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _frame: told.append(signal.Signals(number).name))
        print("waiting", flush=True)
        while not told:
            signal.pause()
        print("ending", flush=True)
        time.sleep(0.3)
        answer("Failed", "Interrupted by " + ",".join(told) + ".", outputs={"outcome": "interrupted"})
        """
    )
    process = task.start()
    task.until(process, "waiting")
    process.send_signal(numbers[0])
    task.until(process, "ending")
    process.send_signal(numbers[1])
    done = task.end(process)
    assert done.code == 0
    assert done.results == [f"##vso[task.complete result=Failed;]Interrupted by {numbers[0].name}."]
    assert "variable=outcome;isOutput=true;issecret=false;]interrupted" in done.out


def test_a_library_that_dies_of_being_cancelled_is_a_cancelled_task_and_no_other_python_is_tried(task: Task) -> None:
    task.program("python", "echo again; exit 86")
    task.library("signal.signal(signal.SIGINT, lambda *_: os._exit(86)); print('waiting', flush=True); signal.pause()")
    process = task.start()
    task.until(process, "waiting")
    process.send_signal(signal.SIGINT)
    done = task.end(process)
    assert "again" not in done.out
    assert len(done.results) == 1 and "Cancelled" in done.results[0]


def test_a_library_that_will_not_end_is_ended_before_the_agent_kills(task: Task) -> None:
    task.library(
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("waiting", flush=True)
        while True:
            signal.pause()
        """
    )
    process = task.start()
    task.until(process, "waiting")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    done = task.end(process)
    assert len(done.results) == 1 and "Cancelled" in done.results[0]


def test_a_defect_of_the_task_itself_ends_failed_once(task: Task) -> None:
    (task.folder / "task.json").write_text("{", encoding="utf-8")
    done = task.run()
    assert not done.seen
    assert len(done.results) == 1 and done.results[0].startswith(COMPLETE.format("Failed"))


def test_a_crash_of_the_task_ends_failed_and_leaves_no_library_behind(task: Task, tmp_path: Path) -> None:
    hook = tmp_path / "hook.js"
    hook.write_text("process.on('SIGUSR2', () => { throw new Error('oh no'); });")
    task.library("print('waiting', flush=True)\nsignal.pause()")
    process = task.start(NODE_OPTIONS=f"--require={hook}")
    task.until(process, "waiting")
    process.send_signal(signal.SIGUSR2)
    done = task.end(process)  # returns when the library, too, has let go of the output
    assert done.code == 1
    assert done.results == [COMPLETE.format("Failed;]oh no")]


def test_a_crash_after_the_result_does_not_set_another(task: Task, tmp_path: Path) -> None:
    hook = tmp_path / "hook.js"
    hook.write_text("process.once('beforeExit', () => { throw new Error('oh no'); });")
    done = task.run(NODE_OPTIONS=f"--require={hook}")
    assert done.results == [COMPLETE.format("Succeeded;]Done.")]
