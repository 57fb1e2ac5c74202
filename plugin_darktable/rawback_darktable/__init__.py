"""The helper that darktable calls after an export."""
