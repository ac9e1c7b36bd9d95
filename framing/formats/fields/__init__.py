"""What kinds that declare named fields are made of: the notation, the bytes, the length and all that goes with it.

notation.py    the declaration: text → fields              layout.py      fields at fixed offsets: read and written
constants.py   the constants in it                         varints.py     numbers of variable width
length.py      which fields are the length                 counts.py      what it counts, by name
padding.py     payloads filled up to a multiple            byteorder.py   a byte order that a field tells
checked.py     checksums over named parts                  checksums.py   the sums
conditions.py  fields that are not always there            forms.py       a plain header for each combination
magic.py       constants to find a header by               parts.py       its picture
pieces.py      frames too big to hold                      options.py     options of several parts
"""
