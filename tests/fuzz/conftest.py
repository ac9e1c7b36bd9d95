import sys
from pathlib import Path

# `run.py` is a script: what it imports lies beside it.
sys.path.insert(0, str(Path(__file__).parent))
