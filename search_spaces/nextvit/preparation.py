"""How an image becomes a network's input: one definition for validation, export, the model card and timm.

The middle of the image is resized, bicubic, so that a square of CROP of its shorter side remains, and normalised by
ImageNet's mean and standard deviation. CROP is that of timm's `default_cfg` of the published weights at 224 px
(`nextvit_small.bd_in1k`: 0.95), which are also the weights to begin with here. The official code evaluates at 224 of
256 pixels (0.875), which gives these weights 0.1 to 0.4 points less top-1.
"""

CROP = 0.95
INTERPOLATION = "bicubic"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of RGB from 0 to 1
