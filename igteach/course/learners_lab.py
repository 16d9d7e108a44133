"""JupyterLab as the course wants it, by options and files of our own: a user's settings files are not touched.

`jupyter_config/shared` turns off the question about news. `jupyter_config/learner` turns off nbgrader's menus: its
Validate button says "Success" of an untouched lesson, because our checks show their verdict and do not raise. The
table of contents is opened by a workspace (the arrangement of JupyterLab's panels) that belongs to `work/`.
"""

import json
import os
from pathlib import Path

CONFIG = Path(__file__).with_name("jupyter_config")
NO_NEWS = ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
WORKSPACES = ".jupyterlab-workspaces"
LEFT = ["filebrowser", "running-sessions", "@jupyterlab/toc:plugin", "extensionmanager.main-view"]
ARRANGEMENT = {
    "layout-restorer:data": {
        "left": {"collapsed": False, "visible": True, "current": LEFT[2], "widgets": LEFT},
        "relativeSizes": [0.24, 0.76, 0],
    }
}


def config_path(instructor: bool) -> str:
    """What JUPYTER_CONFIG_PATH should be: Jupyter reads these folders before a user's own.

    Args:
        instructor: Whether nbgrader's menus are wanted.

    Returns:
        Our folders, and after them those that were there before.
    """
    folders = [str(CONFIG / "shared")] if instructor else [str(CONFIG / "learner"), str(CONFIG / "shared")]
    return os.pathsep.join([*folders, *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])])


def own_workspace(work: Path) -> list[str]:
    """Keep JupyterLab's workspaces in the learner's folder, the first one with the table of contents open.

    Args:
        work: The learner's folder. A workspace that is there already stays as it is.

    Returns:
        JupyterLab's options for it; none if the folder cannot be written.
    """
    from jupyterlab_server.workspaces_handler import WorkspacesManager

    folder = work / WORKSPACES
    manager = WorkspacesManager(str(folder))
    try:
        if not manager.list_workspaces():
            manager.save("default", json.dumps({"data": ARRANGEMENT, "metadata": {"id": "default"}}))
    except (OSError, ValueError):
        return []
    return [f"--LabApp.workspaces_dir={folder}"]
