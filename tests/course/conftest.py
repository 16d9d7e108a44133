"""What the tests of coursework share."""

import os

import pytest

from igteach.course import sandbox


@pytest.fixture(scope="session")
def box() -> None:
    """For tests that need bubblewrap: skipped without, or failed where IGTEACH_REQUIRE_SANDBOX=1."""
    if not sandbox.available():
        if os.environ.get("IGTEACH_REQUIRE_SANDBOX") == "1":
            pytest.fail("IGTEACH_REQUIRE_SANDBOX=1, but bubblewrap does not work here")
        pytest.skip("bubblewrap does not work here; on Debian: apt-get install bubblewrap")
