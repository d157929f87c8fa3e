"""Circles among the imports of packages that can be found on the path."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

import grimp


def import_circles(packages: Iterable[str]) -> list[str]:
    """One line for each circle, imports within functions counted; empty if there is none.

    Circles of single modules and, at every depth, circles among the children of a package: two packages
    depend on each other even if no module does so.
    """
    graph = grimp.build_graph(*packages, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    found = [
        f"{package}: {importer} imports {imported}"
        for package in sorted(graph.modules)
        if graph.find_children(package)
        for importer, imported in sorted(graph.nominate_cycle_breakers(package))
    ]
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        found.append("modules: " + " imports ".join(reversed(error.args[1])))
    return found
