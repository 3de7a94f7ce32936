"""The reverse sweep by hand against jax.grad, both compiled, on one core.

Run: python tests/benchmarks/bench_backpropagation.py
"""

import timing

timing.on_one_core()

import jax

import jaxnn

REPEATS = 31
NETS = (
    ((784, 30, 10), 10, 1),
    ((784, 30, 10), 8000, 1),
    ((784, 100, 10), 512, 1),
    ((64, 32, 10), 1437, 1),
    ((64, 32, 32, 32, 10), 1437, 1),
    ((4, 8, 3), 120, 1),
    ((4, 8, 3), 120, 200),
    ((2, 2, 1), 4, 10_000),
)


def main():
    """Print and write seconds per gradient, of one network or of an ensemble under vmap."""
    rows = {}
    for sizes, cases, members in NETS:
        keys = jax.random.split(jax.random.key(0), 3)
        batch = jaxnn.Batch(
            jax.random.normal(keys[0], (cases, sizes[0])),
            jax.random.uniform(keys[1], (cases, sizes[-1])),
        )
        draw = jax.vmap(lambda key, sizes=sizes: jaxnn.init(key, sizes))
        params = draw(jax.random.split(keys[2], members))
        calls = {}
        for name, way in (("by hand", jaxnn.backprop), ("jax.grad", jax.grad(jaxnn.loss))):
            if members == 1:
                one, compiled = jax.tree.map(lambda leaf: leaf[0], params), jax.jit(way)
            else:
                one, compiled = params, jax.jit(jax.vmap(way, in_axes=(0, None)))
            repeat = max(1, int(2e5 // (cases * members * sum(sizes))))

            def call(compiled=compiled, one=one, batch=batch, repeat=repeat):
                for _ in range(repeat):
                    done = compiled(one, batch)
                jax.block_until_ready(done)

            calls[name] = call
        title = f"{'-'.join(map(str, sizes))}, {cases} cases, {members} network(s)"
        rows[title] = timing.in_turn(calls, repeats=REPEATS)
    timing.report("bench_backpropagation", rows, nets=[list(map(str, net)) for net in NETS])


if __name__ == "__main__":
    main()
