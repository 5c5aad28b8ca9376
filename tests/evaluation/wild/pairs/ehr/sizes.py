"""Sizes and constants of the model, the same on all sides.

The numbers are neighbours of the published ones that float32 holds exactly.
"""

HOURS, BATCH = 4, 12
CHANNELS = {"continuous": 6, "discrete": 4}
STREAMS = tuple(CHANNELS)
NOISE = {stream: channels // 2 for stream, channels in CHANNELS.items()}
LATENT, ENCODER, DECODER, GENERATOR, CRITIC = 5, 8, 9, 10, 11
DROP = 0.25
#: Weights of the losses.
KL, DISCRETE_KL, MATCHING, CONTRASTIVE, FEATURES = 0.5, 0.125, 0.125, 0.125, 20.0
#: What real series, and fake ones, are labelled with: from, to.
LABELS = {
    "continuous": {"real": (0.75, 1.25), "fake": (0.125, 0.25)},
    "discrete": {"real": (0.75, 0.875), "fake": None},
}
DISCRETE_FAKE = 0.125
#: Added to variances before their roots; probabilities are kept so far from 0 and 1.
SMALL, CLIP = 2.0**-20, 2.0**-23
VAE_RATE, GAN_RATE = 2.0**-11, 2.0**-13
BETA1, BETA2, EPSILON = 0.875, 1.0 - 2.0**-10, 2.0**-27
