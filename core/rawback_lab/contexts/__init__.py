"""The quality layers' weights and tables: what they are fitted to, and how large layers become."""
