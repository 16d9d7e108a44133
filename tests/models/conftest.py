"""The weights of SqueezeNet whose predictions are known."""

import hashlib
import os
from pathlib import Path

import pytest

MEASURED = "8d9d90a2333a11a56f6becb7ef5e9c1e10726240844a71a42251c74e3bc4dcb8"


@pytest.fixture(scope="session")
def measured_weights() -> Path:
    """Their file, which `igteach.models.weights` finds before any other; skips where it is not in IGTEACH_MODELS."""
    path = Path(os.environ.get("IGTEACH_MODELS", ""), "squeezenet1_0.safetensors")
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != MEASURED:
        pytest.skip(f"predictions are known for the weights with SHA-256 {MEASURED} only, which IGTEACH_MODELS lacks")
    return path
