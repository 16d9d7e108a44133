"""What holds for every test and for every kernel that a test starts: no network but loopback, no screen, one thread."""

import os
import runpy
from pathlib import Path

OFFLINE = str(Path(__file__).parent / "tests" / "offline")

os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [OFFLINE, os.environ.get("PYTHONPATH")]))
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers on two cores
os.environ["HF_HUB_OFFLINE"] = "1"

runpy.run_path(f"{OFFLINE}/sitecustomize.py")
