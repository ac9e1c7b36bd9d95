"""The built-in codecs, one a module. They come in by entry point like anyone's and have no privileges.

`raw` keeps payloads as they are, `msgpack` and `construct` wrap the libraries of those names strictly. A library is
imported when its codec is constructed, never before.
"""
