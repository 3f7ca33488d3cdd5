"""Servers that are down, die in the middle and come back: every run is published once."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.campaign
