"""rawback: a JPEG that carries its raw."""
