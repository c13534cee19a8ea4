"""The columns of the frames and of their CSV files, by where they come from."""

from __future__ import annotations

IDENTITY = ("framework", "mode", "device", "dtype", "seed", "problem", "method", "gradient")

NAMING = ("cell", *IDENTITY, "label", "runner", "sizes", "options")
"""What says which cell a row belongs to."""

EXACT = (
    "peak_bytes",
    "held_bytes",
    "parameter_bytes",
    "tangent_bytes",
    "result_bytes",
    "forward_peak_bytes",
    "device_peak_bytes",
    "device_forward_peak_bytes",
    "workspace_bytes",
    "flops",
    "forward_flops",
    "flop_ratio",
    "traffic",
    "forward_traffic",
    "gradient_error",
    "cosine",
    "oracle_deviation",
    "loss",
    "forward_steps",
    "forward_residual",
    "backward_steps",
    "backward_residual",
    "jacobian_norm",
    "spectral_radius",
    "parameters",
)
"""Values of an exact visit, under the names of the results file."""

TIMES = ("compile_s", "overhead_s", "oracle_deviation")
"""Values of a time visit."""

TIME = (
    "R",
    "R_low",
    "R_high",
    "R_min",
    "sd_log_R",
    "workers",
    "pairs",
    "forward_s",
    "gradient_s",
    "compile_s",
    "overhead_s",
    "overhead_share",
)

DERIVED = ("counted_flop_ratio", "distance", "traffic_ratio")

CONDITIONS = ("visits", "busy", "stolen", "throttled")
"""Time visits of a cell, and how many of them a warning of the machine stands on."""

CELL = (*NAMING, "status", "reason", "time_status", "exact_status", *TIME, *EXACT, *DERIVED, *CONDITIONS)
SAMPLE = (*NAMING, "worker", "pair", "forward_s", "gradient_s", "R")
NUMBERS = (*TIME, *EXACT, *DERIVED, *CONDITIONS)
