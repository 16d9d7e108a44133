"""JupyterHub for one course: "A JupyterHub" in docs/instructor.md says how to use it, and a test runs this very file.

Beside it lie `instructors.txt` and `students.txt`, the users' names, and the folders with the settings of each role.
All must be able to read this folder, and nobody but root may write in it.
"""

import os
from pathlib import Path

c = get_config()  # noqa: F821
HERE = Path(__file__).resolve().parent


def names(file):
    return set((HERE / file).read_text(encoding="utf-8").split())


INSTRUCTORS = names("instructors.txt")
c.Authenticator.allowed_users = INSTRUCTORS | names("students.txt")
c.Spawner.default_url = "/lab"


def give_settings_of_role(spawner):
    role = "instructors" if spawner.user.name in INSTRUCTORS else "students"
    folders = [str(HERE / role), str(HERE / "everybody")]  # they come before the user's own ~/.jupyter
    spawner.environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join(folders)


c.Spawner.pre_spawn_hook = give_settings_of_role
