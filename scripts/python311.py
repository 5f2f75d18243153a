"""Finds a Python that can run Moonlake and goes on with it.

Written for any Python 3, so that an old one says what is needed instead of a SyntaxError.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)
NEWEST = (3, 13)  # later ones lack ready-made wheels of some packages, and would need a compiler
CANDIDATES = ("python3.13", "python3.12", "python3.11")
TRIED = "MOONLAKE_PYTHON_TRIED"


def require_python():
    """Return where this Python will do; else run the same script with another one, or end."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    if TRIED not in os.environ:
        for name in CANDIDATES:
            if _works(name):
                environment = dict(os.environ)
                environment[TRIED] = "1"
                os.execvpe(name, [name] + sys.argv, environment)
    if sys.version_info[:2] > NEWEST:
        return
    sys.stderr.write(
        "error: Moonlake needs Python 3.11 or later; this is %s at %s, and no later one is on"
        " PATH. Install one (on Debian and Ubuntu: apt-get install python3.11 python3.11-venv)"
        " and run this again.\n" % (sys.version.split()[0], sys.executable)
    )
    sys.exit(3)


def _works(name):
    # A name on PATH may be a launcher of a version that is not installed.
    check = "import sys, venv; sys.exit(sys.version_info[:2] < %r)" % (OLDEST,)
    try:
        with open(os.devnull, "w") as nowhere:
            return subprocess.call([name, "-c", check], stdout=nowhere, stderr=nowhere) == 0
    except OSError:
        return False
