"""The ten eigenvalues of largest size, and the whole Hessian, of 64-32-10 on 1437 digits (2410
parameters): jaxnn against PyHessian, curvlinops with scipy's eigsh, and PyTorch.

Run: python tests/benchmarks/bench_spectra.py
"""

from typing import Any

import digits_network
import jax
import jax.numpy as jnp
import numpy as np
import timing

from jaxnn.landscape import curvature, spectra

K, TURNS = 10, 5


def in_pyhessian(model, x, d, error, found):
    try:
        from pyhessian import hessian  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None

    def call():
        product = hessian(model, error, data=(x, d), cuda=False)
        found["PyHessian"] = np.array(product.eigenvalues(top_n=K)[0])

    return call


def in_curvlinops(model, x, d, _, found):
    try:
        import curvlinops  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    import scipy.sparse.linalg
    import torch  # pyright: ignore[reportMissingImports]

    def call():
        params = list(model.parameters())
        # its reduction "mean" is over outputs too: (n / cases) = 10 times smaller
        H = curvlinops.HessianLinearOperator(
            model, torch.nn.MSELoss(), params, [(x, d)], check_deterministic=False
        )
        found["curvlinops"] = (
            scipy.sparse.linalg.eigsh(H.to_scipy(), k=K, which="LM", return_eigenvectors=False)
            * d.shape[1]
        )

    return call


def in_torch(model, x, d, error):
    """The whole Hessian, by torch.autograd.functional.hessian."""
    import torch  # pyright: ignore[reportMissingImports]

    names, leaves = zip(*model.named_parameters(), strict=True)
    flat = torch.cat([leaf.detach().ravel() for leaf in leaves])
    sizes = [leaf.numel() for leaf in leaves]

    def loss(v):
        parts = torch.split(v, sizes)
        params = {n: p.view_as(leaf) for n, p, leaf in zip(names, parts, leaves, strict=True)}
        return error(torch.func.functional_call(model, params, (x,)), d)

    def call():
        torch.autograd.functional.hessian(loss, flat)

    return call


def main():
    """Print and write seconds, and how far each one's eigenvalues are from the dense float64
    ones.
    """
    loss_fn, point = digits_network.in_jax()
    found = {}
    extreme = jax.jit(lambda f, p, key: spectra.extreme(f, p, key, k=K))
    whole = jax.jit(curvature.hessian)
    key = jax.random.key(0)

    def ours():
        found["jaxnn"] = jax.block_until_ready(extreme(loss_fn, point, key.copy()).eigenvalues)

    top: dict[str, Any] = {"jaxnn": ours}

    def ours_dense():
        jax.block_until_ready(whole(loss_fn, point))

    dense = {"jaxnn": ours_dense}
    peers = digits_network.in_torch(loss_fn, point)
    if peers is not None:
        top["PyHessian"] = in_pyhessian(*peers, found)
        top["curvlinops, eigsh"] = in_curvlinops(*peers, found)
        dense["PyTorch"] = in_torch(*peers)
    rows = {
        f"{K} eigenvalues of 2410": timing.in_turn(
            {n: c for n, c in top.items() if c}, repeats=TURNS
        ),
        "the whole Hessian, float32": timing.in_turn(dense, repeats=3),
    }
    with jax.enable_x64(True):
        exact = jax.tree.map(
            lambda leaf: jnp.asarray(np.asarray(leaf), jnp.float64), (loss_fn, point)
        )
        values = np.asarray(jax.jit(curvature.eigenvalues)(*exact))
    truth = values[np.argsort(-np.abs(values))][:K]
    print("eigenvalues, from those of the dense float64 Hessian, relatively to each:")
    for name, mine in found.items():
        mine = np.asarray(mine)
        mine = mine[np.argsort(-np.abs(mine))]
        print(f"  {name:12} at most {np.max(np.abs(mine / truth - 1)):.1e}")
    timing.report("bench_spectra", rows, k=K)


if __name__ == "__main__":
    main()
