"""Puts the lessons and the data into the wheel, from where they lie in the clone."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CARRIED = (
    "data/*",
    "notebooks/*.ipynb",
    "notebooks/solved/*.ipynb",
    "notebooks/source/*.py",
    "notebooks/templates/*.py",
)


class CarryLessonsAndData(BuildHookInterface):
    """`data/` becomes `igteach/data`, `notebooks/` becomes `igteach/notebooks`.

    An editable installation carries nothing: it finds both in the clone. Files are named one by one, so that a
    checkpoint or a stray folder of a maintainer's does not slip into a release.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files to what hatchling packs.

        Args:
            version: "standard", or "editable".
            build_data: What hatchling is told; changed in place.
        """
        if version != "standard":
            return
        clone = Path(self.root)
        for pattern in CARRIED:
            for file in sorted(path for path in clone.glob(pattern) if path.is_file()):
                place = file.relative_to(clone).as_posix()
                build_data["force_include"][str(file)] = f"igteach/{place}"
