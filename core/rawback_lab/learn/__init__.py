"""Training the learned layer: material, loss, loop, export."""
