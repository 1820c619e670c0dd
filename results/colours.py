"""Okabe and Ito's colours, which people with any colour vision tell apart, and the greys between them."""

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, YELLOW = "#E69F00", "#56B4E9", "#F0E442"
INK, GREY, LIGHT_GREY = "#1b1f24", "#8a8f98", "#c8ccd2"
