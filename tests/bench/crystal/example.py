"""An example program of the crystal crate, built for release and spoken to in JSON lines."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class Example:
    """Answers one question a line; as a context manager it ends with its block."""

    def __init__(self, name):
        command = ["cargo", "build", "--release", "--quiet", "-p", "cellwright-crystal", "--example", name]
        subprocess.run(command, cwd=ROOT, check=True)
        target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        self.process = subprocess.Popen([target / "release/examples" / name], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())
