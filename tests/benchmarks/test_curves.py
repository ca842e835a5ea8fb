from __future__ import annotations

import re

from benchmarks.selection.curves import picture


def test_each_pool_has_a_panel_with_a_line_of_each_strategy_and_the_levels_to_reach() -> None:
    rising = [[[100, 0.5], [200, 0.7]], [[100, 0.6], [200, 0.8]]]
    pools = {
        name: {"targets": {"1000": 0.6, "1500": 0.7}, "curves": {"random": rising, "ours": rising}}
        for name in ("a", "b<")
    }
    svg = picture(pools, ["random", "ours"])
    assert svg.count("<polyline") == svg.count("<polygon") == 4
    assert svg.count('class="dash"') == 4
    assert "b&lt;: accuracy" in svg
    first = re.search(r'<polyline points="([^"]+)"', svg)
    levels = [float(y) for y in re.findall(r'y1="([\d.]+)" y2="[\d.]+" class="dash"', svg)]
    assert first is not None
    ends = [float(pair.split(",")[1]) for pair in first[1].split()]
    assert ends[0] > levels[0] > levels[1] > ends[1]
    assert abs((levels[0] - levels[1]) - (ends[0] - ends[1]) / 2) < 0.2, "0.1 is half of the rise from .55 to .75"
    assert "mean of 2 seeds" in svg
