"""What training-free scores have in common: random networks, probed on noise, seed after seed."""
