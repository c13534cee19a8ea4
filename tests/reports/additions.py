"""A second made-up suite: compiled code, a GPU, shapes alone, counted work, a disturbed machine, surprises."""

from __future__ import annotations

from collections.abc import Iterable

from tests.reports.suite import TANH, adjoints
from tests.rows import BACKPROP, GIVEN, MACHINE, Row, exact, run, timed

GPU = {"name": "GPU 200", "memory_bytes": 140_000_000_000, "count": 2}
RUNNERS = (("torch", "eager", 1.0), ("torch", "compiled", 0.7), ("jax", "jit", 0.8))
RATIO = {"unrolled": 3.0, "picard": 2.0, "gmres": 2.0, "jfb": 1.0}
ITEM = 256 * 128 * 4
BLOCK = 512
"""To which the allocator of this made-up GPU rounds."""
MB = 1 << 20


def conditions(*warnings: str, share: float = 0.99, stolen: float = 0.0) -> Row:
    """What the instruments recorded beside a time visit."""
    found = {"load": 1.0, "affinity": [0], "frequency_mhz": 3000.0, "slowest_mhz": None, "cpu_share": share}
    return {"conditions": found | {"steal_share": stolen, "warnings": list(warnings)}}


def headline() -> Iterable[Row]:
    """Timed cells on both devices and in all modes; two visits of eager JFB were disturbed."""
    for framework, mode, shift in RUNNERS:
        for device, faster in (("cpu", 1.0), ("cuda", 0.5)):
            for name, method in adjoints(60, 60, 20).items():
                what: Row = {"framework": framework, "problem": "tanh", "sizes": TANH, "method": method}
                what |= {"mode": mode, "device": device}
                for worker in range(3):
                    row = timed(RATIO[name] * shift * faster, worker, noise=0, **what)
                    row["values"] |= {"compile_s": None if mode == "eager" else 12.5, "overhead_s": 2e-6}
                    odd = (name, mode, device) == ("jfb", "eager", "cpu")
                    seen = {1: conditions("busy", share=0.4), 2: conditions("stolen", "throttled", stolen=0.2)}
                    yield row | (seen.get(worker, conditions()) if odd else conditions())
                values: Row = {"flops": 4e9 * RATIO[name], "forward_flops": 4e9, "flop_ratio": RATIO[name]}
                values |= {"jacobian_norm": 0.75, "spectral_radius": 0.5, "held_bytes": 3_000_000}
                if name == "gmres":
                    values["flop_ratio"] = None
                if device == "cuda":
                    values |= {"device_peak_bytes": 5 * MB, "device_forward_peak_bytes": MB, "workspace_bytes": MB}
                yield exact(4 * MB, values=values, **what)


def sweeps() -> Iterable[Row]:
    """Exact visits along K and depth, on a GPU and from shapes alone."""
    for framework, mode, _ in RUNNERS:
        for K in (10, 20, 40):
            for name, method in adjoints(K, 20, 10).items():
                model = ((K + 5) if name == "unrolled" else 6) * ITEM + 8
                real = -(-model // BLOCK) * BLOCK + K * MB // 10
                what: Row = {"framework": framework, "mode": mode, "problem": "tanh", "method": method}
                values = {"device_peak_bytes": real, "workspace_bytes": real - model, "gradient_error": 0.1}
                yield exact(model, device="cuda", sizes={"batch": 256, "width": 128}, values=values, **what)
                if mode != "compiled":
                    values = {"gradient_error": None, "cosine": None, "oracle_deviation": None}
                    sizes = {"batch": 65_536, "width": 8192}
                    yield exact(model * 16_384, device="meta", sizes=sizes, values=values, **what)
        for depth in (2, 4, 8):
            sizes = {"batch": 256, "depth": depth, "width": 128}
            for method, growing in ((BACKPROP, depth), (GIVEN, 0)):
                model = (growing + 3) * ITEM
                values = {"device_peak_bytes": model + MB, "workspace_bytes": MB}
                what = {"framework": framework, "mode": mode, "sizes": sizes, "method": method, "values": values}
                yield exact(model, device="cuda", **what)


def additions() -> list[Row]:
    """All of it, two cells from shapes alone that no sweep holds, and what the register did not expect."""
    alone = {"gradient_error": None, "cosine": None}
    visits = [*headline(), *sweeps()]
    for method in (BACKPROP, GIVEN):
        sizes = {"batch": 1024, "depth": 96, "width": 16_384}
        visits.append(exact(7 * 10**12, device="meta", sizes=sizes, method=method, values=alone))
    surprise = {"cell": visits[0]["cell"], "expected": "wrong", "found": "ok", "why": "second order by design"}
    verdict = {"kind": "verdict", "schema": 1, "run": "0" * 12, "surprises": [surprise]}
    planned = list(dict.fromkeys(row["cell"] for row in visits))
    return [run(cells=planned, workers=3, gpu_driver="570.1", machine=MACHINE | {"gpu": GPU}), *visits, verdict]
