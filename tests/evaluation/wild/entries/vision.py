"""Networks for images: keras.applications, torchvision, timm."""

from __future__ import annotations

from collections.abc import Sequence

from backends.contract import Stage
from harness.results.verdicts import Fidelity
from tests.evaluation.wild.entry import QUICK, Entry, plant, plant_in_forward

UNBIASED = "bn-unbiased-variance"
ACCEPTED = (*QUICK, "--accept", UNBIASED)
OPTIMIZER = "    optimizer = torch.optim"
#: keras.applications has biases in all convolutions, which the batch norms behind take away.
BIASES = (
    OPTIMIZER,
    "    for conv in net.modules():\n"
    "        if isinstance(conv, torch.nn.Conv2d):\n"
    "            conv.bias = torch.nn.Parameter(torch.zeros(conv.out_channels))\n" + OPTIMIZER,
)
#: It has the stride in the first convolution of a block, the others in the second.
STRIDES = (
    OPTIMIZER,
    "    for block in (*net.layer2, *net.layer3, *net.layer4):\n"
    "        block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)\n" + OPTIMIZER,
)
#: Where a stride is 2 keras.applications pads by one more behind than before.
PADDING = (
    OPTIMIZER,
    "    for conv in net.modules():\n"
    "        if getattr(conv, 'stride', None) == (2, 2):\n"
    "            far, conv.padding = conv.padding[0], (0, 0)\n"
    "            pad = torch.nn.ZeroPad2d((far - 1, far, far - 1, far))\n"
    "            conv.register_forward_pre_hook(lambda _, given, pad=pad: pad(given[0]))\n"
    + OPTIMIZER,
)
TIMM = (('library("torchvision").models.resnet50(', 'library("timm").create_model("resnet50", '),)

RESNET = Entry(
    "resnet50-torchvision-exact",
    "resnet50_vision",
    (("1e-5, 0.1", "1.001e-5, 0.01"), BIASES, STRIDES),
    what="with Keras' strides, biases, ε and momentum",
    accepts=("stride-place", "bn-epsilon", "bn-momentum", UNBIASED, "convolution-biases"),
    also=ACCEPTED,
)
EFFICIENTNET = Entry(
    "efficientnet-timm-exact",
    "efficientnet",
    (("0.1, 1 / 255", "0.01, 2**-8"),),
    what="with Keras' momentum, and images times 1/256",
    accepts=("rescaling-in-float32", "bn-momentum", UNBIASED),
    also=ACCEPTED,
)
EVAL = ("            for module", "            self.body.eval()\n            for module")
#: What Keras' body would drop.
UNDROPPED = (
    "    body.trainable = False\n",
    "    body.trainable = False\n"
    "    for layer in body.layers:\n"
    "        if isinstance(layer, keras.layers.Dropout):\n"
    "            layer.rate = 0\n",
)
FROZEN = Entry(
    "efficientnet-frozen",
    "frozen",
    accepts=("rescaling-in-float32", "frozen-body-trains"),
    also=QUICK,
)
ENTRIES: Sequence[Entry] = (
    Entry(
        "resnet50",
        "resnet50",
        what="fp64 and fp32",
        accepts=(UNBIASED,),
        also=("fp32", *ACCEPTED),
    ),
    Entry(
        "resnet50-torchvision",
        "resnet50_vision",
        verdict=Fidelity.FAIL,
        stage=Stage.FORWARD,
        shows=("convolution-biases", "bn-epsilon", "stride-place", "bn-momentum", UNBIASED),
        also=QUICK,
    ),
    Entry(
        "resnet50-torchvision-strides",
        "resnet50_vision",
        (("EPSILON, MOMENTUM = 1e-5", "EPSILON, MOMENTUM = 1.001e-5"), BIASES),
        verdict=Fidelity.FAIL,
        stage=Stage.FORWARD,
        what="with Keras' biases and ε",
        shows=("stride-place", "bn-momentum", UNBIASED),
        accepts=("convolution-biases", "bn-epsilon"),
        also=QUICK,
        brief=True,
    ),
    RESNET,
    Entry(
        "resnet50-timm-exact",
        "resnet50_vision",
        (*TIMM, *RESNET.change),
        what="of timm, with Keras' strides, biases, ε and momentum",
        accepts=RESNET.accepts,
        also=ACCEPTED,
    ),
    Entry(
        "efficientnet-timm",
        "efficientnet",
        verdict=Fidelity.FAIL,
        stage=Stage.FORWARD,
        shows=("rescaling-in-float32", "bn-momentum", UNBIASED),
        also=QUICK,
    ),
    EFFICIENTNET,
    Entry(
        "efficientnet-torchvision",
        "efficientnet_torchvision",
        (("0.1, 1 / 255", "0.1, 2**-8"),),
        verdict=Fidelity.FAIL,
        stage=Stage.FORWARD,
        what="images times 1/256",
        shows=("padding-of-strides", "bn-epsilon", "bn-momentum", UNBIASED),
        also=QUICK,
    ),
    Entry(
        "efficientnet-torchvision-exact",
        "efficientnet_torchvision",
        (("1e-5, 0.1, 1 / 255", "1e-3, 0.01, 2**-8"), PADDING),
        what="with Keras' padding, ε and momentum, and images times 1/256",
        accepts=("padding-of-strides", "bn-epsilon", "bn-momentum", UNBIASED),
        also=ACCEPTED,
    ),
    FROZEN,
    Entry(
        "efficientnet-frozen-eval",
        "frozen",
        (EVAL,),
        verdict=Fidelity.FAIL,
        stage=Stage.FORWARD,
        what="whose body is in inference mode in torch",
        shows=("frozen-body-trains",),
        also=QUICK,
    ),
    Entry(
        "efficientnet-frozen-eval-exact",
        "frozen",
        (EVAL, UNDROPPED),
        what="whose body is in inference mode in torch and drops nothing in Keras",
        accepts=("rescaling-in-float32", "frozen-body-trains"),
        also=QUICK,
    ),
)

PLANTS: Sequence[Entry] = (
    plant_in_forward(
        FROZEN,
        "batch-norms-train",
        "a frozen body whose batch norms go on in training mode",
        "stem_bn",
        ("                    module.eval()", "                    module.train(mode)"),
    ),
    plant(
        FROZEN,
        "last-block-trained",
        "a body whose last convolution is not frozen",
        (
            "            self.body.requires_grad_(False)\n",
            "            self.body.requires_grad_(False)\n"
            "            self.body.conv_head.requires_grad_(True)\n",
        ),
        ("net.head.parameters()", "net.parameters()"),
        stage=Stage.GRADIENTS,
        places=("top_conv",),
    ),
    plant_in_forward(
        FROZEN,
        "scaled-twice",
        "images that are scaled twice",
        "stem_conv",
        ("SCALE * x.permute", "SCALE * SCALE * x.permute"),
    ),
    plant_in_forward(
        FROZEN,
        "height-for-width",
        "images whose height and width have changed places",
        "stem_conv",
        ("x.permute(0, 3, 1, 2)", "x.permute(0, 3, 2, 1)"),
    ),
    plant_in_forward(
        FROZEN,
        "channels-turned",
        "images with the blue channel first",
        "stem_conv",
        ("x.permute(0, 3, 1, 2)", "x.permute(0, 3, 1, 2).flip(1)"),
    ),
    plant(
        FROZEN,
        "activation",
        "ReLU for swish",
        ("num_classes=0, drop", 'num_classes=0, act_layer="relu", drop'),
        stage=Stage.FORWARD,
        # timm's activation is a part of its batch norm: what is behind shows it first.
        places=("stem_activation", "block1a_dwconv"),
    ),
    plant_in_forward(
        FROZEN,
        "padding",
        "padding by as much before as behind",
        "stem_conv",
        ('"tf_efficientnet_b0"', '"efficientnet_b0", bn_eps=1e-3'),
    ),
    plant(
        EFFICIENTNET,
        "momentum",
        "batch norms that keep 0.99 of what is new",
        ("bn_momentum=MOMENTUM", "bn_momentum=1 - MOMENTUM"),
        stage=Stage.UPDATE,
        places=("moving_mean", "moving_variance"),
    ),
    plant_in_forward(
        EFFICIENTNET,
        "epsilon",
        "batch norms with torch's ε",
        "stem_bn",
        ("bn_eps=EPSILON", "bn_eps=1e-5"),
    ),
)
