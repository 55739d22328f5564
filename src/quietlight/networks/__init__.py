"""tensor -> tensor: the networks. They know nothing of files, metadata or tiles, and build without touching a disk.

Tensors are [B, C, H, W]. Sizes that a network cannot take as they are (see its `multiple`) are padded by `tiles`.
"""

NETWORKS = {
    "fan": "quietlight.networks.fan:FAN",
    "raw-unet": "quietlight.networks.unet:RawUNet",
    "kpn": "quietlight.networks.kpn:KPN",
    "cameranet": "quietlight.networks.cameranet:CameraNet",
    "srgan-can": "quietlight.networks.peers:SRGANCAN",
    "deepisp": "quietlight.networks.peers:DeepISP",
    "dncnn": "quietlight.networks.dncnn:DnCNN",
    "noise-classifier": "quietlight.networks.noise_classifier:NoiseClassifier",
    "mobilenet": "quietlight.networks.mobilenet:MobileNetV2",
    "unet": "quietlight.networks.unet:UNet",
}
"""Name -> "module:attribute" of every network."""
