"""Presets of faults: `--faults bad-day`, `throttled`, `lossy`. They are seeded, so each is always the same."""

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "bad-day": {
        "seed": "bad-day",
        "rules": [
            {"fault": "throttle", "probability": 0.1},
            {"fault": "error", "code": "InternalServiceException", "probability": 0.03},
            {"fault": "error", "status": 503, "probability": 0.01},
            {"fault": "drop_before", "probability": 0.01},
            {"fault": "drop_after", "probability": 0.01},
            {"fault": "delay", "seconds": [0.2, 2.0], "probability": 0.05},
        ],
    },
    "throttled": {
        "seed": "throttled",
        "rules": [
            {"fault": "throttle", "probability": 0.4},
            {"fault": "throttle", "code": "TooManyRequestsException", "probability": 0.1},
        ],
    },
    "lossy": {
        "seed": "lossy",
        "rules": [
            {"fault": "drop_before", "probability": 0.05},
            {"fault": "drop_after", "probability": 0.05},
            {"fault": "delay", "seconds": [0.5, 3.0], "probability": 0.1},
        ],
    },
}
