"""REST in: verify, translate, hand commands over."""
