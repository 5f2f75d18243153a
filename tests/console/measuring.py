"""What a page is measured by in a browser: its accessibility, its weight, and whether it jumps."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
MOST_BYTES = 150 * 1024
"""Of script and style, before charts."""

_RUN = """async () => {
  const {violations} = await axe.run({resultTypes: ["violations"]});
  return violations.filter(each => ["serious", "critical"].includes(each.impact)).map(
    each => `${each.id}: ${each.nodes.map(node => node.target.join(" ")).slice(0, 3).join(", ")}`);
}"""

_MEASURE = """() => new Promise(done => {
  let shift = 0;
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value;
  }).observe({type: "layout-shift", buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const loaded = performance.getEntriesByType("resource")
      .filter(each => /\\.(js|mjs|css)$/.test(new URL(each.name).pathname));
    const resources = Object.fromEntries(loaded.map(each => [each.name, each.decodedBodySize]));
    done({shift, paint: paint ? paint.startTime : null, resources,
          width: document.documentElement.scrollWidth});
  }));
})"""


@cache
def axe() -> str:
    """The source of axe-core; skips where the development packages of Node are not installed."""
    if not AXE.is_file():
        reason = "axe-core is not installed: python scripts/bootstrap.py --dev does it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return AXE.read_text("utf-8")


def serious_findings(page: Page) -> list[str]:
    """What axe-core finds on the page as it stands that is serious or critical."""
    page.evaluate(axe())
    found: list[str] = page.evaluate(_RUN)
    return found


def measure(page: Page) -> dict[str, Any]:
    """Layout shift, first paint (ms), bytes of script and style by address, width of the page."""
    found: dict[str, Any] = page.evaluate(_MEASURE)
    return found
