"""Functions of jax.numpy and jax.scipy in the programs that users' losses run in, against numpy and
scipy.

Run: python tests/functions_table.py NAME ...; prints where they disagree under jaxnn's XLA flags.
"""

import sys

import numpy as np
import scipy.special as sp

PLAIN = (
    "arctan", "arcsin", "arccos", "arctanh", "arcsinh", "sin", "cos", "tan", "sinh", "cosh",
    "tanh", "exp", "expm1", "exp2", "sqrt", "cbrt", "log", "log1p", "log2", "log10",
    "square", "reciprocal", "abs", "sign", "floor", "ceil", "rint", "trunc", "sinc", "i0",
    "deg2rad",
)  # fmt: skip
SPECIAL = (
    "erf", "erfc", "erfinv", "expit", "logit", "gammaln", "gamma", "digamma", "i0e", "i1",
    "i1e", "ndtr", "log_ndtr", "ndtri", "entr", "spence",
)  # fmt: skip
FUNCTIONS = {
    **{name: (f"jnp.{name}(x)", getattr(np, name)) for name in PLAIN},
    **{name: (f"special.{name}(x)", getattr(sp, name)) for name in SPECIAL},
    "arccosh": ("jnp.arccosh(1 + x)", lambda x: np.arccosh(1 + x)),
    "arctan2": ("jnp.arctan2(x, 0.7)", lambda x: np.arctan2(x, 0.7)),
    "hypot": ("jnp.hypot(x, 0.7)", lambda x: np.hypot(x, 0.7)),
    "power": ("jnp.power(x, 1.3)", lambda x: x**1.3),
    "cube": ("x**3", lambda x: x**3),
    "logaddexp": ("jnp.logaddexp(x, 0.7)", lambda x: np.logaddexp(x, 0.7)),
    "logaddexp2": ("jnp.logaddexp2(x, 0.7)", lambda x: np.logaddexp2(x, 0.7)),
    "mod": ("jnp.mod(x, 0.35)", lambda x: np.mod(x, 0.35)),
    "maximum": ("jnp.maximum(x, 0.5)", lambda x: np.maximum(x, 0.5)),
    "where": ("jnp.where(x > 0.5, x, x * x)", lambda x: np.where(x > 0.5, x, x * x)),
    "softplus": ("jax.nn.softplus(x)", lambda x: np.log1p(np.exp(x))),
    "gelu": ("jax.nn.gelu(x, approximate=False)", lambda x: x * sp.ndtr(x)),
    "silu": ("jax.nn.silu(x)", lambda x: x * sp.expit(x)),
    "rsqrt": ("jax.lax.rsqrt(x)", lambda x: x**-0.5),
    "xlogy": ("special.xlogy(x, x)", lambda x: sp.xlogy(x, x)),
    "xlog1py": ("special.xlog1py(x, x)", lambda x: sp.xlog1py(x, x)),
    "betaln": ("special.betaln(x, 1.5)", lambda x: sp.betaln(x, 1.5)),
}
"""Name -> what it is in jax, as a formula in x, and the same function by numpy or scipy."""
POINTS = np.array([0.55, 0.15, 0.9, 0.3, 0.7])


def main(names):
    """Print every function and program that gives another loss than numpy."""
    from jaxnn import devices

    devices.use_all_cores(1)
    import jax

    for name in names:
        for x64, tolerance in ((True, 1e-9), (False, 2e-5)):
            with jax.enable_x64(x64):
                check(name, tolerance)


def check(name, tolerance):
    """The function in every program: -f(x) + y^2 at y = 1."""
    import jax
    import jax.numpy as jnp
    from jax.scipy import special

    formula, own = FUNCTIONS[name]
    f = eval(f"lambda x: {formula}", {"jax": jax, "jnp": jnp, "special": special})
    points = jnp.stack([jnp.asarray(POINTS), jnp.ones(len(POINTS))], axis=1)
    wanted = 1.0 - own(np.asarray(points[:, 0], float))
    for program, give in programs(lambda q: -f(q[0]) + q[1] ** 2, f, points).items():
        found = np.asarray(give(points), float)
        if not np.allclose(found, wanted[: len(found)], rtol=tolerance, atol=tolerance):
            print(f"{name} in {program}, {points.dtype}: {found}, wanted {wanted[: len(found)]}")


def programs(loss, f, points):
    """Name -> a function from points (points, 2) to their losses, or to those of the first."""
    import jax

    import jaxnn
    from jaxnn import ensembles
    from jaxnn.landscape import minima

    def scanned(q):
        return jax.lax.scan(lambda c, _: (c, loss(c)), q, None, length=3)[1][-1]

    def looped(q):
        def step(carry):
            done, value, slope = carry
            value, slope = jax.value_and_grad(loss)(q + 0.0 * slope)
            return done + 1, value, slope

        return jax.lax.while_loop(lambda c: c[0] < 3, step, (0, loss(q), 0.0 * q))[1]

    rule = jaxnn.sgd(0.001)
    given = {
        "jit": lambda q: [jax.jit(loss)(q[0])],
        "a vector": jax.jit(lambda q: q[:, 1] ** 2 - f(q[:, 0])),
        "vmap": jax.jit(jax.vmap(loss)),
        "scan": jax.jit(jax.vmap(scanned)),
        "while": jax.jit(jax.vmap(looped)),
        "while, alone": lambda q: jax.jit(jax.vmap(looped))(q[:1]),
        "ensembles.train": lambda q: ensembles.train(loss, q, rule, steps=2).losses[:, 0],
    }
    if points.dtype == "float64":  # which searches work in
        given["polish_all"] = lambda q: minima.polish_all(loss, q).initial_loss
    return given


if __name__ == "__main__":
    main(sys.argv[1:])
