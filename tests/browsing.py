"""What a browser makes of a page: how wide it is in windows of several widths, and what it complains of."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
SECONDS = 120

_MEASURE = """<script>addEventListener("load", () => parent.postMessage(
  [document.documentElement.clientWidth, document.documentElement.scrollWidth], "*"))</script></body>"""
_FRAMES = """<!DOCTYPE html><meta charset="utf-8"><title>windows</title><body><script>
addEventListener("message", (told) => { document.body.append("seen:" + told.data.join(",") + ";") })
</script>FRAMES</body>"""


@dataclass(frozen=True)
class Seen:
    """Widths of windows and of what they show, in pixels, and the lines of the console."""

    widths: dict[int, int]
    console: list[str]


def seen(html: str, folder: Path, windows: tuple[int, ...]) -> Seen:
    """The page in windows so many pixels wide.

    Each is a frame, since a browser's own window is never as narrow as a telephone.
    """
    assert html.count("</body>") == 1
    (folder / "shown.html").write_text(html.replace("</body>", _MEASURE), encoding="utf-8")
    frames = "".join(
        f'<iframe src="shown.html" width="{width}" height="800" style="border:0"></iframe>' for width in windows
    )
    (folder / "frames.html").write_text(_FRAMES.replace("FRAMES", frames), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1600,900"]
    quiet = ["--enable-logging=stderr", "--virtual-time-budget=5000", f"--user-data-dir={folder / 'profile'}"]
    address = (folder / "frames.html").as_uri()
    ran = subprocess.run(
        [str(CHROMIUM), *options, *quiet, "--dump-dom", address],
        capture_output=True, text=True, timeout=SECONDS, check=True,
    )  # fmt: skip
    pairs = re.findall(r"seen:(\d+),(\d+);", ran.stdout)
    assert len(pairs) == len(windows), ran.stdout[-2000:] + ran.stderr[-2000:]
    widths = {int(window): int(page) for window, page in pairs}
    return Seen(widths, [line for line in ran.stderr.splitlines() if "CONSOLE" in line])
