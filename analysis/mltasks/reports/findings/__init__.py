"""What `highlights` finds: one module for each kind of thing that needs attention."""
