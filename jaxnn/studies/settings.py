"""What can be asked of each command, with its defaults. Only the standard library is imported
here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from jaxnn.studies.data_settings import IMAGES, Data
from jaxnn.studies.options import Checked


@dataclass(frozen=True)
class Problem(Data):
    """A network and how it is trained; what is None comes from the data set's own defaults."""

    hidden: tuple[int, ...] | None = None
    """Units of each hidden layer, e.g. --hidden 16 8; --hidden with nothing: no hidden layer."""
    activation: tuple[str, ...] = ("sigmoid",)
    """sigmoid, tanh, relu, erf or identity: one for all layers, or one per layer. With one, numbers
    as targets (a table whose target is not a class) get an identity output."""
    l2: float = 0.0
    """Adds (l2 / 2) times the sum of all squared parameters to the loss."""
    rule: str = "sgd"
    """The update rule: sgd, momentum, nesterov, adam or rmsprop."""
    step_size: float | None = None
    """Factor on the gradient in p' = p - step_size dE/dp."""
    steps: int | None = None
    """At most this many full-batch updates (without --batch-size)."""
    batch_size: int | None = None
    """Cases a step, 0 for all of them at once."""
    epochs: int | None = None
    """Times through all cases (with --batch-size)."""
    test_share: float = 0.2
    """Share of the cases kept for testing, where the data has no test set of its own."""
    seed: int = 0
    """Draws the test cases, the initial weights and the order of the cases."""


@dataclass(frozen=True)
class Where(Checked):
    """Which processes compute the chunks of a study, and whether what they found is gathered; no
    number depends on it.
    """

    engine: Literal["local", "dask"] = "local"
    """local: this process; dask: processes of dask.distributed (extra cluster)."""
    scheduler: str | None = None
    """With --engine dask: a scheduler that is there, tcp://host:port; else processes are started
    here."""
    workers: int | None = None
    """With --engine dask, without --scheduler: how many processes; default one per core."""
    shard: str | None = None
    """i/n: only the chunks i, i + n, ... (i from 0), for job arrays."""
    distributed: bool = False
    """One of many processes that start together, on many hosts (jax.distributed): Slurm, Kubernetes
    and TPU pods are detected, elsewhere the next three say it."""
    coordinator: str | None = None
    """With --distributed: host:port of process 0."""
    processes: int | None = None
    """With --distributed: how many there are."""
    process: int | None = None
    """With --distributed: which one this is, from 0."""
    report: bool = True
    """Gather what was found, and draw it. With --no-report only the store is made; the same command
    without it goes on from there."""


@dataclass(frozen=True)
class Study(Where, Problem):
    """From which initial weights does training find what?"""

    schemes: tuple[str, ...] = ("normal", "uniform", "glorot_normal", "nielsen")
    """Distributions of the initial weights: normal, uniform, sphere, nielsen, orthogonal,
    glorot_uniform, he_uniform, lecun_uniform; normal as PyTorch's xavier_normal, kaiming_normal;
    cut at two standard deviations as Keras's glorot_normal, he_normal, lecun_normal."""
    scales: tuple[float, ...] = (0.1, 0.3, 1.0, 2.0, 5.0, 10.0)
    """Factors on the initial weights."""
    members: int | None = None
    """Networks for each scheme and scale, each from its own initial weights."""
    level: float | None = None
    """A network has found a good place if its final loss on the training cases is at most this."""
    gradient: float = 1e-6
    """Full-batch training stops where the gradient's norm is below this."""
    record_every: int | None = None
    """Steps (or epochs, with --batch-size) between two records of the loss; default about 60
    records in all. Full-batch training may stop only there."""
    chunk: int | None = None
    """Networks trained between two writes to the store; default a tenth of the members, from 200 to
    16384."""
    out: Path | None = None
    """Folder of the store; default results/study-DATA."""


@dataclass(frozen=True)
class Census(Where, Problem):
    """All stationary points of a small network: minima, saddles, what is flat, what lies at
    infinity; counted modulo symmetry.

    Every fourth search polishes the end of a training run, the others look for saddles.
    """

    starts: int = 8000
    """Searches, each from its own initial weights."""
    scheme: str = "normal"
    """Distribution of the initial weights."""
    scales: tuple[float, ...] = (0.3, 1.0, 3.0)
    """Factors on the initial weights, in turn."""
    output_biases: bool = True
    """Whether the last layer has biases."""
    sampled: bool = False
    """Only what training and descent find, for networks too large for all stationary points."""
    search_steps: int = 200
    """At most this many steps of each search."""
    tree: bool = True
    """Look for the saddles between the minima, and draw the disconnectivity graph."""
    chunk: int | None = None
    """Searches between two writes to the store, part of the result; default 2000."""
    out: Path | None = None
    """Folder of the store; default results/census-DATA."""


@dataclass(frozen=True)
class Train(Problem):
    """Train one network: learning curve and confusion table."""

    scheme: str = "glorot_normal"
    """Distribution of the initial weights."""
    scale: float = 1.0
    """Factor on the initial weights."""
    out: Path | None = None
    """Folder of the figure; default results/train-DATA."""


@dataclass(frozen=True)
class Check(Problem):
    """Compute the gradient four ways, in float64, and compare."""

    scheme: str = "glorot_normal"
    """Distribution of the initial weights."""
    scale: float = 1.0
    """Factor on the initial weights."""


@dataclass(frozen=True)
class OfStore(Checked):
    """Networks of a store that `jaxnn study` made."""

    store: Path
    """The folder of the store, such as results/study-iris."""
    scheme: str | None = None
    """Only networks whose initial weights were drawn by this scheme."""
    scale: float | None = None
    """Only networks whose initial weights were drawn at this scale."""
    member: tuple[int, ...] = ()
    """Their numbers within a scheme and scale, from 0."""
    best: bool = False
    """Those with the lowest final loss; so it is where no --member is given."""
    at: Literal["final", "initial"] = "final"
    """Where training left the network, or its initial weights."""
    data: Path | None = None
    """The table of the study, if it is not in this folder; it is read as the study read it."""
    data_dir: Path | None = None
    """The folder with the four IDX files of the study."""
    seed: int = 0
    """Draws directions and starting vectors."""
    out: Path | None = None
    """Folder of the figures; default STORE/figures."""


@dataclass(frozen=True)
class Slice(OfStore):
    """Draw the landscape around a network: a plane, many lines, and whether they show what is
    there.
    """

    along: Literal["filter", "layer", "weight", "unit", "eigenvectors", "start", "run"] = "filter"
    """Random directions, each unit's (filter), layer's or weight's part as long as the network's,
    or of length 1 (unit); the two eigenvectors of largest curvature; towards the initial weights
    and across; or the principal plane of its training run, with the run on it (full batches)."""
    value: Literal["loss", "gradient_norm", "accuracy"] = "loss"
    """What is drawn."""
    points: int = 51
    """Points along each side of the plane."""
    lines: int = 50
    """Random lines in the band."""
    reach: float | None = None
    """How far to go each way, in multiples of a direction; default 1, halved until the points show
    the loss at the centre; eigenvectors: where curvature has doubled it; run: beyond its end."""


@dataclass(frozen=True)
class Spectrum(OfStore):
    """The Hessian's eigenvalues at a network, with bounds; in float64 where it is small."""

    k: int = 10
    """How many of the largest size are printed."""
    starts: int = 10
    """Random starts of the density, for networks too large for all eigenvalues."""


@dataclass(frozen=True)
class Between(OfStore):
    """The barriers between two networks: straight, after alignment, and along a trained curve."""

    points: int = 51
    """Points along each path."""
    steps: int = 1000
    """Updates of the trained curve."""


@dataclass(frozen=True)
class Align(OfStore):
    """How far two networks are apart modulo the symmetries of their loss, and which hidden units
    of one are which of the other.
    """

    points: int = 51
    """Points on the line between them."""


_SMALL = {
    "step_size": 1.0,
    "steps": 3000,
    "batch_size": 0,
    "epochs": 0,
    "members": 200,
}
_BY_BATCH = {**_SMALL, "steps": 0, "batch_size": 10}

DEFAULTS: dict[str, dict[str, Any]] = {
    "xor": {**_SMALL, "hidden": (2,), "step_size": 4.0, "steps": 10_000, "level": 0.05},
    "xor_signed": {**_SMALL, "hidden": (2,), "step_size": 0.2, "steps": 20_000, "level": 0.2},
    "boolean_or": {**_SMALL, "hidden": (2,), "step_size": 4.0, "steps": 5000, "level": 0.05},
    "parity3": {**_SMALL, "hidden": (4,), "step_size": 4.0, "steps": 10_000, "level": 0.05},
    "parity4": {**_SMALL, "hidden": (8,), "step_size": 4.0, "steps": 10_000, "level": 0.05},
    "iris": {**_SMALL, "hidden": (8,), "level": 0.05},
    "wine": {**_SMALL, "hidden": (8,), "level": 0.02},
    "breast_cancer": {**_SMALL, "hidden": (8,), "steps": 2000, "level": 0.04, "members": 100},
    "digits": {
        **_BY_BATCH, "hidden": (32,), "epochs": 30, "level": 0.05, "members": 20,
    },
    **{
        name: {**_BY_BATCH, "hidden": (30,), "epochs": 3, "level": 0.15, "members": 4}
        for name in IMAGES
    },
}  # fmt: skip
"""Per data set, what leaves the whole study within minutes on two cores; a table takes CSV's."""
CSV = {**_SMALL, "hidden": (8,), "step_size": 0.5, "members": 50, "level": 0.1}

P = TypeVar("P", bound=Problem)


def resolved(settings: P) -> P:
    """The settings with every None that has a default for this data set filled in."""
    defaults = dict(DEFAULTS.get(settings.data, CSV))
    if by_batches(settings):
        defaults.update(steps=0, batch_size=defaults["batch_size"] or 10)
        defaults.update(epochs=defaults["epochs"] or 30)
    else:
        defaults.update(batch_size=0, epochs=0, steps=defaults["steps"] or 1000)
    names = {field.name for field in fields(settings)}
    missing = {
        name: value
        for name, value in defaults.items()
        if name in names and getattr(settings, name) is None
    }
    full = replace(settings, **missing)
    if isinstance(full, Study) and full.chunk is None:
        share = -(-(full.members or 1) // 10)
        return replace(full, chunk=min(max(share, 200), 16_384))
    if isinstance(full, Census) and full.chunk is None:
        return replace(full, chunk=2000)
    return full


def by_batches(settings: Problem) -> bool:
    """Whether training goes by mini-batches: as asked, else as the data set's defaults say."""
    if settings.batch_size is not None:
        return settings.batch_size > 0
    if settings.epochs or settings.steps:
        return bool(settings.epochs)
    return DEFAULTS.get(settings.data, CSV)["batch_size"] > 0


def as_json(settings: Problem) -> dict[str, Any]:
    """The settings that decide the results, as JSON holds them: all but where files lie, who
    computes, and what is drawn of them.
    """
    apart = {"out", "data_dir", "tree", "zoom", "against", "widths"}
    apart |= {field.name for field in fields(Where)}
    named = {n: value for n, value in asdict(settings).items() if n not in apart}
    named["data"] = Path(settings.data).name
    return {n: list(value) if isinstance(value, tuple) else value for n, value in named.items()}
