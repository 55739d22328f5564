"""clean -> noisy: every nature of noise, with the mean and variance it declares."""

NOISES = {
    "gaussian": "quietlight.noise.natures:Gaussian",
    "speckle": "quietlight.noise.natures:Speckle",
    "uniform": "quietlight.noise.natures:Uniform",
    "poisson": "quietlight.noise.natures:Poisson",
    "bernoulli": "quietlight.noise.natures:Bernoulli",
    "salt-and-pepper": "quietlight.noise.natures:SaltAndPepper",
    "shot-read": "quietlight.noise.sensor:ShotRead",
    "photon": "quietlight.noise.sensor:Photon",
    "row": "quietlight.noise.sensor:Row",
    "quantisation": "quietlight.noise.sensor:Quantisation",
    "physics": "quietlight.noise.sensor:Physics",
    "camera": "quietlight.noise.camera:Camera",
}
"""Name -> "module:attribute" of a `Nature`."""
