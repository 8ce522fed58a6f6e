"""The search itself: islands, epochs, and how circuits are evaluated in them."""
