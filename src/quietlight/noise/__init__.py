"""clean -> noisy: every nature of noise, with the variance it declares."""
