"""Claims about the project itself: its layout, packaging and continuous integration."""
