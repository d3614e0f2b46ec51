"""The page in a real browser: what people see, click and type, and what those hear who do not see."""
