"""`python -m local.gcp HOME`: the plugin's program."""

import sys
from pathlib import Path

from local.gcp.plugin import GcpPlugin
from local.paths import Home
from local.plugin import serve

serve(GcpPlugin(Home(Path(sys.argv[1]))))
