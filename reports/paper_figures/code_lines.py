"""Lines of code of each adjoint, and of the linear solver that it needs besides."""

from __future__ import annotations

from matplotlib.figure import Figure

from reports.claims.select import groups, having, rows
from reports.draw import FAINT, Drawing, render, style
from reports.labels import label, order, place
from reports.numbers import clip, number
from reports.paper_figures.axes import WIDTH
from reports.papers import Papers

OWN, SOLVER = "#4c72b0", "#b8c4dd"
MOST_ROWS, MOST_PANELS = 16, 4
NAME = "papers-code-lines"


def code_lines(papers: Papers) -> Drawing | None:
    """A panel a framework, a bar an adjoint."""
    records = having(having(papers.records("code_lines"), "code_lines"), "solver_lines")
    panels = [(who.get("framework", ""), some) for who, some in groups(records, "framework")]
    panels = sorted(panels, key=lambda one: place(one[0]))[:MOST_PANELS]
    if not panels:
        return None
    bars = {
        framework: sorted({_bar(row) for row in rows(some)}, key=lambda bar: order(bar[0]))[:MOST_ROWS]
        for framework, some in panels
    }
    most = max(map(len, bars.values()))
    with style(NAME):
        figure = Figure(figsize=(WIDTH, 0.3 * most + 1.0), layout="constrained")
        grid = figure.subplots(1, len(bars), squeeze=False, sharex=True)[0]
        for axes, (framework, ours) in zip(grid, bars.items(), strict=True):
            names = [clip(name, 34) for name, _, _ in ours]
            own, solver = [first for _, first, _ in ours], [second for _, _, second in ours]
            axes.barh(range(len(ours)), own, color=OWN, height=0.62, label="the adjoint’s file")
            axes.barh(range(len(ours)), solver, left=own, color=SOLVER, height=0.62, label="its linear solver")
            for place_, (first, second) in enumerate(zip(own, solver, strict=True)):
                axes.text(first + second, place_, f" {first + second:g}", va="center", fontsize=7.5, color=FAINT)
            axes.set_yticks(range(len(ours)), names)
            axes.set_ylim(len(ours) - 0.4, -0.6)
            axes.tick_params(axis="y", length=0)
            axes.margins(x=0.1)
            axes.spines[["top", "right", "left"]].set_visible(False)
            axes.set_title(clip(framework, 30))
            axes.set_xlabel("lines of code")
        handles, texts = grid[0].get_legend_handles_labels()
        figure.legend(handles, texts, loc="outside upper left", ncols=2)
        told = (
            f"{framework}, {name}: {own + solver:g}" for framework, ours in bars.items() for name, own, solver in ours
        )
        svg = render(figure, NAME, "Lines of code by adjoint. " + "; ".join(told))
    caption = (
        "Without docstrings, comments, blank lines and imports. The linear solver counts with all that it reaches "
        "inside the package and JFB does not."
    )
    wanted = ("framework", "method", "linear_solver", "file", "code_lines", "solver_lines", "total_lines")
    data = records[[name for name in wanted if name in records.columns]]
    return Drawing(NAME, "Lines of code by adjoint", svg, caption, data)


def _bar(row: dict[str, object]) -> tuple[str, float, float]:
    """Name, lines of the adjoint, lines of its solver."""
    solver = row.get("linear_solver")
    name = label(str(row.get("method")), {"linear_solver": solver} if solver else {})
    return name, number(row["code_lines"]), number(row["solver_lines"])
