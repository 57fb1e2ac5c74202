"""List the benchmarks, or run one: ``python -m rawback_lab.bench [NAME ...]``."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path

__all__ = ["benchmarks", "main"]


def benchmarks() -> dict[str, str]:
    """Names of the modules here that are commands, and what each says it is."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        tree = ast.parse(path.read_bytes())
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or "").splitlines()[0]
    return found


def main() -> None:
    known = benchmarks()
    if len(sys.argv) < 2 or sys.argv[1] not in known:
        for name, about in known.items():
            print(f"{name:12} {about}")
        raise SystemExit(len(sys.argv) > 1)
    name = sys.argv.pop(1)
    sys.argv[0] = f"rawback_lab.bench {name}"
    import_module(f"rawback_lab.bench.{name}").main()


if __name__ == "__main__":
    main()
