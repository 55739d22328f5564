"""system x benchmark -> table: fixed samples, our systems and their peers side by side, numbers that anybody can repeat."""

BENCHMARKS = {
    "awgn": "quietlight.evaluate.benchmarks:awgn",
    "bsd68-mixture": "quietlight.evaluate.benchmarks:bsd68_mixture",
    "bsd68-mixture-sp": "quietlight.evaluate.benchmarks:bsd68_mixture_sp",
    "bsd68-mixture3": "quietlight.evaluate.benchmarks:bsd68_mixture3",
    "bsd68-single": "quietlight.evaluate.benchmarks:bsd68_single",
    "bsd68-clean": "quietlight.evaluate.benchmarks:bsd68_clean",
    "bsd68-spatial": "quietlight.evaluate.benchmarks:bsd68_spatial",
    "cbsd68-mixture": "quietlight.evaluate.benchmarks:cbsd68_mixture",
    "polyu": "quietlight.evaluate.benchmarks:polyu",
    "noisebreaker-classes": "quietlight.evaluate.benchmarks:noisebreaker_classes",
    "raw-kodak": "quietlight.evaluate.raw_benchmarks:raw_kodak",
    "raw-fan-ablation": "quietlight.evaluate.raw_benchmarks:raw_fan_ablation",
    "sidd-raw": "quietlight.evaluate.sidd:sidd_raw",
    "kpn-gray": "quietlight.evaluate.burst_benchmarks:kpn_gray",
    "kpn-ablation": "quietlight.evaluate.burst_benchmarks:kpn_ablation",
    "burst-raw": "quietlight.evaluate.burst_benchmarks:burst_raw",
    "isp-synthetic": "quietlight.evaluate.isp_benchmarks:isp_synthetic",
    "isp-ablation": "quietlight.evaluate.isp_benchmarks:isp_ablation",
    "isp-cross-camera": "quietlight.evaluate.isp_benchmarks:isp_cross_camera",
    "isp-real": "quietlight.evaluate.isp_real:isp_real",
    "isp-histogram": "quietlight.evaluate.isp_histogram:isp_histogram",
}
"""Name -> "module:attribute" of every `Benchmark`."""

SUBMISSIONS = {"dnd": "quietlight.evaluate.dnd:submit"}
"""Name -> "module:attribute" of a function that writes results for those who keep the truth and score them."""

SPEED = "speed"
"""What `evaluate` measures of time and memory, see `speed`: no benchmark, since it has no truth."""

PEERS = {
    "noisy": "quietlight.evaluate.peers:noisy",
    "median-nlm": "quietlight.evaluate.others:median_nlm",
    "wavelet": "quietlight.evaluate.others:wavelet",
    "bm3d": "quietlight.evaluate.others:bm3d",
    "noise2void": "quietlight.evaluate.peers:network",
    "classical": "quietlight.evaluate.peers:classical",
    "classical-oracle": "quietlight.evaluate.peers:classical_oracle",
    "unet-gray": "quietlight.evaluate.peers:network",
    "unet-color": "quietlight.evaluate.peers:network",
    "dncnn": "quietlight.evaluate.peers:network",
    "chain": "quietlight.evaluate.peers:chain",
    "chain-oracle": "quietlight.evaluate.peers:chain_oracle",
    "noisebreaker": "quietlight.evaluate.peers:noisebreaker",
    "noisebreaker-p": "quietlight.evaluate.peers:noisebreaker_p",
    "noisebreaker-natures": "quietlight.evaluate.peers:noisebreaker",
    "noisebreaker-fine-bernoulli": "quietlight.evaluate.peers:noisebreaker",
    "noisebreaker-one-crop": "quietlight.evaluate.peers:noisebreaker",
    "noisebreaker-unchained": "quietlight.evaluate.peers:noisebreaker",
    "noisebreaker-local": "quietlight.evaluate.peers:noisebreaker",
    "noisebreaker-dncnn": "quietlight.evaluate.peers:noisebreaker",
    "e2e-unet": "quietlight.evaluate.peers:network",
    "e2e-dncnn": "quietlight.evaluate.peers:network",
}
"""Name -> "module:attribute" of a function `(name, weights) -> Peer`, in the order of the tables' rows."""

CLASSIFIERS = {
    "noise-classifier": "quietlight.evaluate.peers:noise_classifier",
    "noise-classifier-table1": "quietlight.evaluate.peers:noise_classifier",
    "noise-classifier-natures": "quietlight.evaluate.peers:noise_classifier",
    "noise-classifier-fine-bernoulli": "quietlight.evaluate.peers:noise_classifier",
    "noise-classifier-no-levels": "quietlight.evaluate.peers:noise_classifier",
    "mobilenet": "quietlight.evaluate.peers:noise_classifier",
}
"""The same of the peers that judge noise, for benchmarks of classes."""

RAW_PEERS = {
    "noisy": "quietlight.evaluate.peers:noisy",
    "classical": "quietlight.evaluate.peers:classical",
    "nlm": "quietlight.evaluate.others:nlm_raw",
    "bm3d": "quietlight.evaluate.others:bm3d_raw",
    "fan-teacher": "quietlight.evaluate.peers:raw_network",
    "fan-plus": "quietlight.evaluate.peers:raw_network",
    "fan": "quietlight.evaluate.peers:raw_network",
    "fan-short": "quietlight.evaluate.peers:raw_network",
    "fan-concatenate": "quietlight.evaluate.peers:raw_network",
    "fan-unmatched": "quietlight.evaluate.peers:raw_network",
    "fan-teacher-matched": "quietlight.evaluate.peers:raw_network",
    "fan-k-sigma": "quietlight.evaluate.peers:raw_network",
    "fan-blind": "quietlight.evaluate.peers:raw_network",
    "fan-linear": "quietlight.evaluate.peers:raw_network",
    "fan-r2": "quietlight.evaluate.peers:raw_network",
    "fan-r4": "quietlight.evaluate.peers:raw_network",
}
"""The same of the peers that denoise raws."""

BURST_PEERS = {
    "reference": "quietlight.evaluate.burst_peers:reference",
    "mean": "quietlight.evaluate.burst_peers:mean",
    "mean-aligned": "quietlight.evaluate.burst_peers:mean",
    "mean-oracle": "quietlight.evaluate.burst_peers:mean_oracle",
    "hdrplus-authors": "quietlight.evaluate.burst_peers:hdrplus",
    "hdrplus-unaligned": "quietlight.evaluate.burst_peers:hdrplus",
    "hdrplus-whole": "quietlight.evaluate.burst_peers:hdrplus",
    "hdrplus": "quietlight.evaluate.burst_peers:hdrplus",
    "hdrplus-fan-plus": "quietlight.evaluate.burst_peers:merged",
    "classical": "quietlight.evaluate.burst_peers:alone",
    "nlm": "quietlight.evaluate.burst_peers:alone",
    "bm3d": "quietlight.evaluate.burst_peers:alone",
    "fan-teacher": "quietlight.evaluate.burst_peers:alone",
    "fan-plus": "quietlight.evaluate.burst_peers:alone",
    "kpn": "quietlight.evaluate.burst_peers:kpn",
    "kpn-unaligned": "quietlight.evaluate.burst_peers:kpn",
    "kpn-gray": "quietlight.evaluate.burst_peers:kpn",
    "kpn-gray-unaligned": "quietlight.evaluate.burst_peers:kpn",
    "hdrplus-kpn-gray": "quietlight.evaluate.burst_peers:merged_by_kernels",
    "kpn-short": "quietlight.evaluate.burst_peers:kpn",
    "kpn-short-unaligned": "quietlight.evaluate.burst_peers:kpn",
    "kpn-1-frame": "quietlight.evaluate.burst_peers:kpn",
    "kpn-unannealed": "quietlight.evaluate.burst_peers:kpn",
    "kpn-blind": "quietlight.evaluate.burst_peers:kpn",
    "kpn-direct": "quietlight.evaluate.burst_peers:kpn",
}
"""The same of the peers that make one raw of a burst of them."""

LOOK_PEERS = {
    "libraw": "quietlight.evaluate.isp_peers:libraw",
    "libraw-linear": "quietlight.evaluate.isp_peers:libraw",
    "dcraw": "quietlight.evaluate.isp_peers:dcraw",
    "neutral": "quietlight.evaluate.isp_peers:neutral",
    "neutral-linear": "quietlight.evaluate.isp_peers:neutral_linear",
    "fan-plus-neutral": "quietlight.evaluate.isp_peers:after_fan",
    "deepisp": "quietlight.evaluate.isp_peers:network",
    "deepisp-short": "quietlight.evaluate.isp_peers:network",
    "deepisp-short-a": "quietlight.evaluate.isp_peers:network",
    "cameranet-short": "quietlight.evaluate.isp_peers:network",
    "cameranet-short-2": "quietlight.evaluate.isp_peers:network",
    "cameranet-short-one-stage": "quietlight.evaluate.isp_peers:network",
    "cameranet-short-one-stage-2": "quietlight.evaluate.isp_peers:network",
    "cameranet-short-direct": "quietlight.evaluate.isp_peers:network",
    "cameranet-short-direct-2": "quietlight.evaluate.isp_peers:network",
    "cameranet-short-apart": "quietlight.evaluate.isp_peers:network",
    "cameranet-short-apart-2": "quietlight.evaluate.isp_peers:network",
    "srgan-can-short": "quietlight.evaluate.isp_peers:network",
    "srgan-can-short-2": "quietlight.evaluate.isp_peers:network",
    "srgan-can-short-one-stage": "quietlight.evaluate.isp_peers:network",
    "srgan-can-short-one-stage-2": "quietlight.evaluate.isp_peers:network",
    "cameranet-short-a-rgb": "quietlight.evaluate.isp_peers:network",
    "cameranet-short-a-xyz": "quietlight.evaluate.isp_peers:network",
    "cameranet-short-a": "quietlight.evaluate.isp_peers:network",
    "cameranet-xyz": "quietlight.evaluate.isp_peers:network",
    "fan-plus-cameranet": "quietlight.evaluate.isp_peers:after_fan",
    "cameranet-restored": "quietlight.evaluate.isp_peers:cameranet",
    "cameranet": "quietlight.evaluate.isp_peers:cameranet",
}
"""The same of the peers that make a photo of a raw."""

OPERATORS = {
    "demosaicking": "quietlight.evaluate.isp_histogram:mosaic",
    "denoising": "quietlight.evaluate.isp_histogram:noise",
    "super-resolution": "quietlight.evaluate.isp_histogram:reduction",
    "enhancement": "quietlight.evaluate.isp_histogram:enhancement",
}
"""The same of what is done to pictures: a function that gives what they are before it, or, of enhancement, after it."""
