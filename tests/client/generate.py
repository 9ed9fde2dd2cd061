"""Makes the Python client out of the app's OpenAPI description: `make client` puts it into build/client."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from api.main import create_app
from api.settings import Settings

ROOT = Path(__file__).parents[2]
PACKAGE = "daymark_client"
CONFIG = f"package_name_override: {PACKAGE}\npost_hooks: []\n"


def generate(folder: Path, home: Path) -> str:
    """Puts the package daymark_client below `folder`, anew; returns what was said. Raises CalledProcessError."""
    app = create_app(Settings(home=home, loader=False, kafka="127.0.0.1:1"))
    (folder / PACKAGE).parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / PACKAGE, ignore_errors=True)
    (home / "openapi.json").write_text(json.dumps(app.openapi()))
    (home / "client.yaml").write_text(CONFIG)
    files = ["--path", home / "openapi.json", "--config", home / "client.yaml", "--output-path", folder / PACKAGE]
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", *map(str, files)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(generate(ROOT / "build" / "client", Path(scratch)))
