"""`python -m daemon` is the command `watchword`, for where that script is not in PATH."""

import sys

from daemon.cli.main import main

sys.exit(main())
