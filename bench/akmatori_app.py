"""Our application as the server command builds it, but with an engine that never begins to work.

Investigations would burn CPU beside the requests that are measured; everything else is the real thing.
"""

from __future__ import annotations

import os
from pathlib import Path

from akmatori_server.app import create_app
from akmatori_server.config import Options, load_settings
from bench.akmatori_engine import IdleEngine

app = create_app(load_settings(options=Options(data_dir=Path(os.environ["BENCH_DATA"]))), engine=IdleEngine())
