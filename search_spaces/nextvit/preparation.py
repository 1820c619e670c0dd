"""How an image becomes a network's input: one definition for validation, export, the model card and timm.

A centre crop of CROP times the shorter side is resized (bicubic) and normalised by ImageNet's mean and standard
deviation. CROP is the value in timm's `default_cfg` of the published weights at 224 px (`nextvit_small.bd_in1k`: 0.95),
which training starts from here, too. The official code crops 224 of 256 pixels (0.875), which costs these weights 0.1
to 0.4 points of top-1.
"""

CROP = 0.95
INTERPOLATION = "bicubic"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of RGB from 0 to 1
