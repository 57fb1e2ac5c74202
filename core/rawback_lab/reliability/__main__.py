"""List what measures reliability: ``python -m rawback_lab.reliability``."""

from __future__ import annotations

import ast
from pathlib import Path


def main() -> None:
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        tree = ast.parse(path.read_bytes())
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            print(f"{path.stem:10} {(ast.get_docstring(tree) or '').splitlines()[0]}")


if __name__ == "__main__":
    main()
