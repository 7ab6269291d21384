"""How the command line is started in a process of its own, as a person starts it."""

import sys
from typing import Final

__all__ = ["AUTOLABEL"]

AUTOLABEL: Final = (sys.executable, "-c", "from autolabel.cli import main; main()")
