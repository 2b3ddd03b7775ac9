"""State locks and lost agents are told from all other failures, by the texts that users report (rule 9)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.model.state_lock import StateLock
from ecs_cd.run.state_lock import cancelled_by, lost_agent, read_state_lock, took_too_long

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=timezone.utc)
CREATED = "2026-01-01 11:55:00.424064363 +0000 UTC"
ADVICE = """\
Terraform acquires a state lock to protect the state from being written
by multiple users at the same time. Please resolve the issue above and try
again. For most commands, you can disable locking with the "-lock=false"
flag, but this is not recommended."""


def info(lock_id: str = "f9763602-b03f-e35c-da30-4083cdbb99ae", path: str = "bucket/dev/terraform.tfstate") -> str:
    return f"""\
Lock Info:
  ID:        {lock_id}
  Path:      {path}
  Operation: OperationTypeApply
  Who:       ann@laptop
  Version:   1.15.5
  Created:   {CREATED}
  Info:      

"""  # noqa: W291 - as Terraform prints it


def framed(text: str) -> list[str]:
    """Return an error as Terraform draws it, as an agent's log has it."""
    return [
        "Acquiring state lock. This may take a few moments...",
        "╷",
        *(f"│ {line}" for line in text.splitlines()),
        "╵",
    ]


def refused(said: str) -> str:
    return f"Error: Error acquiring the state lock\n\nError message: {said}\n\n{ADVICE}"


S3 = (
    "operation error S3: PutObject, https response error StatusCode: 412, RequestID: 7K, HostID: x, api error "
    "PreconditionFailed: At least one of the pre-conditions you specified did not hold\n"
)
S3_GONE = (
    S3 + "unable to retrieve file from S3 bucket 'terraform' with key 'terraform.tfstate.tflock': operation error S3: "
    "GetObject, https response error StatusCode:\n404, RequestID: , HostID: , NoSuchKey: "
)
S3_UNREADABLE = (
    S3 + "unable to retrieve file from S3 bucket 'terraform' with key 'terraform.tfstate.tflock': operation error S3: "
    "GetObject, https response error StatusCode: 403, api error AccessDenied: not authorized to perform: s3:GetObject\n"
)
S3_BUSY = (
    "operation error S3: PutObject, https response error StatusCode: 409, api error ConditionalRequestConflict: The "
    "conditional request cannot succeed due to a conflicting operation against this resource.\n"
)
DYNAMODB = "ConditionalCheckFailedException: The conditional request\nfailed\n"
GCS = (
    'writing\n"gs://some-bucket/some-prefix/default.tflock"\nfailed: googleapi: Error 412: At least one of the '
    "pre-conditions you\nspecified did not hold., conditionNotMet\n"
)
GCS_GONE = f"2 errors occurred:\n\t* {GCS}\t* storage: object doesn't exist\n\t\n"
CLOUD = 'workspace already locked (lock ID:\n"org/workspace")\n'

HELD = {
    "S3": (refused(S3 + info()), "S3"),
    "S3, the lock gone when it was read": (refused(S3_GONE), "S3"),
    "S3, two at one moment": (refused(S3_BUSY), "S3"),
    "DynamoDB": (refused(DYNAMODB + info()), "DynamoDB"),
    "DynamoDB, Terraform 0.14": (
        f"Error: Error locking state: Error acquiring the state lock: {DYNAMODB}{info()}{ADVICE}",
        "DynamoDB",
    ),
    "azurerm": (refused("state blob is already locked\n" + info(path="container/terraform.tfstate")), "azurerm"),
    "azurerm, two at one moment": (
        refused("unexpected status 409 (409 There is already a lease present.) with LeaseAlreadyPresent: There is "
                "already a lease present.\n"),
        "azurerm",
    ),
    "GCS": (refused(GCS + info("1678889912345678", "gs://some-bucket/some-prefix/default.tflock")), "GCS"),
    "GCS, the lock gone when it was read": (refused(GCS_GONE), "GCS"),
    "HTTP": (refused("HTTP remote state already locked:\nID=f9763602-b03f-e35c-da30-4083cdbb99ae\n" + info()), "HTTP"),
    "HTTP, no answer to read": (refused("HTTP remote state already locked, failed to unmarshal body"), "HTTP"),
    "Terraform Cloud": (refused(CLOUD + info(path="")), "Terraform Cloud"),
    "Kubernetes": (refused("the state is already locked by another terraform client\n" + info(path="")), "Kubernetes"),
    "PostgreSQL": (refused("Workspace is already locked: default\n" + info(path="")), "PostgreSQL"),
    "Kubernetes, OpenTofu": (refused("the state is already locked by another tofu client\n" + info()), "Kubernetes"),
    "a local file, OpenTofu": (refused("resource temporarily unavailable\n" + info(path="terraform.tfstate")), "local"),
    "S3, the lock may not be read": (refused(S3_UNREADABLE), "S3"),
    "S3, a path that says denied": (refused(S3 + info(path="AccessDenied/forbidden.tfstate")), "S3"),
    "S3, as JSON": (
        json.dumps({"@message": "Error: Error acquiring the state lock", "diagnostic": {
            "summary": "Error acquiring the state lock", "detail": f"Error message: {S3}{info()}{ADVICE}"}}),
        "S3",
    ),
    "a backend nobody has heard of": (refused("it is taken\n" + info()), "Terraform"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "backend"), HELD.values(), ids=HELD)
@pytest.mark.parametrize("frame", ["drawn", "plain", "one issue", "as errors of the agent"])
def test_a_held_lock_is_recognised_in_every_backends_words(text: str, backend: str, frame: str) -> None:
    lines = {
        "drawn": framed(text),
        "plain": text.splitlines(),
        "one issue": [text],
        "as errors of the agent": [f"##[error]{line}" for line in framed(text)],
    }[frame]
    lock = read_state_lock(["##[section]Starting: terraform apply", *lines, "##[error]Bash exited with code '1'."])
    assert lock and lock.backend == backend


NOT_LOCKS = {
    "no error": "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.",
    "another error": "Error: creating ECS Service (api): InvalidParameterException",
    "releasing": f"Error: Error releasing the state lock\n\nError message: {DYNAMODB}",
    "no right in S3": refused("operation error S3: PutObject, https response error StatusCode: 403, api error "
                              "AccessDenied: User is not authorized to perform: s3:PutObject"),
    "no right in DynamoDB": refused("AccessDeniedException: User: arn:aws:iam::1:user/x is not authorized to perform: "
                                    "dynamodb:PutItem\n" + info()),
    "no table": refused("ResourceNotFoundException: Requested resource not found"),
    "no right in Azure": refused("unexpected status 403 (403 This request is not authorized to perform this operation "
                                 "using this permission.) with AuthorizationPermissionMismatch"),
    "no right in GCS": refused('2 errors occurred:\n\t* writing "gs://b/default.tflock" failed: googleapi: Error 403: '
                               "x does not have storage.objects.create access. Access denied., forbidden\n"
                               "\t* storage: object doesn't exist"),
    "expired": refused("operation error S3: PutObject, api error ExpiredToken: The provided token has expired."),
    "no network": refused('Put "https://bucket.s3.amazonaws.com": dial tcp: lookup bucket: no such host'),
    "resource not found": refused("resource not found"),
    "conditional check of a resource": "Error: putting item: ConditionalCheckFailedException: The conditional request "
                                       "failed",
    "an agent's lock": "The job has been abandoned because agent a did not renew the lock.",
}  # fmt: skip


@pytest.mark.parametrize("text", NOT_LOCKS.values(), ids=NOT_LOCKS)
def test_what_waiting_does_not_mend_is_no_lock(text: str) -> None:
    assert read_state_lock(framed(text)) is None


def terragrunt(text: str, unit: str, form: str) -> list[str]:
    """Return an error as Terragrunt passes it on from a unit."""
    lines = framed(text)
    named = f"[{unit}] " if unit else ""
    if form == "pretty":
        return [f"12:19:44.797 STDERR {named}terraform: {line}" for line in lines]
    if form == "key=value":
        return [
            f"time=2026-01-01T12:19:44Z level=stderr prefix={unit} tf-path=terraform msg={json.dumps(line)}"
            for line in lines
        ]
    if form == "JSON":
        return [
            json.dumps({"time": "2026-01-01T12:19:44Z", "level": "stderr", "prefix": unit, "msg": line})
            for line in lines
        ]
    return [f"{named}{line}" for line in lines]


@pytest.mark.parametrize("form", ["pretty", "key=value", "JSON", "old"])
@pytest.mark.parametrize("unit", ["network", ""])
@pytest.mark.parametrize("agent", ["", "##[error]", "2026-01-01T12:19:44.8021337Z "])
def test_what_terragrunt_puts_before_a_line_does_not_hide_the_holder(form: str, unit: str, agent: str) -> None:
    lock = read_state_lock([f"{agent}{line}" for line in terragrunt(refused(S3 + info()), unit, form)])
    assert lock and (lock.backend, lock.who, lock.path) == ("S3", "ann@laptop", "bucket/dev/terraform.tfstate")


@pytest.mark.parametrize("form", ["pretty", "key=value", "JSON", "old"])
def test_the_lines_of_another_unit_in_between_are_not_read_as_the_lock_s(form: str) -> None:
    own = terragrunt(refused(S3 + info()), "network", form)
    other = terragrunt("  Who:       bob@desktop\nAccessDenied" * len(own), "api", form)
    mixed = [line for pair in zip(own, other, strict=False) for line in pair] + own[len(other) :]
    lock = read_state_lock(mixed)
    assert lock and lock.who == "ann@laptop"


def test_a_message_is_read_to_its_end_alone() -> None:
    later = "\nRead access denied, forbidden\nError: AccessDenied: no right\n  Who: bob@desktop"
    lock = read_state_lock(framed(refused(DYNAMODB + info()) + later))
    assert lock and lock.who == "ann@laptop"


def test_of_the_same_message_in_an_issue_and_in_the_log_the_whole_one_counts() -> None:
    lock = read_state_lock(["Error: Error acquiring the state lock", *framed(refused(S3 + info()))])
    assert lock and lock.who == "ann@laptop"


def test_where_one_of_several_has_another_cause_waiting_does_not_help() -> None:
    both = [*terragrunt(refused(S3 + info()), "a", "pretty"), *terragrunt(NOT_LOCKS["no right in S3"], "b", "pretty")]
    assert read_state_lock(both) is None


@given(
    st.lists(st.text(max_size=200)), st.sampled_from(["", "{", '{"msg": ', 'time=1 level=2 msg="', "12:00:00 STDERR ["])
)
def test_no_line_of_a_log_makes_the_reading_fail(lines: list[str], start: str) -> None:
    read_state_lock([f"{start}{line}" for line in lines])
    read_state_lock(["Error acquiring the state lock", *(f"{start}{line}" for line in lines)])
    lost_agent([f"{start}{line}" for line in lines])


@pytest.mark.parametrize(
    ("said", "lock", "described"),
    [
        (
            "Error: Saved plan is discarded",
            StateLock("Terraform Cloud", stale=True),
            "another run was applied first, or somebody discarded the run's plan",
        ),
        (
            "Lock timeout exceeded, sending interrupt to cancel the remote operation.",
            StateLock("Terraform Cloud"),
            "somebody holds it",
        ),
    ],
)
def test_contention_for_a_workspace_of_hcp_terraform_is_recognised(said: str, lock: StateLock, described: str) -> None:
    read = read_state_lock(framed(said))
    assert read == lock
    assert read.describe(NOW) == described


def test_the_holder_is_read_and_described_with_its_age() -> None:
    lock = read_state_lock(framed(refused(S3 + info())))
    assert lock == StateLock(
        "S3",
        "f9763602-b03f-e35c-da30-4083cdbb99ae",
        "bucket/dev/terraform.tfstate",
        "OperationTypeApply",
        "ann@laptop",
        NOW - timedelta(minutes=5),
    )
    assert lock.describe(NOW) == "ann@laptop (OperationTypeApply) holds it for 5 min"


def test_terraform_cloud_tells_who_asks_and_not_who_holds_so_nobody_is_named() -> None:
    lock = read_state_lock(framed(refused(CLOUD + info(path=""))))
    assert lock == StateLock("Terraform Cloud", "org/workspace")
    assert lock.describe(NOW) == "somebody holds it"


@pytest.mark.parametrize(
    ("age", "advised"),
    [
        (timedelta(minutes=59), False),
        (timedelta(hours=1), True),
        (timedelta(days=3), True),
        (-timedelta(days=1), False),
    ],
)
def test_only_an_old_lock_gets_the_way_to_free_it_named(age: timedelta, *, advised: bool) -> None:
    lock = StateLock("S3", "0a1b", created=NOW - age)
    assert ("`terraform force-unlock 0a1b`" in lock.advice(NOW)) is advised


@pytest.mark.parametrize("lock", [StateLock("S3", "0a1b"), StateLock("S3", created=NOW - timedelta(days=1))])
def test_without_an_age_or_an_id_there_is_nothing_to_advise(lock: StateLock) -> None:
    assert lock.advice(NOW) == ""


@pytest.mark.parametrize("created", ["yesterday", "2026-13-45 99:00:00 +0000 UTC", "", "2026-01-01 11:55:00"])
def test_a_moment_that_is_none_is_left_out(created: str) -> None:
    text = refused(S3 + info()).replace(CREATED, created)
    lock = read_state_lock(text.splitlines())
    assert lock and lock.created is None and lock.who == "ann@laptop"


def test_a_moment_of_another_zone_is_turned_into_utc() -> None:
    lock = read_state_lock(refused(S3 + info()).replace(CREATED, "2026-01-01 12:55:00.1 +0100 CET").splitlines())
    assert lock and lock.created == NOW - timedelta(minutes=5)


def test_nothing_of_a_lock_is_obeyed_by_an_agent_or_a_terminal() -> None:
    lock = StateLock(
        "S3", "\x1b[2J0a1b", who="##vso[task.complete]ann\x1b[2J", operation="a\nb", created=NOW - timedelta(days=1)
    )
    text = lock.describe(NOW) + lock.advice(NOW)
    assert not {"##vso", "\x1b", "\n"} & {part for part in ("##vso", "\x1b", "\n") if part in text}


LOST = [
    (
        "We stopped hearing from agent Azure Pipelines 32. Verify the agent machine is running and has a healthy "
        "network connection. Anything that terminates an agent process, starves it for CPU, or blocks its "
        "network access can cause this error. For more information, see: https://go.microsoft.com/fwlink/?linkid=846610"
    ),
    (
        "The agent: Hosted Agent lost communication with the server. Verify the machine is running and has a healthy "
        "network connection. For more information, see: https://go.microsoft.com/fwlink/?linkid=846610"
    ),
    (
        "The job has been abandoned because agent tb-lnx2 did not renew the lock. Ensure agent is running, "
        "not sleeping, and has not lost communication with the service."
    ),
    (
        "The agent has received a shutdown signal. This can happen when the agent service is stopped, or a manually "
        "started agent is canceled."
    ),
    "The agent did not connect within the alloted time of 45 minute(s).",
    "An error occurred while provisioning resources (Error Type: Failure).",
    "The remote provider was unable to process the request.",
    "The hosted runner encountered an error while running your job. (Error Type: Disconnect).",
    "Received request to deprovision: The request was cancelled by the remote provider.",
    "Provisioning request delayed or failed to send 5 time(s). This is over the limit of 3 time(s).",
]


@pytest.mark.parametrize("line", LOST)
def test_a_lost_agent_is_recognised_and_quoted(line: str) -> None:
    assert lost_agent(["Starting", f"##[error]{line}", "more"]) == line
    assert read_state_lock([line]) is None


@pytest.mark.parametrize(
    "line",
    [
        (
            "The job running on agent Azure Pipelines 2 ran longer than the maximum time of 60 minutes. For more "
            "information, see https://go.microsoft.com/fwlink/?linkid=2077134"
        ),
        "The job exceeded the maximum allowed time of 01:00:00 and was stopped. Please visit parallel jobs.",
    ],
)
def test_a_job_that_took_too_long_is_not_tried_again_though_its_agent_was_stopped(line: str) -> None:
    assert took_too_long([line])
    assert lost_agent([LOST[3], line]) == ""


@pytest.mark.parametrize(
    "line",
    [
        "No agent found in pool Default which satisfies the specified demands: java",
        "No hosted parallelism has been purchased or granted.",
        "No agent could be found with the following capabilities: java",
    ],
)
def test_a_job_that_no_agent_will_ever_take_is_not_tried_again(line: str) -> None:
    assert lost_agent([line]) == ""


@pytest.mark.parametrize("line", ["Error: no such subnet", "Bash exited with code '1'.", "The agent is fine."])
def test_other_errors_are_no_lost_agent(line: str) -> None:
    assert lost_agent([line]) == ""


@pytest.mark.parametrize(
    ("line", "who"),
    [
        ("The build was canceled by Microsoft.VisualStudio.Services.TFS.", "Microsoft.VisualStudio.Services.TFS"),
        ("The run was canceled by Ann Author.", "Ann Author"),
        ("The operation was canceled.", ""),
    ],
)
def test_who_cancelled_is_read_where_an_issue_says_so(line: str, who: str) -> None:
    assert cancelled_by(["The operation was canceled.", line]) == who


STALE = """\
Error: Saved plan is stale

The given plan file can no longer be applied because the state was changed
by another operation after the plan was created."""


def test_a_plan_that_another_apply_has_made_stale_is_contention_for_the_lock_as_well() -> None:
    lock = read_state_lock(framed(STALE))
    assert lock and lock.stale
    assert lock.describe(NOW) == "the state changed after the run had made its plan"
    assert lock.advice(NOW) == ""
