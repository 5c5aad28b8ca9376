"""Judge what two jobs recorded: the error measure, the noise floor, the stages, the bounds of a
precision. Pure."""
