"""Taking in what a class handed in: from Moodle, Canvas, nbgrader's exchange or a folder to COURSE/submitted/."""

import filecmp
import json
import os
import re
import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from pwd import getpwuid

from nbgrader.utils import parse_utc

from igteach.course.collected import COLUMNS, Log, read_log, write_log
from igteach.course.lateness import local_time, set_hand_in_times
from igteach.course.platforms import HandIn, hand_ins, original_name
from igteach.course.roster import SAFE_NAME, Person, only_match, only_namesake, read_roster
from igteach.course.uploads import TIME_FILE, Found, copy_out, shown
from igteach.course.worksheets import Participant, read_participants
from igteach.lessons.files import write_atomically

NEW, REPLACED, BEFORE = "new", "in place of an earlier one, which is in attempts/", "there before"
OLDER = "older than what is there, kept in attempts/"
TIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f UTC"  # nbgrader's own, in timestamp.txt


LONGEST_SUBMIT = timedelta(minutes=10)  # between the time in a folder's name and the last change of its files


class UnresolvedError(Exception):
    """A file's owner cannot be determined; the message says why and what to do."""


@dataclass
class Intake:
    """One run of `collect`.

    Attributes:
        course: The course folder.
        people: The roster; empty if there is none.
        participants: The rows of Moodle's worksheet, by participant number.
        releases: The names of the notebooks of each assignment.
        lines: What to print, a line each.
        counts: How many hand-ins were new, replaced an earlier one, were there before, or are older.
        log: The rows of collected.csv, by student and assignment.
    """

    course: Path
    people: list[Person]
    participants: dict[str, Participant]
    releases: dict[str, list[str]]
    lines: list[str]
    counts: dict[str, int]
    log: Log


def collect(course: Path, source: Path, assignment: str = "", worksheet: Path | None = None) -> list[str]:
    """Put what was handed in where `grade` finds it. An earlier hand-in goes to COURSE/attempts/, and is never lost.

    Args:
        course: The course folder.
        source: Moodle's or Canvas's zip, unpacked or not, the exchange's inbound, or a folder STUDENT/NOTEBOOK or
            STUDENT/ASSIGNMENT/NOTEBOOK.
        assignment: The assignment; if empty it is the only release, or the one whose lesson the notebooks name.
        worksheet: Moodle's grading worksheet of the assignment, which knows everybody's number and time.

    Returns:
        A line for each file that was refused or needs a look, and a summary.

    Raises:
        FileNotFoundError: There is no release, or no such zip or folder.
        ValueError: There is no such assignment, or it cannot be guessed, or the zip or a table cannot be read.
    """
    intake = _start(course, source, assignment, worksheet)
    submitted = course / "submitted"
    submitted.mkdir(exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".incoming-", dir=submitted))
    try:
        found = copy_out(source, staging)
        intake.lines += found.lines
        resolved = _whose(intake, found, source.is_file())
        chosen = _choose_files(intake, found, _with_assignment(intake, found, resolved, assignment))
        for (student, name), hand_in, files in chosen:
            _place(intake, student, name, hand_in, files)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        write_log(course, intake.log)
    if (course / "gradebook.db").exists():
        collected = {key for key, _, _ in chosen}
        set_hand_in_times(course, {key: hand_in_time(submitted / key[0] / key[1]) for key in collected})
    counted = ", ".join(f"{count} {what}" for what, count in intake.counts.items() if count) or "nothing"
    return [*intake.lines, f"collect: {counted}; {len(found.lines)} files refused"]


def _start(course: Path, source: Path, assignment: str, worksheet: Path | None) -> Intake:
    releases = {
        folder.name: sorted(path.name for path in folder.glob("*.ipynb"))
        for folder in sorted((course / "release").glob("*"))
    }
    releases = {name: notebooks for name, notebooks in releases.items() if notebooks}
    if not releases:
        raise FileNotFoundError(
            f"{course} has no release; make a course with: python -m igteach assign NN --out COURSE"
        )
    if assignment and assignment not in releases:
        raise ValueError(f"there is no assignment {assignment}; there are: {', '.join(releases)}")
    if (course / "submitted").resolve() in (source.resolve(), *source.resolve().parents):
        raise ValueError(f"{source} is where collect puts things; name what you downloaded")
    participants = read_participants(worksheet) if worksheet else {}
    counts = dict.fromkeys((NEW, REPLACED, BEFORE, OLDER), 0)
    return Intake(course, read_roster(course), participants, releases, [], counts, read_log(course))


# Whose it is


def _whose(intake: Intake, found: Found, from_zip: bool) -> list[tuple[str, HandIn]]:
    """The student of each notebook; files of nobody become lines."""
    students = {person.student for person in intake.people}
    readings = hand_ins([*found.notebooks, *found.others], students, from_zip)
    release_names = {name for notebooks in intake.releases.values() for name in notebooks}
    resolved: list[tuple[str, HandIn]] = []
    only_others: dict[str, PurePosixPath] = {}
    for path, ways in readings.items():
        try:
            if not ways:
                raise UnresolvedError(_unknown_shape(path, intake))
            hand_in, student = _resolve(intake, ways, release_names)
            if path in found.status and hand_in.platform == "exchange":
                _check_owner(student, found.status[path].st_uid)
                intake.lines += _check_time(hand_in, found.status[path].st_ctime)
        except UnresolvedError as why:
            if path in found.notebooks or ways:
                intake.lines.append(f"not collected: {shown(path)}: {why}")
            continue
        if path in found.notebooks:
            resolved.append((student, hand_in))
        elif path.name != "onlinetext.html":
            only_others.setdefault(student, path)
    with_notebook = {student for student, _ in resolved}
    for student, path in only_others.items():
        if student not in with_notebook:
            intake.lines.append(f"{student} handed in no notebook, but {shown(path)}; ask for the .ipynb file")
    return _without_shared(intake, resolved)


def _unknown_shape(path: PurePosixPath, intake: Intake) -> str:
    if len(path.parts) > 1 and intake.people:
        return "its path has no name of a student of roster.csv, Moodle, Canvas or the exchange"
    return "its path does not say whose it is, as those of Moodle, Canvas, the exchange and STUDENT/NOTEBOOK do"


def _resolve(intake: Intake, ways: list[HandIn], release_names: set[str]) -> tuple[HandIn, str]:
    first = ways[0]
    if first.platform in ("exchange", "folder"):
        return first, _by_folder(intake, first.person)
    if first.platform == "moodle":
        return _by_moodle(intake, first)
    return _by_canvas(intake, ways, release_names)


def _by_folder(intake: Intake, student: str) -> str:
    if not SAFE_NAME.fullmatch(student):
        raise UnresolvedError("the student's name has letters that a folder must not have")
    if intake.people and not any(person.student == student for person in intake.people):
        raise UnresolvedError(f"{student} is not in roster.csv; add a row")
    return student


def _by_moodle(intake: Intake, hand_in: HandIn) -> tuple[HandIn, str]:
    row = intake.participants.get(hand_in.person)
    if intake.participants and row is None:
        raise UnresolvedError(f"the worksheet has no Participant {hand_in.person}; is it that of this assignment?")
    if row:
        hand_in = replace(hand_in, time=row.handed_in)
    if not intake.people:
        return hand_in, _folder_name(hand_in)
    person = only_match(intake.people, "email", row.email) if row else None
    person = person or only_match(intake.people, "moodle", hand_in.person)
    person = person or only_namesake(intake.people, hand_in.name, row.email if row else "")
    if person is None:
        raise UnresolvedError(
            f"no single row of roster.csv has {shown(hand_in.name)} or Moodle's number {hand_in.person}; add it as "
            "'moodle id', or give Moodle's worksheet with --worksheet"
        )
    return hand_in, person.student


def _by_canvas(intake: Intake, ways: list[HandIn], release_names: set[str]) -> tuple[HandIn, str]:
    """The reading whose number and name the roster has; or the leftmost, if what is left of it is the file's name."""
    first = ways[0]
    if not intake.people:
        return first, _folder_name(first)
    for way in ways:
        person = only_match(intake.people, "canvas", way.person)
        if person and only_match([person], "name", way.name):
            return way, person.student
    person = only_match(intake.people, "canvas", first.person)
    if person is None:
        person = only_match(intake.people, "name", first.name)
        person = person if person and not person.canvas else None
    if person is None:
        raise UnresolvedError(
            f"no row of roster.csv has Canvas's number {first.person} ({shown(first.name)}); add it as 'canvas id'"
        )
    if original_name(first.file)[0] not in release_names:
        raise UnresolvedError(
            f"it may be {person.student}'s, but its name can be read in several ways; see whose it is in Canvas, and "
            "collect it as STUDENT/NOTEBOOK"
        )
    return first, person.student


def _folder_name(hand_in: HandIn) -> str:
    """A folder for a student of whom there is no roster: the number keeps two of one name apart."""
    name = re.sub(r"\W+", "_", hand_in.name).strip("_") or hand_in.platform
    return f"{name}-{hand_in.person}"


def _check_owner(student: str, owner: int) -> None:
    """In the exchange everybody may write under everybody's name; the owner of a file is who wrote it."""
    try:
        name = getpwuid(owner).pw_name
    except KeyError:
        name = f"user {owner}"
    if name != student:
        raise UnresolvedError(f"it says that it is {student}'s, and belongs to {name}")


def _check_time(hand_in: HandIn, changed: float) -> list[str]:
    """Compare the time in the folder's name, which a student can choose, with the file's last change."""
    written = datetime.fromtimestamp(changed, UTC).replace(tzinfo=None)
    if hand_in.time is None or written - hand_in.time < LONGEST_SUBMIT:
        return []
    return [f"to look at: {shown(hand_in.path)} was written or changed later than it says, {local_time(written)}"]


def _without_shared(intake: Intake, resolved: list[tuple[str, HandIn]]) -> list[tuple[str, HandIn]]:
    """Leave out what several people of a platform handed in and the roster takes for one student's."""
    numbers = defaultdict(set)
    for student, hand_in in resolved:
        numbers[student].add((hand_in.platform, hand_in.person))
    for student, persons in numbers.items():
        if len(persons) > 1:
            ids = ", ".join(sorted(person for _, person in persons))
            intake.lines.append(
                f"not collected: {student}: several people on the platform have that name ({ids}); write their numbers "
                "into roster.csv, or give the platform's own table with --worksheet"
            )
    return [(student, hand_in) for student, hand_in in resolved if len(numbers[student]) == 1]


# Which assignment and which file


Group = tuple[tuple[str, str], HandIn, dict[str, Path]]


def _with_assignment(
    intake: Intake, found: Found, resolved: list[tuple[str, HandIn]], assignment: str
) -> list[tuple[str, HandIn]]:
    """Fill in the assignment where the path does not tell."""
    unnamed = [hand_in for _, hand_in in resolved if hand_in.assignment not in intake.releases]
    named = [pair for pair in resolved if pair[1].assignment in intake.releases]
    if assignment:
        named = [pair for pair in named if pair[1].assignment == assignment]
    if unnamed and not assignment:
        assignment = _guess(intake, [found.notebooks[hand_in.path] for hand_in in unnamed])
    waiting = {hand_in.path for hand_in in unnamed if not (hand_in.platform == "exchange" and hand_in.assignment)}
    for hand_in in unnamed:
        if hand_in.path not in waiting:
            intake.lines.append(f"not collected: {shown(hand_in.path)}: there is no assignment {hand_in.assignment}")
    filled = [(student, replace(one, assignment=assignment)) for student, one in resolved if one.path in waiting]
    return named + filled


def _guess(intake: Intake, notebooks: list[Path]) -> str:
    if len(intake.releases) == 1:
        return next(iter(intake.releases))
    versions = {}
    for name, files in intake.releases.items():
        versions[_version(intake.course / "release" / name / files[0])] = name
    guesses = {versions[version] for version in map(_version, notebooks) if version in versions}
    if len(guesses) != 1:
        seen = f"the notebooks are of {', '.join(sorted(guesses))}" if guesses else "the notebooks do not tell which"
        raise ValueError(f"{seen}; name the assignment with --assignment, one of: {', '.join(intake.releases)}")
    return guesses.pop()


def _version(notebook: Path) -> str:
    """The version of the lesson that a notebook says it is; empty if it does not say."""
    try:
        return str(json.loads(notebook.read_bytes())["metadata"]["igteach"]["version"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _choose_files(intake: Intake, found: Found, resolved: list[tuple[str, HandIn]]) -> list[Group]:
    """For each hand-in the file of each notebook of its assignment, the earlier hand-in of a student first."""
    groups = defaultdict(list)
    for student, hand_in in resolved:
        hand_in = _with_time(hand_in, found)
        sent = hand_in.path.parent if hand_in.platform == "exchange" else None
        groups[student, hand_in.assignment, sent].append(hand_in)
    chosen = []
    for (student, assignment, _), hand_in_files in groups.items():
        files = _files_of(intake, student, intake.releases[assignment], hand_in_files)
        if files:
            staged = {name: found.notebooks[hand_in.path] for name, hand_in in files.items()}
            chosen.append(((student, assignment), next(iter(files.values())), staged))
    return sorted(chosen, key=lambda group: (group[0], group[1].time or datetime.min))


def _with_time(hand_in: HandIn, found: Found) -> HandIn:
    """In a folder of ours timestamp.txt is believed; a student cannot have put it there."""
    text = found.times.get(hand_in.path.parent / TIME_FILE, "").strip()
    if hand_in.platform != "folder" or not text:
        return hand_in
    try:
        return replace(hand_in, time=parse_utc(text))
    except ValueError:
        return hand_in


def _files_of(intake: Intake, student: str, names: list[str], files: list[HandIn]) -> dict[str, HandIn]:
    """The file for each notebook: of several copies Canvas's last upload, or else the one without a number."""
    taken = {}
    for name in names:
        fitting = [one for one in files if original_name(one.file)[0] == name]
        if not fitting and len(files) == len(names) == 1:
            fitting = files  # renamed by hand
            intake.lines.append(f"{student}: {shown(files[0].file)} is taken for {name}")
        if fitting:
            taken[name] = max(fitting, key=lambda one: (one.upload, -original_name(one.file)[1]))
        if len(fitting) > 1:
            others = ", ".join(shown(one.path) for one in fitting if one is not taken[name])
            intake.lines.append(f"{student}: of several copies {shown(taken[name].path)} is taken, not {others}")
    if not taken:
        held = ", ".join(shown(one.file) for one in files)
        intake.lines.append(f"not collected: {student} handed in {held}; the file must be named {', '.join(names)}")
    return taken


# Into the course


def _place(intake: Intake, student: str, assignment: str, hand_in: HandIn, files: dict[str, Path]) -> None:
    """Put a hand-in into submitted/, and what was there before into attempts/; an older one goes there itself."""
    place = intake.course / "submitted" / student / assignment
    kept = intake.course / "attempts" / student / assignment
    if place.parent.is_symlink():
        intake.lines.append(f"not collected: {place.parent} is a link; replace it by a folder")
        return
    current = hand_in_time(place)
    is_older = hand_in.time is not None and current is not None and hand_in.time < current
    is_newer = hand_in.time is not None and current is not None and hand_in.time > current
    earlier = next((attempt for attempt in sorted(kept.glob("*")) if _holds(attempt, files)), None)
    if _holds(place, files) and not is_older:
        _write_time(place, hand_in.time)
        _count(intake, student, assignment, hand_in, BEFORE)
    elif earlier is not None and not is_newer:
        intake.counts[BEFORE] += 1
        if hand_in.platform != "exchange":
            intake.lines.append(f"{student}: this is the earlier hand-in {earlier}; the later one stays")
    elif is_older:
        _keep(kept, _copy_in(place, hand_in, files))
        intake.counts[OLDER] += 1
    else:
        new, what = _copy_in(place, hand_in, files), NEW
        if os.path.lexists(place):
            _keep(kept, place)
            what = REPLACED
        os.rename(new, place)
        _count(intake, student, assignment, hand_in, what)


def _count(intake: Intake, student: str, assignment: str, hand_in: HandIn, what: str) -> None:
    """Count a hand-in that is now in submitted/, and note where it came from; `export` finds Moodle's numbers there."""
    intake.counts[what] += 1
    late = "yes" if hand_in.late else ""
    person = hand_in.person if hand_in.platform in ("moodle", "canvas") else ""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    row = [student, assignment, hand_in.platform, person, late, shown(hand_in.path), now]
    intake.log[student, assignment] = dict(zip(COLUMNS, row, strict=True))


def _copy_in(place: Path, hand_in: HandIn, files: dict[str, Path]) -> Path:
    """Copy a hand-in beside its place, under a hidden name that `grade` does not see."""
    new = place.parent / f".{place.name}.part"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for name, file in files.items():
        shutil.copyfile(file, new / name)
    _write_time(new, hand_in.time)
    return new


def _keep(kept: Path, place: Path) -> None:
    """Move a hand-in to a new folder in attempts/, named by the time of handing in, or else of the file."""
    time = hand_in_time(place)
    if time is None:
        newest = max((path.lstat().st_mtime for path in place.glob("*.ipynb")), default=place.lstat().st_mtime)
        time = datetime.fromtimestamp(newest, UTC)
    name = time.strftime("%Y-%m-%dT%H-%M-%SZ")
    tries = (kept / (f"{name}-{number}" if number > 1 else name) for number in range(1, 10_000))
    kept.mkdir(parents=True, exist_ok=True)
    os.rename(place, next(path for path in tries if not os.path.lexists(path)))


def _holds(place: Path, files: dict[str, Path]) -> bool:
    return all(
        (place / name).is_file() and filecmp.cmp(place / name, file, shallow=False) for name, file in files.items()
    )


def hand_in_time(place: Path) -> datetime | None:
    """When a submission was handed in.

    Args:
        place: The submission's folder.

    Returns:
        The moment of its timestamp.txt, in UTC and without a zone; None if it has none that can be read.
    """
    try:
        return parse_utc((place / TIME_FILE).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None


def _write_time(place: Path, time: datetime | None) -> None:
    if time is not None:
        write_atomically(place / TIME_FILE, time.strftime(TIME_FORMAT) + "\n", replace=True)
