"""``python -m bench.capabilities FRAMEWORK``: try it all in this process; the last line of stdout is the outcomes."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from bench.capabilities.measure import measure

if __name__ == "__main__":
    found = measure(sys.argv[1])
    plain = {method: {name: asdict(one) for name, one in tried.items()} for method, tried in found.items()}
    print(f"\n{json.dumps(plain)}")
