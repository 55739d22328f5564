"""files -> training pairs, made on the device that trains.

Sample `index` of a data set with a seed is the same on every worker, machine and leg: its generator is seeded by both.

A data set is built with the recipe's arguments, `device` (where batches are made) and `validation` (whether it holds the fixed
validation part); its `batch(seed, indices)` returns tensors [B, ...] by name.
"""

DATASETS = {
    "photos": "quietlight.data.photos:NoisyPhotos",
    "raws": "quietlight.data.raws:UnprocessedPhotos",
    "bursts": "quietlight.data.bursts:GrayBursts",
    "raw-bursts": "quietlight.data.raw_bursts:RawBursts",
    "classes": "quietlight.data.classes:ClassedPhotos",
    "isp": "quietlight.data.isp:CapturedPhotos",
    "isp-folder": "quietlight.data.isp_frames:FrameFolder",
    "isp-authors": "quietlight.data.isp_authors:AuthorsFrames",
    "noise-statistics": "quietlight.data.statistics:NoiseStatistics",
    "rescaled-classes": "quietlight.data.classes:RescaledPhotos",
}
"""Name -> "module:attribute" of every data set that a recipe can name."""
