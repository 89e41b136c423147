"""Starts Pulumi's plugins by forking a process that has already loaded what they need.

There is a plugin process for each cluster, and loading its modules takes longer than all its work.

    python -m local.forkserver HOME

is started by the first launcher (local/launcher.py) that finds none, and ends soon after the last plugin.
"""

import importlib
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from local.gcp.plugin import GcpPlugin
from local.kubernetes.plugin import KubernetesPlugin
from local.paths import Home
from local.plugin import serve

# local/api.py imports it when it is needed, which in a plugin is always.
importlib.import_module("kubernetes.config")

_SOCKET = Path("plugins.sock")
# Short, so that the next run of Pulumi starts another one and never runs code from before an edit.
_IDLE_SECONDS = 1.0


def main() -> None:
    """Forks a plugin for each launcher, until there has been none for a while."""
    home = Home(Path(sys.argv[1]))
    os.chdir(home.root)
    _SOCKET.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(_SOCKET))
    listener.listen(128)
    accepting = True
    while True:
        if not _wait(listener):
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
                continue
            # Nobody can connect from here on; connections made before are still served. The second time, the file would
            # be a successor's.
            if not accepting:
                return
            _SOCKET.unlink(missing_ok=True)
            accepting = False
            continue
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _become_plugin(connection, home)
        connection.close()


def _wait(listener: socket.socket) -> bool:
    return bool(select.select([listener], [], [], _IDLE_SECONDS)[0])


def _become_plugin(connection: socket.socket, home: Home) -> None:
    """Serves the plugin that a launcher requests, on its pipes and in its environment, until the launcher ends."""
    _, pipes, _, _ = socket.recv_fds(connection, 1, 2)
    request = json.loads(connection.makefile().readline())
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, pipe in enumerate(pipes, start=1):
        os.dup2(pipe, number)
        os.close(pipe)
    # Ctrl-C is for Pulumi, and must not end the plugin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    plugin = GcpPlugin(home) if request["package"] == "gcp" else KubernetesPlugin()
    serve(plugin, until=lambda: connection.recv(1))


if __name__ == "__main__":
    main()
