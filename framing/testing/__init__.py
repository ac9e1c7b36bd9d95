"""The contracts as functions, for anyone's plug-in. Nothing here needs a test framework.

Built-in codecs and frame formats pass the very same checks in this project's own tests.
"""

from framing.testing.codec import CodecSubject, check_codec

__all__ = ["CodecSubject", "check_codec"]
