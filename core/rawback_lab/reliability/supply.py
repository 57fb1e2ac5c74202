"""Known holes in what the library is built on: ``python -m rawback_lab.reliability.supply``.

Asks pip-audit (``pip install pip-audit``) about every package of this environment; that takes an
index that has advisories, which mirrors often have not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from rawback_lab.reliability.report import record

__all__: list[str] = []


def main() -> None:
    argparse.ArgumentParser(description="Ask for known holes.").parse_args()
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--skip-editable", "-f", "json"],
        stdout=subprocess.PIPE,
        check=False,
    )
    packages = json.loads(done.stdout)["dependencies"]
    asked = [item for item in packages if "vulns" in item]
    if not asked:
        message = "pip-audit could ask about no package: no advisories can be reached from here"
        raise SystemExit(message)
    record(
        "pip_audit",
        {
            "packages": len(asked),
            "not_asked": sorted(item["name"] for item in packages if "vulns" not in item),
            "vulnerable": {item["name"]: item["vulns"] for item in asked if item["vulns"]},
        },
    )
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
