"""Nothing leaves the machine unless the user asks: the telemetry of our dependencies is off.

Chroma, Gradio and Hugging Face listen to variables. OpenVINO does not: `import openvino` posts an
event to Google Analytics unless a file in the user's home says otherwise, but it falls back to a
stub of its own where the package `openvino_telemetry` can't be imported. So we make sure it can't.
"""

from __future__ import annotations

import os
import sys
from typing import Any, cast

QUIET = {
    "ANONYMIZED_TELEMETRY": "False",  # chromadb
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",  # no warning when a process forks after tokenizing
}


def silence() -> None:
    """Turn telemetry off for this process and its children; harmless to call twice."""
    os.environ.update(QUIET)
    if "openvino" not in sys.modules:
        cast(dict[str, Any], sys.modules).setdefault("openvino_telemetry", None)
