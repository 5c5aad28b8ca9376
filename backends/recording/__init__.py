"""Record what a port computes on a noise tape, stage by stage, with honest variations and teacher
forcing."""
