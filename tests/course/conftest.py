"""As `python -m igteach` does: nbgrader's helpers are found by their names, also where nobody activated."""

import os
import sys
from pathlib import Path

os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
