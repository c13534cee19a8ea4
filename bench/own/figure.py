"""The comparison as a matplotlib figure."""

from __future__ import annotations

from typing import Any

from bench.own import shown


def drawn(frame: Any) -> Any:
    """R with its interval, and the gradient error on a logarithmic axis; one line a method, failures in words."""
    from matplotlib.figure import Figure

    names, places = list(frame["method"]), range(len(frame))
    with shown.look():
        figure = Figure(figsize=(8.0, 0.9 + 0.34 * max(1, len(frame))), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for place, colour, row in zip(places, shown.colours(names), frame.to_dict("records"), strict=True):
            if row["status"] != "ok":
                left.text(0.02, place, row["status"], transform=left.get_yaxis_transform(), va="center")
                continue
            left.plot([row["R_low"], row["R_high"]], [place, place], color=colour)
            left.plot(row["R"], place, "o", color=colour)
            if row["gradient_error"] > 0:
                right.plot(row["gradient_error"], place, "o", color=colour)
        left.set_yticks(list(places), names)
        left.set_ylim(len(frame) - 0.5, -0.5)  # the first method on top
        left.set_xlim(left=0)
        left.set_xlabel("R: gradient ÷ forward, with 95 % interval")
        if (frame["gradient_error"] > 0).any():
            right.set_xscale("log")
        right.set_xlabel("gradient error ‖g − g_ref‖/‖g_ref‖")
        for axes in (left, right):
            axes.grid(axis="x")
    return figure
