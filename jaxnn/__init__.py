"""jaxnn: from initial weights to what training finds there.

The short names are loaded when they are first used, so that `import jaxnn` and the command line
start without jax.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxnn import backpropagation as backpropagation
    from jaxnn import data as data
    from jaxnn import descent as descent
    from jaxnn import devices as devices
    from jaxnn import ensembles as ensembles
    from jaxnn import exchange as exchange
    from jaxnn import landscape as landscape
    from jaxnn import losses as losses
    from jaxnn import network as network
    from jaxnn import plots as plots
    from jaxnn import results as results
    from jaxnn import stopping as stopping
    from jaxnn import training as training
    from jaxnn import vocabulary as vocabulary
    from jaxnn.backpropagation import backprop as backprop
    from jaxnn.backpropagation import check_gradients as check_gradients
    from jaxnn.backpropagation import gradient_by_cases as gradient_by_cases
    from jaxnn.backpropagation import output_jacobian as output_jacobian
    from jaxnn.descent import sgd as sgd
    from jaxnn.losses import accuracy as accuracy
    from jaxnn.losses import loss as loss
    from jaxnn.losses import loss_on as loss_on
    from jaxnn.losses import sum_of_squares as sum_of_squares
    from jaxnn.network import forward as forward
    from jaxnn.network import init as init
    from jaxnn.network import node as node
    from jaxnn.stopping import Outcome as Outcome
    from jaxnn.training import train as train
    from jaxnn.training import train_minibatch as train_minibatch
    from jaxnn.training import train_until as train_until
    from jaxnn.vocabulary import Batch as Batch
    from jaxnn.vocabulary import Layer as Layer
    from jaxnn.vocabulary import Params as Params

__version__ = "0.1.0"

_HOME = {
    "backpropagation": ["backprop", "check_gradients", "gradient_by_cases", "output_jacobian"],
    "data": [],
    "descent": ["sgd"],
    "devices": [],
    "ensembles": [],
    "exchange": [],
    "landscape": [],
    "losses": ["accuracy", "loss", "loss_on", "sum_of_squares"],
    "network": ["forward", "init", "node"],
    "plots": [],
    "results": [],
    "stopping": ["Outcome"],
    "training": ["train", "train_minibatch", "train_until"],
    "vocabulary": ["Batch", "Layer", "Params"],
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a module, or a short name from its module, when it is first asked for (PEP 562)."""
    if name in _HOME:
        return importlib.import_module(f"jaxnn.{name}")
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"jaxnn.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'jaxnn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*_HOME, *_MODULE_OF, "__version__"])
