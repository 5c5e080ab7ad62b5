"""What makes the library at home in a framework: one module each, which needs that framework installed."""
