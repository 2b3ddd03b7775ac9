"""The live view of several deliveries: a row for each, and for the run they share."""

from __future__ import annotations

import io
import re

from ecs_cd.console.live_several import LiveSeveral
from ecs_cd.console.mask import Mask
from ecs_cd.console.printer import Printer
from ecs_cd.model.events import Phase, PhaseEnded, PhaseStarted, Warned
from ecs_cd.support.deadline import Deadline
from tests.support.fakes import FakeClock


def test_each_service_has_a_row_with_its_latest_phase_and_the_warnings_stand_below() -> None:
    clock, out = FakeClock(), io.StringIO()
    view = LiveSeveral(
        Printer(out, Mask(["s3cret"])),
        clock,
        {"COLUMNS": "120", "LINES": "40", "NO_COLOR": "1"},
        title="2 services to development",
        names=["my-api", "worker"],
        deadline=Deadline.after(600, clock),
        redraw=False,
    )
    view.start()
    view.show(PhaseStarted(Phase.CHECK, "checking that 102 can be delivered", service="my-api"))
    view.show(PhaseEnded(Phase.PARAMETER, "/worker/tag changed.", service="worker"))
    view.show(Warned("s3cret ##vso[task.complete]", service="worker"))
    view.show(PhaseStarted(Phase.RUN, "following", pipeline="infra"))
    clock.advance(61)
    view.stop()
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue().rpartition("2 services to development")[2])
    drawn = [line.split() for line in last.splitlines() if line.strip()]
    rows = {words[0]: " ".join(words[1:]) for words in drawn}
    assert rows["my-api"] == "check checking that 102 can be delivered"
    assert rows["worker"] == "parameter /worker/tag changed."
    assert rows["infra"] == "run following"
    assert "1 min 1 s of 10 min" in out.getvalue()
    assert "s3cret" not in out.getvalue()
    assert "##vso[" not in out.getvalue()
