"""What people see of a delivery, and how programs get its result.

Results go to stdout, progress to stderr. Everything is masked (`mask`), then neutralised and made printable
(`printer`), whichever way it is shown: a live view at a terminal (`live`), one line per change in a file (`lines`), or
those lines and logging commands on an Azure Pipelines agent (`azure`).
"""

from ecs_cd.console.console import Console, Output
from ecs_cd.console.mode import Mode, choose_mode

__all__ = ["Console", "Mode", "Output", "choose_mode"]
