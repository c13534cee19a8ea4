"""Claims of Baydin, Pearlmutter, Syme, Wood and Torr, Gradients without Backpropagation (arXiv:2202.08587), 2022."""

from __future__ import annotations

from functools import partial

from reports.claims.claim import Claim
from reports.claims.queries import depth, functions, models, training
from reports.claims.rules import above, at_most, below, between, near

DOCUMENT = "Baydin et al. 2022"

FORWARD, REVERSE = 2.46, 4.17
"""R_f and R_b of the MLP in the text: the means of figure 4's two rows, 2.329 and 2.607, 3.971 and 4.359."""

SPREAD = 1.12
"""Those rows are one program at two learning rates, and their R_f differ by 12 %."""

SAME_MEMORY = 1.05
"""Published: under 0.1 %. For a difference of 5 % nobody would choose a method."""

AT_THE_MINIMUM = 10.0
"""Times the value at the end of the figure's curve, read by eye off a logarithmic axis."""

BEALE, ROSENBROCK = 5e-5, 5e-6
"""Those values."""

ALGORITHM = {"tangents": "sampled tangents"}
"""Algorithm 1 samples a tangent for every gradient: where forward gradient has cases with and without, these decide."""

CLAIMS = (
    Claim(
        "baydin-faster",
        DOCUMENT,
        "figures 3 to 5",
        "A forward gradient takes less time than backprop.",
        "R_f ÷ R_b 0.586 and 0.598 (MLP)",
        "R_f ÷ R_b",
        ("ratios",),
        models.faster,
        below(1),
        names=ALGORITHM,
    ),
    Claim(
        "baydin-forward-value",
        DOCUMENT,
        "figure 4",
        "R_f of the MLP is 2.46.",
        "2.329 and 2.607",
        "R_f, with sampling",
        ("ratios",),
        partial(models.cost, name="forward_gradient", problem="mlp"),
        near(FORWARD, SPREAD),
    ),
    Claim(
        "baydin-reverse-value",
        DOCUMENT,
        "figure 4",
        "R_b of the MLP is 4.17.",
        "3.971 and 4.359",
        "R_b",
        ("ratios",),
        partial(models.cost, name="backprop", problem="mlp"),
        near(REVERSE, SPREAD),
    ),
    Claim(
        "baydin-forward-cost",
        DOCUMENT,
        "section 2.3, after Hascoët",
        "Forward mode costs 1 to 3 evaluations of the function.",
        "R_f 1–3",
        "R_f, with sampling",
        ("ratios",),
        partial(models.cost, name="forward_gradient"),
        between(1, 3),
    ),
    Claim(
        "baydin-reverse-cost",
        DOCUMENT,
        "section 2.3, after Hascoët",
        "Reverse mode costs 5 to 10 evaluations of the function.",
        "R_b 5–10",
        "R_b",
        ("ratios",),
        partial(models.cost, name="backprop"),
        between(5, 10),
    ),
    Claim(
        "baydin-depth-faster",
        DOCUMENT,
        "figure 6",
        "A forward gradient takes less time than backprop at every depth.",
        "R_f ÷ R_b 0.555 (1 layer) to 0.845 (100 layers)",
        "R_f ÷ R_b",
        ("depth",),
        depth.faster_along_depth,
        below(1),
        names=ALGORITHM,
    ),
    Claim(
        "baydin-depth-rise",
        DOCUMENT,
        "figure 6",
        "R_f ÷ R_b rises with depth, towards 1.",
        "0.555 to 0.845, by 1.52; |log| from 0.589 to 0.168, 3.5 times nearer to 1",
        "the lesser of R_f ÷ R_b of the deepest net ÷ of the shallowest, and |log| of the shallowest ÷ of the deepest",
        ("depth",),
        depth.rise,
        above(1),
        names=ALGORITHM,
    ),
    Claim(
        "baydin-memory",
        DOCUMENT,
        "figure 6",
        "There is no practical difference in memory between the two modes.",
        "under 0.1 %",
        "bytes of forward gradient ÷ bytes of backprop",
        ("depth",),
        depth.memory,
        near(1, SAME_MEMORY),
        figure="papers-depth-batch",
        names=ALGORITHM,
    ),
    Claim(
        "baydin-beale-time",
        DOCUMENT,
        "figure 2",
        "Forward gradient is faster on Beale's function.",
        "marginally: 0.86, by eye",
        "seconds of a step, forward gradient ÷ backprop",
        ("test_functions",),
        partial(functions.step_time, function="beale"),
        below(1),
    ),
    Claim(
        "baydin-rosenbrock-time",
        DOCUMENT,
        "figure 2",
        "Forward gradient is faster on Rosenbrock's function.",
        "marginally: 0.75, by eye",
        "seconds of a step, forward gradient ÷ backprop",
        ("test_functions",),
        partial(functions.step_time, function="rosenbrock"),
        below(1),
    ),
    Claim(
        "baydin-beale-minimum",
        DOCUMENT,
        "figure 2",
        "Both methods end in the global minimum of Beale's function.",
        "f ≈ 5×10⁻⁵, by eye",
        "f at the end ÷ the published f",
        ("test_functions",),
        partial(functions.minimum, function="beale", published=BEALE),
        at_most(AT_THE_MINIMUM),
    ),
    Claim(
        "baydin-rosenbrock-minimum",
        DOCUMENT,
        "figure 2",
        "Both methods end in the global minimum of Rosenbrock's function.",
        "f ≈ 5×10⁻⁶, by eye",
        "f at the end ÷ the published f",
        ("test_functions",),
        partial(functions.minimum, function="rosenbrock", published=ROSENBROCK),
        at_most(AT_THE_MINIMUM),
    ),
    Claim(
        "baydin-training-shared",
        DOCUMENT,
        "figure 4",
        "Forward gradient trains faster than backprop at the same learning rate.",
        "T_f ÷ T_b 0.567 (rate 2×10⁻⁵) and 0.229 (2×10⁻⁴)",
        "T_f ÷ T_b",
        ("training",),
        partial(training.convergence, tuned=False),
        below(1),
    ),
    Claim(
        "baydin-training-tuned",
        DOCUMENT,
        "figure 4",
        "Forward gradient trains faster than backprop, each at its own best learning rate.",
        "not tried: one rate for both",
        "T_f ÷ T_b",
        ("training",),
        partial(training.convergence, tuned=True),
        below(1),
    ),
)
