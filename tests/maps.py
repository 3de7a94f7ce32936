"""Label maps whose borders are known: what numbers about basins are held against."""

import functools

import numpy as np


def grid(n):
    """The rows y and columns x of n by n pixels over the unit square, corners included."""
    at = np.linspace(0.0, 1.0, n)
    return at[:, None], at[None, :]


def straight(n, angle=0.0, offset=0.0):
    """Two labels on the sides of a line at this angle to the rows, `offset` off the middle."""
    y, x = grid(n)
    across = -np.sin(angle) * (x - 0.5) + np.cos(angle) * (y - 0.5)
    return (across > offset + 1e-9).astype(int)


def disc(n, radius=0.3, centre=(0.5, 0.5)):
    """A circle's inside and outside."""
    y, x = grid(n)
    return ((x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2).astype(int)


def cells(n, count, seed=0):
    """The Voronoi cells of random points, a label each: straight borders with junctions."""
    points = np.random.default_rng(seed).uniform(size=(count, 2))
    y, x = grid(n)
    squares = [(x - a) ** 2 + (y - b) ** 2 for a, b in points]
    return np.argmin(np.stack(squares), axis=0)


def noise(n, labels=2, seed=0, axes=2):
    """Every pixel a label of its own: dimension `axes`."""
    return np.random.default_rng(seed).integers(labels, size=(n,) * axes)


def stripes(n, labels=3):
    """Straight bands beside each other."""
    return np.broadcast_to(np.arange(n) * labels // n, (n, n)).copy()


@functools.cache
def newton(n, centre=0.0, width=3.0):
    """The root of z^3 = 1 that Newton's method finds from each pixel; -1 where it finds none."""
    y, x = grid(n)
    z = centre + width * ((x - 0.5) + 1j * (y - 0.5) + 1e-9 * (1 + 1j))
    for _ in range(120):
        z = z - (z**3 - 1) / (3 * z**2)
    gaps = np.abs(z[..., None] - np.exp(2j * np.pi * np.arange(3) / 3))
    return np.where(gaps.min(axis=-1) < 1e-6, gaps.argmin(axis=-1), -1)


def koch_curve(level):
    """The corners of von Koch's snowflake, (3 * 4^level + 1,) complex, on the unit circle."""
    corners = np.exp(2j * np.pi * np.array([0, 2, 1, 0]) / 3)
    for _ in range(level):
        step = np.diff(corners) / 3
        a = corners[:-1]
        new = [a, a + step, a + step * (1 + np.exp(1j * np.pi / 3)), a + 2 * step]
        corners = np.append(np.stack(new, axis=1).ravel(), corners[-1])
    return corners


@functools.cache
def koch(n, angle=0.0, shift=0.0):
    """Inside and outside of the snowflake: dimension log 4 / log 3 = 1.2619."""
    corners = koch_curve(7) * np.exp(1j * angle) * 0.42 + (0.5 + 0.5j) + shift * (1 + 1j)
    x, y = corners.real * (n - 1), corners.imag * (n - 1)
    crossings = np.zeros((n, n + 1), int)
    for x0, y0, x1, y1 in ((x[:-1], y[:-1], x[1:], y[1:]),):
        low, high = np.ceil(np.minimum(y0, y1)), np.ceil(np.maximum(y0, y1))
        for k in range(int((high - low).max())):  # the rows that each edge crosses
            which = low + k < high
            row = low[which] + k
            at = x0[which] + (row - y0[which]) * (x1 - x0)[which] / (y1 - y0)[which]
            np.add.at(crossings, (row.astype(int), np.ceil(at).astype(int)), 1)
    return np.cumsum(crossings, axis=1)[:, :n] % 2


def cantor(n, shift=0.0):
    """On a line, the gaps of Cantor's set by the parity of their level: 0.6309."""
    t = (np.arange(n) + 0.5) / n * (1 - shift) + shift / 2
    label = np.full(n, -1)
    for level in range(60):
        t = 3 * t
        digit = np.floor(t)
        label = np.where((label < 0) & (digit == 1), level % 2, label)
        t = t - digit
    return np.maximum(label, 0)
