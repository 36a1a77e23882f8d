#!/usr/bin/env python3
"""Measure how the program is built, and write the table in docs/internals/design.md between its two marks.

    .venv/bin/python scripts/measure_design.py [--write]

What is counted: modules, entries at the top of `bulk/`, names of modules that are gerunds or participles, lines of
functions and files, import cycles between packages and between modules, and the files that know of one channel, one
limit, one list format, one command.
"""

import argparse
import ast
import math
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "bulk"
PAGE = ROOT / "docs" / "internals" / "design.md"
MARKS = "<!-- measured -->\n", "<!-- end -->\n"
NOUNS = {"string", "ceiling", "pacing", "seed", "embed"}  # end so, and are the field's nouns
PARTICIPLES = {"told", "led", "held", "sent", "made", "written", "given", "known", "seen", "kept", "taken"}
EXAMPLES = {
    "a channel": ["bulk.channels.whatsapp"],
    "a limit": ["bulk.pacing.sliding_window"],
    "a list format": ["bulk.loader.xlsb"],
    "a command": ["bulk.run.resolve", "bulk.cli.resolve"],
}


def modules() -> dict[str, ast.Module]:
    """Return the tree of each module by its dotted name; packages by that of their `__init__`."""
    found = {}
    for path in sorted(HOME.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text("utf-8"))
    return found


def is_verb_form(name: str) -> bool:
    """Whether a word of a module's name is a gerund or a participle."""
    words = set(name.split("_")) - NOUNS
    return any(word in PARTICIPLES or (len(word) > 4 and word.endswith(("ing", "ed"))) for word in words)


def imports(trees: Mapping[str, ast.Module], name: str) -> Iterator[str]:
    """Yield the modules of ours that a module imports when it is imported itself."""
    for node in _at_import(trees[name]):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bulk"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in trees else str(node.module)


def _at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run at import: not the bodies of functions, nor what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _at_import(node)


def cycle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return a cycle of a graph, empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def knowing(trees: Mapping[str, ast.Module], of: list[str]) -> list[str]:
    """Return some modules and those that import them, wherever they do: what another one would touch."""
    return [name for name, tree in trees.items() if name in of or of_ours(tree) & {*of}]


def of_ours(tree: ast.Module) -> set[str]:
    """Return the names that a module imports, wherever it does, and those in its text: the public API loads by name."""
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {f"{node.module}.{alias.name}" for node in froms for alias in node.names} | {
        *(str(node.module) for node in froms),
        *texts,
    }


def measured() -> list[tuple[str, str]]:
    """Return each measure with its value."""
    trees = modules()
    graph = {name: set(imports(trees, name)) - {name} for name in trees}
    packages: dict[str, set[str]] = {}
    for name, used in graph.items():
        top = _top(name)
        packages.setdefault(top, set()).update(_top(one) for one in used if _top(one) != top)
    defined = [
        node
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = [(node.end_lineno or 0) - node.lineno + 1 for node in defined]
    files = {path: len(path.read_text("utf-8").splitlines()) for path in HOME.rglob("*.py")}
    entries = [path for path in HOME.iterdir() if path.name not in {"__pycache__", "py.typed"}]
    stems = [path.stem for path in files if path.stem not in {"__init__", "__main__"}]
    stems += [path.name for path in HOME.rglob("*") if path.is_dir() and (path / "__init__.py").exists()]
    odd = sorted(filter(is_verb_form, stems))
    largest = max(files, key=lambda path: files[path])
    return [
        ("modules", str(len(trees))),
        ("entries at the top", str(len(entries))),
        ("module names that are gerunds or participles", f"{len(odd) / len(stems):.1%}" + _listed(odd)),
        ("lines of a function: median", f"{median(lengths):.0f}"),
        ("… nine of ten at most", f"{math.ceil(quantiles(lengths, n=10)[8])}"),
        ("… longest", f"{max(lengths)}"),
        ("lines of the largest file", f"{files[largest]} (`{largest.relative_to(ROOT)}`)"),
        ("import cycles between packages", _listed(cycle(packages)) or "0"),
        ("import cycles between modules", _listed(cycle(graph)) or "0"),
        *((f"modules that know of {what}, `{of[0]}`", _count(knowing(trees, of))) for what, of in EXAMPLES.items()),
    ]


def _top(name: str) -> str:
    return ".".join(name.split(".")[:2])


def _listed(names: list[str]) -> str:
    return f" ({', '.join(f'`{name}`' for name in names)})" if names else ""


def _count(names: list[str]) -> str:
    return f"{len(names)}{_listed([name.removeprefix('bulk.') for name in names])}"


def page() -> str:
    """Return the page with the measures of now."""
    before, _, rest = PAGE.read_text("utf-8").partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    rows = "".join(f"| {what} | {value} |\n" for what, value in measured())
    return f"{before}{MARKS[0]}| Measure | Value |\n|---|---|\n{rows}{MARKS[1]}{after}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the table into the page")
    if parser.parse_args().write:
        PAGE.write_text(page(), "utf-8")
    else:
        print("\n".join(f"{what}: {value}" for what, value in measured()))
