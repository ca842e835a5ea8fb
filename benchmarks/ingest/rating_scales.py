"""Measure how often the scale of made-up ratings is found, refused, or taken for another one.

    python -m benchmarks.ingest.rating_scales

Ratings are drawn from scales and shapes as products have them (many best ones, only good ones, two extremes, evenly). The baseline
takes 1 for a thumb up and 0 or -1 for a thumb down, and the greatest rating seen for the best one.
"""

from __future__ import annotations

from collections import Counter
from random import Random

from curator.readers.scales import DISLIKED, LIKED, Scale, find_scale

POINTS: dict[str, list[float]] = {
    "0 and 1": [0, 1],
    "-1 to 1": [-1, 0, 1],
    "1 to 3": [1, 2, 3],
    "1 to 5": [1, 2, 3, 4, 5],
    "half stars": [n / 2 for n in range(1, 11)],
    "0 to 10": list(range(11)),
    "1 to 7": list(range(1, 8)),
    "0 to 100": list(range(0, 101, 5)),
}
SHAPES = ("even", "best", "good only", "extremes", "bad")
SIZES = (3, 10, 30, 300)
DRAWS = 200


def drawn(points: list[float], shape: str, size: int, random: Random) -> list[float]:
    """Ratings of one shape."""
    top, middle = len(points) - 1, len(points) / 2
    weights = {
        "even": [1.0 for _ in points],
        "best": [8.0 if i == top else 1.0 for i in range(top + 1)],
        "good only": [1.0 if i >= middle else 0.0 for i in range(top + 1)],
        "extremes": [1.0 if i in (0, top) else 0.05 for i in range(top + 1)],
        "bad": [8.0 if i == 0 else 1.0 for i in range(top + 1)],
    }[shape]
    return random.choices(points, weights, k=size)


def thumb(scale: Scale, value: float) -> str:
    """The thumb that a rating means on a scale."""
    rating = scale.rating(value)
    if rating is None:
        return "?"
    return "up" if rating >= LIKED else "down" if rating <= DISLIKED else "-"


def baseline(values: list[float], value: float) -> str:
    """The thumb without a scale."""
    if value in (1, 0, -1):
        return "up" if value == 1 else "down"
    share = value / max(values)
    return "up" if share >= LIKED else "down" if share <= DISLIKED else "-"


def main() -> None:
    """Print, per scale, the shares of ratings whose thumb is right, refused, and wrong way round."""
    print("| scale | ratings | right | refused | up for down or down for up | the same, without a scale |")
    print("|---|---|---|---|---|---|")
    for name, points in POINTS.items():
        true = Scale(min(points) if points[0] != 0.5 else 0.0, max(points))
        for size in SIZES:
            random, counts = Random(size), Counter[str]()
            for shape in SHAPES:
                for _ in range(DRAWS):
                    values = drawn(points, shape, size, random)
                    scale = find_scale(values)
                    for value in values:
                        right, plain = thumb(true, value), baseline(values, value)
                        read = thumb(scale, value) if scale else "refused"
                        counts["all"] += 1
                        counts["refused"] += scale is None
                        counts["right"] += read == right
                        counts["reversed"] += {read, right} == {"up", "down"}
                        counts["plain"] += {plain, right} == {"up", "down"}
            shares = (f"{counts[key] / counts['all']:.1%}" for key in ("right", "refused", "reversed", "plain"))
            print(f"| {name} | {size} | {' | '.join(shares)} |")


if __name__ == "__main__":
    main()
