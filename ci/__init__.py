"""What the workflows do beyond a line of shell."""
