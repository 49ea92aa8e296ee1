"""The reference programs that benchmarks compare with: found where the caller says, or installed from the package index."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

MARK = "CELLWRIGHT_BENCH_INNER"


def add_argument(parser, packages):
    """Adds --python to the arguments of a benchmark."""
    parser.add_argument("--python", help=f"an interpreter that has {packages}; otherwise a virtual environment is made")


def under(python, packages, env=None):
    """Runs the calling script again under an interpreter that has the packages, on one thread unless `env` says
    otherwise, and ends with its code.

    Returns at once in the script that was started so. Without `python` the packages are installed into a virtual
    environment that is gone afterwards. `env` says what else the script is to find in its environment.
    """
    if os.environ.get(MARK):
        return
    env = {**os.environ, MARK: "1", "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", **(env or {})}
    if python:
        os.execve(python, [python, *sys.argv], env)
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "bin", "python")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        sys.exit(subprocess.run([python, *sys.argv], env=env, check=False).returncode)
