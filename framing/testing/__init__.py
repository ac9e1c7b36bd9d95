"""The contracts as functions, for anyone's plug-in. Nothing here needs a test framework.

Built-in codecs and frame formats pass the very same checks in this project's own tests.
"""

from framing.testing.codec import CodecSubject, check_codec
from framing.testing.cuts import Outcome, every_cut, outcome
from framing.testing.format import check_format
from framing.testing.recovery import Recovered, recovered

__all__ = ["CodecSubject", "Outcome", "Recovered", "check_codec", "check_format", "every_cut", "outcome", "recovered"]
