"""How every field is answered, every command carried out and every change passed on."""
