"""Modules of the campaign can be imported from its subfolders too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
