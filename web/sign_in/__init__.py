"""How people come in with a browser: the page, the cookies, and the way to and from them."""
