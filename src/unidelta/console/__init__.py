"""What every command needs: a quick start, and a clean end."""
