"""Sleepstudy three ways: ML, REML and NUTS side by side, and a shrinkage plot. Run by `make quickstart`."""

from __future__ import annotations

from pathlib import Path

import bayesmixed as bm


def main() -> None:
    """Fit, compare, draw."""
    sleep = bm.load_data("sleepstudy")
    model = bm.Model("Reaction ~ Days + (Days | Subject)", sleep)
    print(model, end="\n\n")

    ml = model.fit("ml")
    reml = model.fit("reml")
    post = model.fit("nuts", seed=1)
    print(reml.summary(), end="\n\n")
    print(post.summary(), end="\n\n")
    print(bm.side_by_side(ml, reml, post), end="\n\n")

    picture = Path("shrinkage.png")
    bm.plot.shrinkage(post).savefig(picture, dpi=150, bbox_inches="tight")
    print(f"Wrote {picture.resolve()}")


if __name__ == "__main__":
    main()
