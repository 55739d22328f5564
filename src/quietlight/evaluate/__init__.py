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
}
"""Name -> "module:attribute" of every `Benchmark`."""

PEERS = {
    "noisy": "quietlight.evaluate.peers:noisy",
    "median-nlm": "quietlight.evaluate.peers:median_nlm",
    "wavelet": "quietlight.evaluate.peers:wavelet",
    "bm3d": "quietlight.evaluate.peers:bm3d",
    "classical": "quietlight.evaluate.peers:classical",
    "classical-oracle": "quietlight.evaluate.peers:classical_oracle",
    "chain": "quietlight.evaluate.peers:chain",
    "chain-oracle": "quietlight.evaluate.peers:chain_oracle",
    "unet-gray": "quietlight.evaluate.peers:network",
    "unet-color": "quietlight.evaluate.peers:network",
    "dncnn": "quietlight.evaluate.peers:network",
    "noise2void": "quietlight.evaluate.peers:network",
    "e2e-unet": "quietlight.evaluate.peers:network",
    "e2e-dncnn": "quietlight.evaluate.peers:network",
}
"""Name -> "module:attribute" of a function `(name, weights) -> Peer`, in the order of the tables' rows."""

CLASSIFIERS = {
    "noise-classifier": "quietlight.evaluate.peers:noise_classifier",
    "noise-classifier-six": "quietlight.evaluate.peers:noise_classifier_six",
    "noise-classifier-fine-bernoulli": "quietlight.evaluate.peers:noise_classifier_fine_bernoulli",
    "mobilenet": "quietlight.evaluate.peers:mobilenet",
}
"""The same of the peers that judge noise, for benchmarks of classes."""
