"""A worker process that measures nothing: it speaks the real protocol and misbehaves on demand.

``FAKE_WORKER`` holds ``{"log": file, "METHOD": what}``: a cell of that method hangs, dies, is killed, or
prints noise first. Each job is written to the log with the process that got it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

PATH = Path(__file__).resolve().parents[2] / "bench" / "worker.py"
ORDERS = json.loads(os.environ.get("FAKE_WORKER", "{}"))


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """What the real worker would answer for a forward of 1 s and a gradient of 2 s."""
    cell = job["cell"]
    note = {"pid": os.getpid(), "worker": job["worker"], "measure": job["measure"]}
    note |= {"framework": cell["framework"], "method": cell["method"], "environment": dict(os.environ)}
    with open(ORDERS["log"], "a", encoding="utf-8") as log:
        log.write(json.dumps(note) + "\n")
    what = ORDERS.get(cell["method"])
    if what == "hang":
        threading.Event().wait()
    elif what == "die":
        print("Traceback\nSystemError: /usr/lib/some/thing.so is broken", file=sys.stderr, flush=True)
        os._exit(3)
    elif what == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "noise":
        print("a library says hello")
        os.write(1, b"and so does its native code\n")
    status = what if what in ("wrong", "n/a", "failed") else "ok"
    time = job["measure"] == "time"
    samples = {"forward_s": [1.0, 1.0, 1.0], "gradient_s": [2.0, 2.0, 2.0]} if time else {}
    values = {"compile_s": None} if time else {"peak_bytes": 100, "gradient_error": 1e-7}
    reason = "" if status == "ok" else "as told"
    return {"status": status, "reason": reason, "samples": samples, "values": values, "sizes": {"width": 4}}


def main() -> None:
    """Start as the real worker does."""
    spec = importlib.util.spec_from_file_location("real_worker", PATH)
    assert spec is not None and spec.loader is not None
    real = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(real)
    out = real.claim_stdout()
    if ORDERS.get("start") == "die":
        sys.exit("no interpreter for you")
    if ORDERS.get("start") == "not ready":
        real.say(out, {"ready": False, "reason": "There is no impls here: install it."})
        return
    print("a banner")
    real.say(out, {"ready": True, "impls": ORDERS.get("impls", "0" * 12), "versions": {"python": "3"}})
    real.serve(answer, out)


if __name__ == "__main__":
    main()
