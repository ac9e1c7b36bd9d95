"""The compiled twins of the hot loops, built where that can be done. All else about the project is in pyproject.toml.

Two things cannot be said there: that a wheel without the compiled modules is one for every machine, and which Python
the limited API is that of.
"""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

# One build serves this version of CPython and all later ones.
LIMITED_API = "cp311"

EXTENSIONS = {"framing._frames": "framing/_frames.c", "framing.capture._packets": "framing/capture/_packets.c"}


class BuildTwins(build_ext):
    """Build all of them or none: no compiler, or no Python.h, is no error."""

    def run(self) -> None:
        """Build, and forget what could not be built."""
        super().run()
        if not all(path.exists() for path in map(Path, self.get_outputs())):
            self.extensions = []
            self.distribution.ext_modules = []


class TwinsWheel(bdist_wheel):
    """Learn first what can be built, because that tells what the wheel is called."""

    def finalize_options(self) -> None:
        """Build the twins before the wheel gets its name."""
        self.run_command("build_ext")
        super().finalize_options()


setup(
    ext_modules=[Extension(name, [source], py_limited_api=True, optional=True) for name, source in EXTENSIONS.items()],
    cmdclass={"build_ext": BuildTwins, "bdist_wheel": TwinsWheel},
    options={"bdist_wheel": {"py_limited_api": LIMITED_API}},
)
