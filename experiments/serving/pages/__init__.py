"""Pages of the live page, one file each: PATH with * for what varies, and `layout`."""
