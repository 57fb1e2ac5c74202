"""Where each raw pixel lies in the carrier."""
