"""A data set on disk, in its authors' layout -> the scenes that a camera pipeline is trained on.

A layout is a function (folder) -> its `Item`s, in order, or for "photos" what takes the place of one. It raises UnusableInput for a
folder of another layout, and an item's `load` for missing or wrong files, with their names.
"""

LAYOUTS = {
    "hdrplus": "quietlight.data.sets.hdrplus:items",
    "sid": "quietlight.data.sets.sid:items",
    "fivek": "quietlight.data.sets.fivek:items",
    "sidd": "quietlight.data.sets.sidd:items",
    "zrr": "quietlight.data.sets.zrr:items",
}
"""Name -> "module:attribute" of every layout of raws that `synthesize isp` reads."""
