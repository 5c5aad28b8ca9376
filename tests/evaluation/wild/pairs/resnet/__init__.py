"""A ResNet50 written for torch."""
