"""How a run is trained: one epoch loop, and the engines that carry out its epochs."""
