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


def strip(n, width, angle=0.0, every=None):
    """One straight strip so many pixels wide at this angle to the rows, or one every so many."""
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    across = -np.sin(angle) * x + np.cos(angle) * y + 0.123
    across = across if every is None else np.mod(across, every)
    return ((across > 0) & (across < width)).astype(int)


def board(n, side):
    """A checkerboard of squares so many pixels wide."""
    y, x = np.indices((n, n))
    return (y // side + x // side) % 2


def carpet(n):
    """The holes of Sierpinski's carpet by the parity of their level: log 8 / log 3 = 1.8928."""
    at = np.array(np.meshgrid(*[(np.arange(n) + 0.5) / n] * 2, indexing="ij"))
    label = np.full((n, n), -1)
    for level in range(40):
        digits = np.floor(3 * at)
        label = np.where((label < 0) & np.all(digits == 1, axis=0), level % 2, label)
        at = 3 * at - digits
    return np.maximum(label, 0)


def surface(n, hurst, seed):
    """Above and below the median of a fractional Brownian surface: dimension 2 - hurst.

    At the pixels of a surface that goes on below them: its spectrum k^-(2 hurst + 2) with what is
    folded back from beyond the pixels' own; a quarter of the period is cut out.
    """
    rng, far = np.random.default_rng(seed), 4
    u, v = np.fft.fftfreq(2 * n)[:, None], np.fft.rfftfreq(2 * n)[None, :]
    power = np.pi * (far + 0.5) ** (-2 * hurst) / hurst + np.zeros((2 * n, n + 1))
    for i in range(-far, far + 1):
        for j in range(-far, far + 1):
            square = (u + i) ** 2 + (v + j) ** 2
            power += np.where(square > 0, square, np.inf) ** -(hurst + 1)
    power[0, 0] = 0
    draws = rng.normal(size=power.shape) + 1j * rng.normal(size=power.shape)
    height = np.fft.irfft2(np.sqrt(power) * draws, s=(2 * n, 2 * n))[:n, :n]
    return (height > np.median(height)).astype(int)


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


def below(heights):
    """Under and over a graph that is known at the columns, in pixels from the first row."""
    n = len(heights)
    return (np.arange(n)[:, None] < np.asarray(heights)[None, :]).astype(int)


def brownian(n, seed, swing=0.25):
    """Under and over a Brownian path whose ends differ by a standard deviation of `swing` of the
    side: dimension 1.5.
    """
    steps = np.random.default_rng(seed).normal(size=n) * swing * n**0.5
    path = np.cumsum(steps)
    return below(path - np.median(path) + n / 2)


def weierstrass(n, dimension, seed, base=2.0, swing=0.25):
    """Under and over sum_k base^-(2 - dimension) k cos(2 pi base^k x + phase), phases drawn, whose
    standard deviation is `swing` of the side.
    """
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, size=60)
    x, path = np.arange(n) * 0.618 / n, np.zeros(n)  # no power of the base is in step with pixels
    for k in range(int(48 / np.log2(base))):  # until the cosines' arguments lose their digits
        path += base ** ((dimension - 2) * k) * np.cos(2 * np.pi * base**k * x + phases[k])
    return below((path - np.mean(path)) / np.std(path) * swing * n + n / 2)


def wavy(n, waves, height, seed=0):
    """Under and over a smooth curve of so many waves, `height` pixels high, on a slant: 1."""
    tilt, phase = np.random.default_rng(seed).uniform(size=2)
    x = np.arange(n)
    return below(
        n / 2 + 0.3 * (tilt - 0.5) * x + height * np.sin(2 * np.pi * (waves * x / n + phase))
    )


def circles(n, count, seed=0, window=(0.0, 0.0, 1.0)):
    """How many of so many circles hold each pixel, even or odd, in the window (left, low, width) of
    the unit square: smooth borders at any density, 1.
    """
    rng = np.random.default_rng(seed)
    places, radii = rng.uniform(size=(count, 2)), rng.uniform(0.02, 0.3, size=count)
    y, x = (window[1 - k] + window[2] * part for k, part in enumerate(grid(n)))
    held = np.zeros((n, n), int)
    for (a, b), radius in zip(places, radii, strict=True):
        held += (x - a) ** 2 + (y - b) ** 2 < radius**2
    return held % 2


def cantor_stripes(level):
    """Straight stripes over Cantor's set at this level, in step with 3^level pixels:
    1 + log 2 / log 3 = 1.6309.
    """
    at = np.arange(3**level)
    inside = np.all([at // 3**k % 3 != 1 for k in range(level)], axis=0)
    return np.broadcast_to(inside.astype(int), (len(at), len(at))).copy()


def strewn(n, count, seed=0):
    """So many pixels of another label, at random places."""
    made = np.zeros((n, n), int)
    made.ravel()[np.random.default_rng(seed).choice(made.size, count, replace=False)] = 1
    return made


@functools.cache
def grebogi(n):
    """Which of its two fixed points Grebogi, McDonald, Ott & Yorke's map of 1983 leads each pixel
    to, over [0, 2 pi] x [-1/2, 1/2]: exponent 0.2 to 0.3 over 3 to 15 of 300 pixels.
    """
    angle, x = np.meshgrid(np.linspace(0, 2 * np.pi, n), np.linspace(-0.5, 0.5, n), indexing="ij")
    for _ in range(100):
        turned = angle + 1.32 * np.sin(2 * angle) - 0.9 * np.sin(4 * angle) - x * np.sin(angle)
        angle, x = np.mod(turned, 2 * np.pi), -0.3 * np.cos(angle)
    return (np.cos(angle) > 0).astype(int)
