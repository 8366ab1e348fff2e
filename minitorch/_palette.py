"""The colours of every plot, drawing and page: the palette of Okabe and Ito (2008).

People with any colour vision can distinguish its colours. https://jfly.uni-koeln.de/color/
"""

BLUE, VERMILION, GREEN, PINK = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
SKY, ORANGE, YELLOW, BLACK = "#56b4e9", "#e69f00", "#f0e442", "#000000"

PURPLE = "#a5548a"  # PINK, darkened for text and thin lines
INK, GRAY, PALE_GRAY, PAPER = "#1f2933", "#5b6875", "#8a97a6", "#ffffff"
TINTS = {BLUE: "#cfe3f1", VERMILION: "#f9dcc7", GREEN: "#cdebe1", PURPLE: "#eedbe8"}  # backgrounds for text
