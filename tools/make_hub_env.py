"""Make the environment in which tests/browser/test_hub.py runs JupyterHub.

As root, with the Python of .venv: `sudo .venv/bin/python tools/make_hub_env.py /opt/igteach-hub`. Everybody on the
machine can use the new environment, which is not true of .venv where its Python lies in somebody's home. The packages
of .venv are linked, not installed again. igteach is installed as a wheel, as on a server, and JupyterHub and its proxy
are added.
"""

import os
import shutil
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROXY = "configurable-http-proxy@5.3.0"
SYSTEM_PYTHON = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")


def main(place: Path) -> int:
    """Make the environment; the exit code."""
    fault = why_not(place)
    if fault:
        print(f"hub: {fault}")
        return 1
    subprocess.run([str(python_for_all()), "-m", "venv", "--without-pip", "--clear", str(place)], check=True)
    link_packages(place)
    copy_scripts(place)
    print(f"hub: adding igteach's wheel, JupyterHub and {PROXY}", flush=True)
    wheel_with_hub = [f"{ROOT}[hub]", "-c", str(ROOT / "constraints.txt"), "--no-build-isolation"]
    subprocess.run([str(place / "bin/python"), "-m", "pip", "install", "--quiet", *wheel_with_hub], check=True)
    add_proxy(place)
    subprocess.run(["chmod", "-R", "go+rX", str(place)], check=True)  # whatever the umask was
    print(f"hub: {place} is ready")
    return 0


def why_not(place: Path) -> str | None:
    """What stands in the way of making the environment there; None where nothing does."""
    if python_for_all() is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"there is no Python {version} that all users can run: install one, such as Debian's {SYSTEM_PYTHON}"
    if shutil.which("npm") is None:
        return "there is no npm, with which the proxy is installed; on Debian: apt-get install npm"
    if place.exists() and any(place.iterdir()) and not (place / "pyvenv.cfg").is_file():
        return f"{place} has other files in it; name a folder that is empty or not there"
    if not open_to_all(place.absolute().parent):
        return f"other users cannot enter {place.absolute().parent}; name a place such as /opt/igteach-hub"
    return None


def python_for_all() -> Path | None:
    """A Python of this version that every user can run: the one that .venv was made from, or the system's."""
    made_from = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    return next((python for python in (made_from, SYSTEM_PYTHON) if python.exists() and open_to_all(python)), None)


def open_to_all(path: Path) -> bool:
    """Whether every user can enter the folders that lead to a path, and read the path."""
    path = path.resolve()
    enterable = all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents if folder.exists())
    return enterable and (not path.exists() or bool(path.stat().st_mode & stat.S_IROTH))


def link_packages(place: Path) -> None:
    """Link the packages of .venv and their files for Jupyter; all but igteach, which is a link to the clone there."""
    here = Path(sysconfig.get_path("purelib"))
    there = place / here.relative_to(sys.prefix)
    not_igteach = shutil.ignore_patterns("igteach-*", "_igteach.pth")
    shutil.copytree(here, there, copy_function=link_or_copy, ignore=not_igteach, dirs_exist_ok=True)
    for folder in ("etc", "share"):
        shutil.copytree(Path(sys.prefix, folder), place / folder, copy_function=link_or_copy)


def link_or_copy(source: str, target: str) -> None:
    """A second name for a file, or a copy on another disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def copy_scripts(place: Path) -> None:
    """Copy the scripts of .venv, which begin with its Python's path; here they begin with the new one's."""
    old, new = f"#!{sys.prefix}/bin/python".encode(), f"#!{place}/bin/python".encode()
    for script in Path(sys.prefix, "bin").iterdir():
        if script.is_file() and not script.is_symlink() and script.read_bytes().startswith(old):
            copied = place / "bin" / script.name
            copied.write_bytes(script.read_bytes().replace(old, new, 1))
            shutil.copymode(script, copied)


def add_proxy(place: Path) -> None:
    """Install the proxy with npm, and link its command beside the others."""
    folder = place / "proxy"
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "install", *quiet, "--prefix", str(folder), PROXY], check=True, stdout=subprocess.DEVNULL)
    (place / "bin/configurable-http-proxy").symlink_to(folder / "node_modules/.bin/configurable-http-proxy")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("hub: say where, as in: .venv/bin/python tools/make_hub_env.py /opt/igteach-hub")
    sys.exit(main(Path(sys.argv[1]).absolute()))
