"""The pages about other products' clients: their curl lines are run as they stand, against a real server."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.servers import Server

DOCS = Path(__file__).parents[1] / "docs"
FIRST = "the-first-token-of-these-tests-0123456789"
HERE = "http://localhost:8080"
