"""The house: a file imports only from files listed before it, and every room keeps its rules."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import jaxnn

ROOT = Path(jaxnn.__file__).parent
HOUSE = [
    "vocabulary",
    "numerics",
    "memory",
    "text",
    "summaries",
    "intervals",
    "rank_statistics",
    "predictions",
    "variances",
    "regular_files",
    "files",
    "batches",
    "table_rows",
    "columns",
    "tables",
    "images",
    "data",
    "activations",
    "network",
    "exchange",
    "losses",  # the hinge
    "backpropagation",
    "sweeps",
    "gradients",
    "descent",
    "lanczos",
    "stopping",
    "runs",
    "training",
    "forms",
    "shared",
    "devices",
    "tiles",
    "rounds",
    "replays",
    "ensembles",
    "dynamics",
    "landscape.checks",
    "landscape.verification",
    "landscape.directions",
    "landscape.units",
    "landscape.matching",
    "landscape.canonical",
    "landscape.orbits",
    "landscape.data_symmetries",
    "landscape.symmetries",
    "landscape.slices",
    "landscape.gaussian_moments",
    "landscape.propagation",
    "landscape.signals",
    "landscape.tangent_kernels",
    "landscape.components",
    "landscape.curvature",
    "landscape.traces",
    "landscape.eigenpairs",
    "landscape.spectra",
    "landscape.predictors",
    "landscape.attractors",
    "landscape.quadratics",
    "landscape.searches",
    "landscape.kinks",
    "landscape.plateaus",
    "landscape.polishing",
    "landscape.flows",
    "landscape.many",
    "landscape.comparisons",
    "landscape.null_directions",
    "landscape.families",
    "landscape.gathering",
    "landscape.censuses",
    "landscape.classes",
    "landscape.minima",
    "landscape.curves",
    "landscape.bands",
    "landscape.paths",
    "landscape.gauges",
    "landscape.trajectories",
    "landscape.labels",
    "landscape.windows",
    "landscape.modes",
    "landscape.resting",
    "landscape.basins",
    "landscape.transitions",
    "landscape.connectivity",
    "landscape.trees",
    "landscape.saddles",
    "landscape.borders",
    "landscape.power_laws",
    "landscape.dimensions",
    "landscape.entropies",
    "landscape.roughness",
    "landscape.merging",
    "landscape.exponents",
    "landscape.rays",
    "landscape.changes",
    "landscape.sensitivity",
    "results.manifests",
    "results.marks",
    "results.trust",
    "results.digests",
    "results.zarr_files",
    "results.stores",
    "results.claims",
    "results.damage",
    "results.axes",
    "results.datasets",
    "results.exports",
    "plots.checks",
    "plots.ticks",
    "plots.style",
    "plots.studies",
    "plots.layouts",
    "plots.networks",
    "plots.theory",
    "plots.landscapes",
    "plots.slices",
    "plots.trees",
    "plots.sensitivity",
    "plots.maps",
    "studies.options",
    "studies.data_settings",
    "studies.settings",
    "studies.map_settings",
    "studies.store_settings",
    "studies.progress",
    "studies.reports",
    "studies.stores",
    "studies.upkeep",
    "studies.ranges",
    "studies.bounds",
    "studies.problem",
    "studies.sharing",
    "studies.workers",
    "studies.engine",
    "studies.schema",
    "studies.initial_weights",
    "studies.endings",
    "studies.stationary_points",
    "studies.members",
    "studies.findings",
    "studies.census_findings",
    "studies.one_network",
    "studies.run_planes",
    "studies.around",
    "studies.connections",
    "studies.map_windows",
    "studies.map_starts",
    "studies.basin_maps",
    "studies.map_variants",
    "studies.basin_labels",
    "studies.sample_findings",
    "studies.study_minima",
    "studies.study_findings",
    "studies.basin_pictures",
    "studies.map_words",
    "studies.basin_findings",
    "studies.width_findings",
    "studies.border_measures",
    "studies.border_findings",
    "studies.estimates",
    "studies.study_comparisons",
    "report.commands",
    "report.contents",
    "report.of_study",
    "report.of_map",
    "report.page",
    "api_pages",
    "cli.interrupts",
    "cli.streams",
    "cli.commands",
    "cli.values",
    "cli.overview",
    "cli.mistakes",
    "cli.config_files",
    "cli.parsing",
    "cli.answers",
    "notebooks",
    "cli.entry",
    "__main__",
]
# what has sizes that depend on values works on the host, and jits once
HOSTS = {
    f"landscape.{name}"
    for name in (
        "verification",
        "many",
        "comparisons",
        "gathering",
        "classes",
        "minima",
        "transitions",
        "modes",
        "basins",
    )
}
# where the caller writes the jit: from vocabulary to training, and landscape's arrays to arrays
PURE = [
    *HOUSE[: HOUSE.index("training") + 1],
    *(name for name in HOUSE if name.startswith("landscape.") and name not in HOSTS),
]
# after the hinge, only these may know layers
KNOW_LAYERS = {
    "backpropagation",
    "sweeps",
    "forms",
    "ensembles",
    "landscape.signals",
    "studies.problem",
}
PLOTS = {name for name in HOUSE if name.startswith("plots.")}
ONLY = {"matplotlib": PLOTS, "tyro": {"cli.parsing"},
        "zarr": {"results.stores", "results.zarr_files"}, "xarray": {"results.datasets"},
        "pandas": {"results.datasets", "results.exports"}, "safetensors": {"results.exports"},
        "sklearn": {"data", "predictions"}, "tqdm": {"studies.engine"},
        "pdoc": {"api_pages"}}  # fmt: skip


def source(name):
    return (ROOT / Path(*name.split("."))).with_suffix(".py").read_text()


def imports(text, name):
    """Every module that the text imports, `from a import b` as both a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: write imports in full"
            assert node.module is not None
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def faults(text, name):
    """What this file imports against the rules, a line each."""
    found = imports(text, name)
    above = HOUSE[HOUSE.index(name) :]
    wrong = [f"{name} imports {m}, listed after it" for m in above if f"jaxnn.{m}" in found]
    for library, allowed in ONLY.items():
        if name not in allowed and any(m == library or m.startswith(f"{library}.") for m in found):
            wrong.append(f"{name} imports {library}, which is for {sorted(allowed)}")
    if name in PURE and ("jax.jit" in found or "jax.jit" in text or "@jit" in text):
        wrong.append(f"{name} uses jit: the caller writes it")
    after = HOUSE.index(name) > HOUSE.index("losses")
    layers = {"jaxnn.network", "jaxnn.vocabulary.Layer", "jaxnn.vocabulary.Params"}
    if after and name not in KNOW_LAYERS and not name.startswith("studies") and found & layers:
        wrong.append(f"{name} knows layers")
    if (
        name.startswith("studies.")
        and name.endswith("settings")
        and any(
            m.split(".")[0] in ("jax", "numpy", "jaxnn") and not m.startswith("jaxnn.studies")
            for m in found
        )
    ):
        wrong.append(f"{name} imports more than the standard library")
    return wrong


def test_every_file_is_listed():
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in ROOT.rglob("*.py")
        if path.name != "__init__.py"
    }
    assert files == set(HOUSE)


@pytest.mark.parametrize("name", HOUSE)
def test_imports_go_down_and_rooms_keep_their_libraries(name):
    assert faults(source(name), name) == []


@pytest.mark.parametrize(
    ("name", "line", "fault"),
    [
        ("losses", "from jaxnn.training import train", "listed after it"),
        ("network", "import jaxnn.losses", "listed after it"),
        ("vocabulary", "from jaxnn import network", "listed after it"),
        ("training", "import matplotlib.pyplot", "which is for ['plots."),
        ("studies.engine", "from tyro import cli", "which is for ['cli.parsing']"),
        ("training", "from jax import jit", "uses jit"),
        ("stopping", "from jaxnn.network import forward", "knows layers"),
        ("studies.settings", "import numpy", "standard library"),
    ],
)
def test_a_wrong_import_is_found(name, line, fault):
    (found,) = faults(f"{source(name)}\n{line}\n", name)
    assert fault in found


@pytest.mark.parametrize("name", HOUSE)
def test_no_file_is_longer_than_300_lines(name):
    assert len(source(name).splitlines()) <= 300


def public(module):
    return [
        (name, member)
        for name, member in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(member) or inspect.isclass(member))
        and member.__module__ == module.__name__
    ]


@pytest.mark.parametrize("name", HOUSE[:-1])
def test_every_public_function_is_described_and_none_is_named_like_a_module(name):
    modules = {part for entry in HOUSE for part in entry.split(".")}
    module = importlib.import_module(f"jaxnn.{name}")
    assert module.__doc__
    for member_name, member in public(module):
        assert inspect.getdoc(member), f"{name}.{member_name} says nothing of itself"
        assert not (inspect.isfunction(member) and member_name in modules), member_name


def test_the_short_names_are_what_their_modules_define_and_load_late():
    for module, names in jaxnn._HOME.items():
        for name in names:
            assert getattr(jaxnn, name) is getattr(importlib.import_module(f"jaxnn.{module}"), name)
    assert set(jaxnn._MODULE_OF) <= set(dir(jaxnn))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = jaxnn.nothing
